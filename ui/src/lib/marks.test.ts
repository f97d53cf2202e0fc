import { expect, test } from "vitest";
import { bySize, classColour, outline, outlinesByClass, pointsOf, type ImageObject } from "./marks";

const object = (more: Partial<ImageObject> = {}): ImageObject => ({ class: "bolt", box: { x: 10, y: 20, w: 30, h: 10 }, ...more });

test("a box is its four corners", () => expect(outline(object())).toBe("M10 20L40 20L40 30L10 30Z"));

test("an angle turns it clockwise about its middle", () => expect(outline(object({ angle: 90 }))).toBe("M30 10L30 40L20 40L20 10Z"));

test("a polygon comes as points or as flat rings, and what is no polygon is a box", () => {
  expect(outline(object({ polygon: [[0, 0], [4, 0], [4, 4]] }))).toBe("M0 0L4 0L4 4Z");
  expect(outline(object({ polygon: [[0, 0, 4, 0, 4, 4], [9, 9, 8, 8, 7, 9]] }))).toBe("M0 0L4 0L4 4ZM9 9L8 8L7 9Z");
  expect(outline(object({ polygon: [[1, 2]] }))).toBe(outline(object()));
});

test("points that are not visible are not drawn", () => expect(pointsOf(object({ keypoints: [[1, 2, 2], [3, 4, 0], [5, 6]] }))).toEqual([[1, 2], [5, 6]]));

test("the largest is drawn first", () => expect(bySize([object({ class: "small", box: { x: 0, y: 0, w: 1, h: 1 } }), object()]).map((o) => o.class)).toEqual(["bolt", "small"]));

test("each class has one path, of so many objects at most", () => {
  const many = [object(), object({ class: "nut" }), object(), object()];
  expect(outlinesByClass(many, 3).map(([name, path]) => [name, path.split("Z").length - 1])).toEqual([["bolt", 2], ["nut", 1]]);
});

test("a hundred classes have a hundred colours", () => expect(new Set(Array.from({ length: 100 }, (_, i) => classColour(i))).size).toBe(100));
