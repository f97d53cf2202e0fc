/** Which colour a curve has: training is blue and validation amber in every chart, the rest take what is free. */

export type Look = { color: string; dash: number[] };

const KNOWN: Record<string, number> = { "train/loss": 1, "val/loss": 2, "val/accuracy": 2, "val/top5_accuracy": 3, "val/f1": 4 };
const COLORS = [1, 2, 3, 4, 5, 6, 7, 8];
const DASHES = [[], [7, 4], [2, 3]];

/** The looks of a chart's curves, by name. With more curves than colours the line is broken, so that no two are alike. */
export function looks(names: readonly string[]): Record<string, Look> {
  const chosen = new Map<string, number>();
  const free = (): number => COLORS.find((color) => ![...chosen.values()].includes(color)) ?? 0;
  for (const name of names.toSorted((a, b) => Number(b in KNOWN) - Number(a in KNOWN))) {
    const wanted = KNOWN[name] ?? (name.startsWith("train") ? 1 : name.startsWith("val") ? 2 : 0);
    if (wanted > 0 && ![...chosen.values()].includes(wanted)) chosen.set(name, wanted);
  }
  let beyond = 0;
  return Object.fromEntries(
    names.map((name) => {
      const color = chosen.get(name) ?? free();
      if (color > 0) chosen.set(name, color);
      const place = color > 0 ? color - 1 : COLORS.length + beyond++;
      return [name, { color: `--series-${COLORS[place % COLORS.length]}`, dash: DASHES[Math.floor(place / COLORS.length) % DASHES.length]! }];
    }),
  );
}
