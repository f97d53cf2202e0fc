/** Which languages there are, which one a browser prefers, and how its numbers are written. */

/** Each by the name it has for itself. */
export const LANGUAGES = { en: "English", ko: "한국어" };
export type Language = keyof typeof LANGUAGES;

const KEY = "visionai-language";

const known = (tag: string | null): Language | undefined => (Object.keys(LANGUAGES) as Language[]).find((l) => l === tag?.split("-")[0]);

/** What was chosen here, else the first of the browser's languages that there is. */
export const preferred = (): Language => known(localStorage.getItem(KEY)) ?? navigator.languages.map(known).find(Boolean) ?? "en";

export const remember = (language: Language): void => localStorage.setItem(KEY, language);

let current = "en";

/** The language in the variety that the browser asks for (en-GB): this decides how dates and numbers are written. */
export const locale = (): string => current;

export function setLocale(language: Language): void {
  current = navigator.languages.find((tag) => known(tag) === language) ?? language;
}

/** 1797 → "1,797". */
export const number = (n: number, options?: Intl.NumberFormatOptions): string => n.toLocaleString(current, options);
