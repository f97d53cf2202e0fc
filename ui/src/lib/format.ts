/** Numbers, times and metrics as the language chosen writes them. */

import { titled, words } from "../words";
import { locale, number } from "../words/locale";

const UNITS = ["kB", "MB", "GB", "TB"];
const NONE = "–";

/** 1536 → "1.5 kB"; decimal units. */
export function bytes(n: number): string {
  const power = Math.min(UNITS.length, n < 1 ? 0 : Math.floor(Math.log10(n) / 3));
  const value = n / 1000 ** power;
  if (power === 0) return words().unit.bytes({ n: number(Math.round(value)) });
  return `${fixed(value, value < 9.95 ? 1 : 0)} ${UNITS[power - 1]}`;
}

/** Seconds as people say them: "8 s", "2 min 5 s", "3 h 12 min", "4 d 2 h". Two units at most. */
export const duration = (seconds: number): string => spans(seconds).join(" ");

function spans(seconds: number): string[] {
  const { unit } = words();
  const s = Math.max(0, Math.round(seconds));
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  const parts = [[d, unit.days], [h, unit.hours], [m, unit.minutes], [s % 60, unit.seconds]] as const;
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return [unit.seconds({ n: 0 })];
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, say]) => say({ n }));
}

/** How long something ran, or has run so far. */
export function elapsed(from: string | null, to: string | null, now = Date.now()): string {
  if (!from) return NONE;
  return duration(((to ? Date.parse(to) : now) - Date.parse(from)) / 1000);
}

export function ago(time: string, now = Date.now()): string {
  const seconds = (now - Date.parse(time)) / 1000;
  if (seconds < 45) return words().justNow;
  if (seconds < 7 * 86400) return words().ago({ time: spans(seconds)[0]! });
  return new Date(time).toLocaleDateString(locale(), { dateStyle: "medium" });
}

export const dateTime = (time: string): string => new Date(time).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "medium" });

/** 15:04:05, in every language. */
export const clock = (time: string): string =>
  new Date(time).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export const count = (n: number): string => number(n);

/** 374000 → "374 k", 25600000 → "25.6 M"; in Korean "37.4만", "2,560만". */
export function compact(n: number): string {
  const [size, unit] = words().unit.large.find(([least]) => n >= least) ?? [1, ""];
  return `${number(n / size, { maximumSignificantDigits: Math.max(3, String(Math.floor(n / size)).length) })}${unit}`;
}

/** 61.8 → "62 %". */
export const percent = (value: number, digits = 0): string => words().unit.percent({ n: fixed(value, digits) });

const fixed = (value: number, digits: number): string => number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** A metric's value as its kind is read: ratios in per cent, rates in exponents, the rest with four digits. */
export function metric(name: string, value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  if (isRatio(name)) return percent(value * 100, 2);
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(2);
  return number(value, { maximumSignificantDigits: 4 });
}

export const isRatio = (name: string): boolean => /accuracy|f1|precision|recall|mAP|ap$|iou/i.test(name);

export const metricShort = (name: string): string => titled(words().metricsShort, name) ?? metricTitle(name);

export const metricTitle = (name: string): string => titled(words().metrics, name) ?? name.replaceAll("_", " ");
