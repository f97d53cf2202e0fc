/** What stands in the address of a data set's page and of one of its images. */
import { drop, names, natural, oneOf, text } from "./search";

export const DATASET_VIEWS = ["faults", "versions"] as const;

/** Among which images one looks. */
export type ImageFilter = { class?: string; split?: "train" | "val" };

export type DatasetSearch = ImageFilter & {
  view?: (typeof DATASET_VIEWS)[number];
  /** The first image on the screen, counted from 0 within the filter. */
  at?: number;
  /** Whether marks are drawn on the tiles: they are, unless this says no. */
  boxes?: false;
};

export type ImageSearch = ImageFilter & {
  /** Classes whose marks are not drawn. */
  hide?: string[];
};

export const readDatasetSearch = (search: Record<string, unknown>): DatasetSearch =>
  drop({ ...filterOf(search), view: oneOf(DATASET_VIEWS, search.view), at: natural(search.at), boxes: search.boxes === false ? false : undefined });

export const readImageSearch = (search: Record<string, unknown>): ImageSearch => drop({ ...filterOf(search), hide: names(search.hide) });

/** A class shown or hidden. */
export function toggledClass(hide: string[] | undefined, name: string): string[] | undefined {
  const after = hide?.includes(name) ? hide.filter((each) => each !== name) : [...(hide ?? []), name];
  return after.length > 0 ? after : undefined;
}

const filterOf = (search: Record<string, unknown>) => ({ class: text(search.class), split: oneOf(["train", "val"], search.split) });
