/** Which rows of a list are chosen, and from which one a range begins. */
export type Selection = { chosen: ReadonlySet<string>; anchor: string | null };

export const NOTHING: Selection = { chosen: new Set(), anchor: null };

export function toggle({ chosen }: Selection, id: string): Selection {
  const next = new Set(chosen);
  if (!next.delete(id)) next.add(id);
  return { chosen: next, anchor: id };
}

/** From the row touched last to this one, whichever is above, in addition to what is chosen already. */
export function extend(selection: Selection, order: readonly string[], id: string): Selection {
  const [from, to] = [selection.anchor === null ? -1 : order.indexOf(selection.anchor), order.indexOf(id)];
  if (from < 0 || to < 0) return { chosen: new Set([...selection.chosen, id]), anchor: id };
  return { chosen: new Set([...selection.chosen, ...order.slice(Math.min(from, to), Math.max(from, to) + 1)]), anchor: selection.anchor };
}
