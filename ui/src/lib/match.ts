/** Those whose name has what is typed: names that begin with it before those with a word that does, then the rest. */
export function bestFirst<T extends { name: string }>(options: readonly T[], typed: string): T[] {
  const wanted = typed.trim().toLocaleLowerCase();
  if (wanted === "") return [...options];
  return options
    .map((option) => ({ option, at: option.name.toLocaleLowerCase().indexOf(wanted) }))
    .filter(({ at }) => at >= 0)
    .toSorted((a, b) => rank(a.option.name, a.at) - rank(b.option.name, b.at))
    .map(({ option }) => option);
}

const rank = (name: string, at: number): number => (at === 0 ? 0 : /[\s\-_/.]/.test(name[at - 1]!) ? 1 : 2);
