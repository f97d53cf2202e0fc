/** A log of any length, of which only the pages near those being read are held. */
import type { Schemas } from "../api/client";

export type LogLine = Schemas["LogPage"]["items"][number];
type Fetch = (from: number, limit: number) => Promise<LogLine[]>;

export const PAGE = 500;
const PAGES_HELD = 60;

/** Lines by number. What is wanted and not there is fetched, a page at a time; the pages least lately wanted go first. */
export class LogBuffer {
  total = 0;
  /** Changes with everything that a reader could see. */
  version = 0;
  #pages = new Map<number, LogLine[]>();
  #fetching = new Set<number>();
  #listeners = new Set<() => void>();
  #fetch: Fetch;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  line(n: number): LogLine | undefined {
    return this.#pages.get(Math.floor(n / PAGE))?.[n % PAGE];
  }

  get held(): number {
    return this.#pages.size;
  }

  /** The log has grown to so many lines; some of them, in a row, may have come along. */
  take(total: number, lines: readonly LogLine[] = []): void {
    this.total = Math.max(this.total, total);
    for (const line of lines) this.#put(line);
    this.#changed();
  }

  /** Someone reads these lines: they are held, and fetched where they are not. */
  want(from: number, to: number): void {
    for (let page = Math.floor(Math.max(0, from) / PAGE); page * PAGE < Math.min(to, this.total); page++) {
      const held = this.#pages.get(page);
      if (held) {
        this.#pages.delete(page);
        this.#pages.set(page, held);
      }
      const length = Math.min(PAGE, this.total - page * PAGE);
      if (!held || !complete(held, length)) void this.#load(page);
    }
    this.#forget();
  }

  async #load(page: number): Promise<void> {
    if (this.#fetching.has(page)) return;
    this.#fetching.add(page);
    try {
      for (const line of await this.#fetch(page * PAGE, PAGE)) this.#put(line);
      this.#forget();
      this.#changed();
    } catch {
      // The connection's strip says so; what scrolls past asks again.
    } finally {
      this.#fetching.delete(page);
    }
  }

  #put(line: LogLine): void {
    const page = Math.floor(line.n / PAGE);
    const lines = this.#pages.get(page) ?? [];
    lines[line.n % PAGE] = line;
    this.#pages.set(page, lines);
  }

  #forget(): void {
    for (const page of this.#pages.keys()) {
      if (this.#pages.size <= PAGES_HELD) return;
      this.#pages.delete(page);
    }
  }

  #changed(): void {
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }
}

function complete(lines: readonly LogLine[], length: number): boolean {
  if (lines.length < length) return false;
  for (let i = 0; i < length; i++) if (lines[i] === undefined) return false;
  return true;
}

/**
 * Which rows a scrolled box shows, and where they are drawn. A browser's boxes have an end (about 17 million pixels in
 * one of them): with more rows than fit, the box is as high as is safe and scrolls so much faster.
 */
export function rowsInView(rows: number, height: number, scrollTop: number, viewport: number, most = 8_000_000) {
  const whole = rows * height;
  const inner = Math.min(whole, most);
  const share = inner > viewport ? Math.min(1, scrollTop / (inner - viewport)) : 0;
  const offset = whole > inner ? share * (whole - viewport) : scrollTop;
  const first = Math.max(0, Math.floor(offset / height));
  const last = Math.min(rows, Math.ceil((offset + viewport) / height) + 1);
  return { inner, first, last, top: scrollTop - offset + first * height };
}

/** The scroll position at which a row is in the middle. */
export function scrollTo(row: number, rows: number, height: number, viewport: number, most = 8_000_000): number {
  const whole = rows * height;
  const offset = Math.max(0, Math.min(whole - viewport, row * height - (viewport - height) / 2));
  return whole > most ? (offset / (whole - viewport)) * (most - viewport) : offset;
}
