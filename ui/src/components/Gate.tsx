import "../pages/gate.css";
import "../styles/fields.css";
import type { ReactNode } from "react";
import { Mark } from "./Mark";

/** A contact sheet with one digit picked out: what the product does, in 8 × 8, as the digits of the demo are. */
const SHEET = ["00111100", "01000010", "00000010", "00011100", "00000010", "00000010", "01000010", "00111100"];
const PICKED = new Set([10, 22, 34, 46]);

/** The frame of the two pages one sees before being let in. */
export function Gate({ children }: { children: ReactNode }) {
  return (
    <main className="gate">
      <div className="gate-side" aria-hidden="true">
        <span className="brand">
          <Mark />
          VisionAI
        </span>
        <div className="gate-sheet">
          {SHEET.join("")
            .split("")
            .map((on, i) => (
              // oxlint-disable-next-line react/no-array-index-key -- a fixed picture: its places are its identity
              <i key={i} data-on={PICKED.has(i) ? 2 : on} />
            ))}
        </div>
        <p>Say what to train. Watch it learn. Keep the model.</p>
      </div>
      <div className="gate-form">
        <div className="stack">
          <span className="brand gate-brand">
            <Mark />
            VisionAI
          </span>
          {children}
        </div>
      </div>
    </main>
  );
}
