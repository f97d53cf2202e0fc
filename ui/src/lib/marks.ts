/** What is marked in an image, as paths to draw: boxes, turned boxes, polygons and points. */
import type { Schemas } from "../api/client";

export type ImageObject = Schemas["ImageObject"];

/** The outline in pixels of the image, for the `d` of a path. */
export function outline(object: ImageObject): string {
  const rings = object.polygon ? ringsOf(object.polygon) : [];
  return (rings.length > 0 ? rings : [cornersOf(object)]).map(closed).join("");
}

/** Points that can be seen. A third number of 0 says that one cannot. */
export const pointsOf = (object: ImageObject): [x: number, y: number][] =>
  (object.keypoints ?? []).filter((point) => point.length >= 2 && point[2] !== 0).map((point) => [point[0]!, point[1]!]);

/** The largest first, so that a small one lies on top of those around it. */
export const bySize = (objects: readonly ImageObject[]): ImageObject[] => objects.toSorted((a, b) => b.box.w * b.box.h - a.box.w * a.box.h);

/** One path for all objects of a class: cheap enough for a screen full of tiles. */
export function outlinesByClass(objects: readonly ImageObject[], most = 500): [name: string, path: string][] {
  const found = new Map<string, string>();
  for (const object of objects.slice(0, most)) found.set(object.class, (found.get(object.class) ?? "") + outline(object));
  return [...found];
}

const NAMED = ["#5ab4ff", "#ffb000", "#4fe08a", "#ff7ab8", "#c79bff", "#ffe14d", "#ff6b57", "#3fe0d8"];
const GOLDEN_ANGLE = 137.508;

/** The colour of a class by its place: light, as it lies on pictures, in either scheme. Its name always stands beside it. */
export const classColour = (place: number): string => NAMED[place] ?? `oklch(0.82 0.14 ${Math.round((place * GOLDEN_ANGLE) % 360)})`;

export const coloursOf = (classes: readonly { name: string }[]): Map<string, string> => new Map(classes.map(({ name }, place) => [name, classColour(place)]));

/** A class that the version does not list. */
export const OTHER_COLOUR = "#ffffff";

type Point = readonly [x: number, y: number];

function cornersOf({ box: { x, y, w, h }, angle }: ImageObject): Point[] {
  const [cx, cy] = [x + w / 2, y + h / 2];
  const turn = ((angle ?? 0) * Math.PI) / 180; // clockwise, as the image's y goes down
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return [[-w, -h], [w, -h], [w, h], [-w, h]].map(([dx, dy]) => [cx + (dx! * cos - dy! * sin) / 2, cy + (dx! * sin + dy! * cos) / 2]);
}

/** `[[x, y], …]` is one ring; `[[x, y, x, y, …], …]` are several. */
function ringsOf(polygon: readonly number[][]): Point[][] {
  const rings = polygon.every((part) => part.length === 2) ? [polygon.flat()] : polygon;
  return rings.filter((ring) => ring.length >= 6).map((ring) => Array.from({ length: Math.floor(ring.length / 2) }, (_, i) => [ring[2 * i]!, ring[2 * i + 1]!]));
}

const closed = (points: readonly Point[]): string => `M${points.map(([x, y]) => `${round(x)} ${round(y)}`).join("L")}Z`;

const round = (value: number): number => Math.round(value * 100) / 100;
