import { expect, test } from "vitest";
import { ago, bytes, compact, duration, elapsed, metric, plural } from "./format";

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
  expect(plural(1, "image")).toBe("1 image");
  expect(plural(1797, "image")).toBe("1,797 images");
  expect(plural(0, "class", "classes")).toBe("0 classes");
  expect([374, 374_000, 25_600_000, 1_200_000_000].map(compact)).toEqual(["374", "374 k", "25.6 M", "1.2 B"]);
});
