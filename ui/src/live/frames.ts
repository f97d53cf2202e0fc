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
