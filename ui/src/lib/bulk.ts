import { problemOf } from "../api/problem";

export type Refusal<T> = { item: T; why: string };
export type Outcome<T> = { done: T[]; refused: Refusal<T>[] };

/** Does something with each, some at a time; one that fails keeps none of the others from it. In the order given. */
export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<unknown>, atOnce = 4): Promise<Outcome<T>> {
  const whys: (string | null)[] = items.map(() => null);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      await work(items[at]!).catch((error: unknown) => {
        whys[at] = problemOf(error).detail;
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return {
    done: items.filter((_, i) => whys[i] === null),
    refused: items.flatMap((item, i) => (whys[i] === null ? [] : [{ item, why: whys[i]! }])),
  };
}
