/** Where an image lies on its stage: `scale` screen pixels for one of its own, its corner at `x, y`. */

export type Size = { width: number; height: number };
export type View = { scale: number; x: number; y: number };
type Point = { x: number; y: number };

const CLOSEST = 32;
const CLOSER = 8;

/** All of it, as large as it goes, in the middle. */
export function fitted(stage: Size, image: Size): View {
  const scale = Math.min(stage.width / image.width, stage.height / image.height);
  return settled({ scale, x: 0, y: 0 }, stage, image);
}

/** Nearer or farther by a factor; what is at this point of the stage stays there. */
export function zoomed(view: View, factor: number, at: Point, stage: Size, image: Size): View {
  const fit = fitted(stage, image).scale;
  const scale = Math.min(Math.max(CLOSEST, CLOSER * fit), Math.max(Math.min(1, fit), view.scale * factor));
  const by = scale / view.scale;
  return settled({ scale, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by }, stage, image);
}

export const moved = (view: View, by: Point, stage: Size, image: Size): View => settled({ ...view, x: view.x + by.x, y: view.y + by.y }, stage, image);

/** What is larger than the stage covers it; what is smaller is in its middle. */
function settled({ scale, x, y }: View, stage: Size, image: Size): View {
  return { scale, x: along(x, scale * image.width, stage.width), y: along(y, scale * image.height, stage.height) };
}

const along = (from: number, length: number, room: number): number => (length <= room ? (room - length) / 2 : Math.min(0, Math.max(room - length, from)));
