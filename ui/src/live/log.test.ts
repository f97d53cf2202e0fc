import { expect, test, vi } from "vitest";
import { LogBuffer, PAGE, rowsInView, scrollTo, type LogLine } from "./log";

const line = (n: number): LogLine => ({ n, time: "2026-01-01T00:00:00Z", attempt: 1, level: "info", text: `line ${n}` });
const lines = (from: number, count: number): LogLine[] => Array.from({ length: count }, (_, i) => line(from + i));
const settled = () => new Promise<void>((done) => setTimeout(done));

function server(total: number) {
  const log = { total, fetch: vi.fn((from: number, limit: number) => Promise.resolve(lines(from, Math.min(limit, log.total - from)))) };
  return log;
}

test("what is read is fetched once, and nothing else", async () => {
  const log = server(1_000_000);
  const buffer = new LogBuffer(log.fetch);
  buffer.take(log.total);
  buffer.want(700_100, 700_140);
  buffer.want(700_100, 700_140);
  expect(buffer.line(700_120)).toBeUndefined();
  await settled();
  expect(buffer.line(700_120)?.text).toBe("line 700120");
  buffer.want(700_100, 700_140);
  expect(log.fetch.mock.calls).toEqual([[700_000, PAGE]]);
});

test("however much is read, no more than so many pages are held, and those in view are among them", async () => {
  const log = server(1_000_000);
  const buffer = new LogBuffer(log.fetch);
  buffer.take(log.total);
  for (let from = 0; from < 100 * PAGE; from += PAGE) {
    buffer.want(from, from + 50);
    await settled();
  }
  expect(buffer.held).toBe(60);
  expect(buffer.line(99 * PAGE)).toBeDefined();
  expect(buffer.line(0)).toBeUndefined();
});

test("lines that come while one looks need no fetch; where some were missed, the page is fetched", async () => {
  const log = server(3);
  const buffer = new LogBuffer(log.fetch);
  buffer.take(3, lines(0, 3));
  buffer.want(0, 40);
  await settled();
  expect(log.fetch).not.toHaveBeenCalled();
  log.total = 9;
  buffer.take(9, lines(7, 2));
  buffer.want(0, 40);
  await settled();
  expect(log.fetch).toHaveBeenCalledTimes(1);
  expect(buffer.line(5)?.text).toBe("line 5");
});

test("a fetch that fails is tried again by who still looks", async () => {
  const fetch = vi.fn().mockRejectedValueOnce(new TypeError("offline")).mockResolvedValue(lines(0, 2));
  const buffer = new LogBuffer(fetch);
  buffer.take(2);
  buffer.want(0, 2);
  await settled();
  buffer.want(0, 2);
  await settled();
  expect(buffer.line(1)?.text).toBe("line 1");
});

test("a listener hears of each change until it leaves", () => {
  const buffer = new LogBuffer(() => Promise.resolve([]));
  const heard = vi.fn();
  const leave = buffer.subscribe(heard);
  buffer.take(1, lines(0, 1));
  leave();
  buffer.take(2);
  expect(heard).toHaveBeenCalledTimes(1);
});

test.each([100, 300_000, 1_000_000, 50_000_000])("of %i rows the first and the last can be reached, and one in the middle", (rows) => {
  const top = rowsInView(rows, 20, 0, 600);
  expect([top.first, top.top]).toEqual([0, 0]);
  const end = rowsInView(rows, 20, top.inner - 600, 600);
  expect(end.last).toBe(rows);
  expect(end.top + (rows - end.first) * 20).toBeCloseTo(end.inner, 0);
  const middle = rowsInView(rows, 20, scrollTo(rows / 2, rows, 20, 600), 600);
  expect([middle.first <= rows / 2, middle.last > rows / 2]).toEqual([true, true]);
  expect(top.inner).toBeLessThanOrEqual(8_000_000);
});

test("a short log is not scrolled", () => expect(rowsInView(3, 20, 0, 600)).toEqual({ inner: 60, first: 0, last: 3, top: 0 }));
