/** What differs between two versions of a data set, as far as they say it of themselves. */
import type { Schemas } from "../api/client";

type Version = Pick<Schemas["DatasetVersion"], "image_count" | "train_count" | "val_count" | "classes">;

export type VersionChanges = { images: number; train: number; val: number; added: string[]; removed: string[] };

export function changesSince(before: Version, now: Version): VersionChanges {
  const [old, present] = [before, now].map((version) => new Set(version.classes.map(({ name }) => name))) as [Set<string>, Set<string>];
  return {
    images: now.image_count - before.image_count,
    train: now.train_count - before.train_count,
    val: now.val_count - before.val_count,
    added: [...present].filter((name) => !old.has(name)),
    removed: [...old].filter((name) => !present.has(name)),
  };
}
