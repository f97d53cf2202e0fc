const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** 1536 → "1.5 kB"; decimal units. */
export function bytes(n: number): string {
  const power = Math.min(UNITS.length - 1, n < 1 ? 0 : Math.floor(Math.log10(n) / 3));
  const value = n / 1000 ** power;
  return `${power && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

/** Seconds as people say them: "8 s", "2 min 5 s", "3 h 12 min", "4 d 2 h". Two units at most. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  const parts: [number, string][] = [[d, "d"], [h, "h"], [m, "min"], [s % 60, "s"]];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(" ");
}

/** How long something ran, or has run so far. */
export function elapsed(from: string | null, to: string | null, now = Date.now()): string {
  if (!from) return "–";
  return duration(((to ? Date.parse(to) : now) - Date.parse(from)) / 1000);
}

export function ago(time: string, now = Date.now()): string {
  const seconds = (now - Date.parse(time)) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 7 * 86400) return `${duration(seconds).split(" ").slice(0, 2).join(" ")} ago`;
  return new Date(time).toLocaleDateString(undefined, { dateStyle: "medium" });
}

export const dateTime = (time: string): string => new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const clock = (time: string): string => new Date(time).toLocaleTimeString(undefined, { hour12: false });

export const count = (n: number): string => n.toLocaleString("en");

/** 1 → "1 image", 1797 → "1,797 images". */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** 374000 → "374 k", 25600000 → "25.6 M". */
export function compact(n: number): string {
  for (const [size, unit] of [[1e9, "B"], [1e6, "M"], [1e3, "k"]] as const)
    if (n >= size) return `${Number((n / size).toPrecision(3))} ${unit}`;
  return String(n);
}

/** A metric's value as its kind is read: ratios in per cent, rates in exponents, the rest with four digits. */
export function metric(name: string, value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (isRatio(name)) return `${(value * 100).toFixed(2)} %`;
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

export const isRatio = (name: string): boolean => /accuracy|f1|precision|recall|mAP|ap$|iou/i.test(name);

const METRIC_TITLES: Record<string, string> = {
  "train/loss": "training loss",
  "val/loss": "validation loss",
  "val/accuracy": "accuracy",
  "val/top5_accuracy": "top-5 accuracy",
  "val/f1": "F1, macro",
  lr: "learning rate",
};

const METRIC_SHORT: Record<string, string> = {
  "train/loss": "train loss",
  "val/loss": "val loss",
  "val/top5_accuracy": "top-5",
  "val/f1": "F1",
  lr: "rate",
};

export const metricShort = (name: string): string => METRIC_SHORT[name] ?? metricTitle(name);

export const metricTitle = (name: string): string => METRIC_TITLES[name] ?? name.replaceAll("_", " ");
