/**
 * Every text a person reads, from one catalogue for each language: `en.tsx` and, loaded only where it is chosen, `ko.tsx`.
 *
 * A component says `const t = useWords()` and then `{t.jobs.title}` or `{t.job.left({ time })}`; what is no component calls
 * `words()` at the moment it says something. Nothing keeps a text: it would stay in its language when that changes.
 *
 * To add a message, add a line to `en.tsx` and one of the same name to `ko.tsx`; tsc names what is missing in either, and
 * which parts a call forgot. A message without parts is a string. One with parts is a function of one object, and makes a
 * string, or JSX where a part is a link. Plural forms are `many(n, "image")` in English; Korean has one form.
 * `words.test.ts` fails on texts that stand anywhere else.
 */

import { useSyncExternalStore } from "react";
import { createStore } from "../lib/store";
import { en } from "./en";
import { preferred, remember, setLocale, type Language } from "./locale";

export type Words = typeof en;

const LOAD: Record<Language, () => Promise<Words>> = {
  en: () => Promise.resolve(en),
  ko: () => import("./ko").then(({ ko }) => ko),
};

const store = createStore<Words>(en);
let wanted: Language = "en";

export const words = store.get;
export const useWords = (): Words => useSyncExternalStore(store.subscribe, store.get);

/** Speaks the language preferred here; where that cannot be loaded, English. */
export const startWords = (): Promise<void> => speak(preferred()).catch(() => speak("en"));

/** Changes the language for good, without a reload. Where it cannot be loaded, nothing changes. */
export async function chooseLanguage(language: Language): Promise<void> {
  await speak(language);
  if (language === wanted) remember(language);
}

/** The last one that was asked for wins, however long each takes to load. */
async function speak(language: Language): Promise<void> {
  wanted = language;
  const loaded = await LOAD[language]();
  if (language !== wanted) return;
  setLocale(language);
  document.documentElement.lang = language;
  store.set(loaded);
}

/** What a catalogue calls a code, if it knows it: the server may know more. */
export const titled = (titles: Record<string, string>, code: string): string | undefined => (Object.hasOwn(titles, code) ? titles[code] : undefined);
