import "../pages/gate.css";
import "../styles/fields.css";
import type { ReactNode } from "react";
import { useWords } from "../words";
import { LanguageSwitch } from "./LanguageSwitch";
import { Mark } from "./Mark";

/** One handwritten digit as the demo's data set has it: 8 × 8 shades. */
const DIGIT = ["00122100", "02300310", "00000320", "00123200", "00001310", "00000130", "01100230", "00233210"];

/** The frame of the two pages one sees before being let in. */
export function Gate({ children }: { children: ReactNode }) {
  const t = useWords();
  return (
    <main className="gate">
      <div className="gate-side" aria-hidden="true">
        <span className="brand">
          <Mark />
          VisionAI
        </span>
        <div className="gate-sheet">
          {[...DIGIT.join("")].map((shade, i) => (
            // oxlint-disable-next-line react/no-array-index-key -- a fixed picture: its places are its identity
            <i key={i} data-shade={shade} />
          ))}
        </div>
        <p>{t.slogan}</p>
      </div>
      <div className="gate-form">
        <div className="stack">
          <span className="brand gate-brand">
            <Mark />
            VisionAI
          </span>
          {children}
          <LanguageSwitch />
        </div>
      </div>
    </main>
  );
}
