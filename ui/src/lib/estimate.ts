/** How long a training would take, as one says what one does not know exactly: few digits, one unit. */
import { words } from "../words";
import { number } from "../words/locale";

export type Span = { low: number; likely: number; high: number };

const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];

/** "12 min", and "8–20" of the same unit. */
export function roughly({ low, likely, high }: Span): { likely: string; range: string } {
  const { unit } = words();
  const [size, say] = likely < 90 ? ([1, unit.seconds] as const) : likely < 90 * MINUTE ? ([MINUTE, unit.minutes] as const) : likely < 2 * DAY ? ([HOUR, unit.hours] as const) : ([DAY, unit.days] as const);
  const of = (seconds: number): number => fewDigits(seconds / size);
  return { likely: say({ n: of(likely) }), range: `${number(of(low))}–${number(of(high))}` };
}

const fewDigits = (n: number): number => (n < 3 ? Math.round(n * 10) / 10 : Math.round(n));
