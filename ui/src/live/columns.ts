import type { MetricRow } from "./job";

export type Columns = [epochs: number[], ...series: (number | null)[][]];

/** Rows as a chart takes them: one column of epochs, one for each name; null where a row has no finite value. */
export function columns(rows: readonly MetricRow[], names: readonly string[]): Columns {
  return [
    rows.map((row) => row.epoch),
    ...names.map((name) =>
      rows.map((row) => {
        const value = row.metrics[name];
        return typeof value === "number" && Number.isFinite(value) ? value : null;
      }),
    ),
  ];
}

/** Calls `draw` with the latest value at most once a frame, however often `put` is called. */
export function frameBuffer<T>(draw: (value: T) => void): { put: (value: T) => void; cancel: () => void } {
  let frame = 0;
  let latest: T;
  return {
    put(value) {
      latest = value;
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw(latest);
      });
    },
    cancel() {
      cancelAnimationFrame(frame);
      frame = 0;
    },
  };
}
