import { afterEach, expect, test } from "vitest";
import { chooseLanguage, startWords, words } from "../words";
import { ago, bytes, clock, compact, count, dateTime, duration, elapsed, metric, metricTitle, percent } from "./format";

afterEach(async () => {
  localStorage.clear();
  await startWords();
});

test.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1_512_331, "1.5 MB"],
  [98_000_000, "98 MB"],
  [3_200_000_000, "3.2 GB"],
])("%d bytes are %s", (n, text) => expect(bytes(n)).toBe(text));

test.each([
  [0, "0 s"],
  [59.6, "1 min"],
  [125, "2 min 5 s"],
  [3600, "1 h"],
  [11_520, "3 h 12 min"],
  [180_000, "2 d 2 h"],
  [-5, "0 s"],
])("%d seconds are %s", (s, text) => expect(duration(s)).toBe(text));

test("time elapsed counts on until there is an end", () => {
  const start = "2026-01-01T00:00:00Z";
  expect(elapsed(null, null)).toBe("–");
  expect(elapsed(start, "2026-01-01T00:01:05Z")).toBe("1 min 5 s");
  expect(elapsed(start, null, Date.parse("2026-01-01T00:00:07Z"))).toBe("7 s");
});

test("times ago name one unit", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect(ago("2026-01-01T23:59:50Z", now)).toBe("just now");
  expect(ago("2026-01-01T21:30:00Z", now)).toBe("2 h ago");
});

test.each([
  ["val/accuracy", 0.98611, "98.61 %"],
  ["train/loss", 0.123456, "0.1235"],
  ["lr", 0.00005, "5.00e-5"],
  ["lr", 0, "0"],
  ["val/loss", null, "–"],
  ["val/loss", undefined, "–"],
])("%s %o is written %s", (name, value, text) => expect(metric(name, value)).toBe(text));

test("counts", () => {
  expect(words().count.images({ n: 1 })).toBe("1 image");
  expect(words().count.images({ n: 1797 })).toBe("1,797 images");
  expect(words().count.classes({ n: 0 })).toBe("0 classes");
  expect([374, 374_000, 25_600_000, 1_200_000_000].map(compact)).toEqual(["374", "374 k", "25.6 M", "1.2 B"]);
});

test("Korean has units, counts and times of its own", async () => {
  await chooseLanguage("ko");
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect([999, 1_512_331].map(bytes)).toEqual(["999바이트", "1.5 MB"]);
  expect([0, 125, 11_520, 180_000].map(duration)).toEqual(["0초", "2분 5초", "3시간 12분", "2일 2시간"]);
  expect(ago("2026-01-01T23:59:50Z", now)).toBe("방금 전");
  expect(ago("2026-01-01T21:30:00Z", now)).toBe("2시간 전");
  expect(metric("val/accuracy", 0.98611)).toBe("98.61%");
  expect(metricTitle("val/accuracy")).toBe("검증 정확도");
  expect(percent(61.8)).toBe("62%");
  expect(count(1797)).toBe("1,797");
  expect([374, 374_000, 25_600_000, 1_200_000_000].map(compact)).toEqual(["374", "37.4만", "2,560만", "12억"]);
  expect([1, 1797].map((n) => words().count.images({ n }))).toEqual(["이미지 1장", "이미지 1,797장"]);
});

test("dates and times are written as the language has them, a log's clock the same in all", async () => {
  const time = new Date(2026, 0, 2, 15, 4, 5).toISOString();
  expect(dateTime(time)).toMatch(/^Jan 2, 2026, 3:04:05.PM$/);
  expect(clock(time)).toBe("15:04:05");
  await chooseLanguage("ko");
  expect(dateTime(time)).toBe("2026. 1. 2. 오후 3:04:05");
  expect(clock(time)).toBe("15:04:05");
});
