import { chooseLanguage, useWords } from "../words";
import { LANGUAGES, type Language } from "../words/locale";

/** Without a connection the language stays as it is; the strip at the top says why. */
const change = (language: Language): void => void chooseLanguage(language).catch(() => null);

/** The languages by the names they have for themselves, so that one finds one's own in any. */
export function LanguageSwitch() {
  const t = useWords();
  return (
    <div className="chips" role="group" aria-label={t.shell.language}>
      {(Object.keys(LANGUAGES) as Language[]).map((language) => (
        <button key={language} type="button" className="chip" lang={language} aria-pressed={language === t.language} onClick={() => change(language)}>
          {LANGUAGES[language]}
        </button>
      ))}
    </div>
  );
}
