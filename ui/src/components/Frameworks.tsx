import "./Frameworks.css";
import type { Schemas } from "../api/client";
import { count } from "../lib/format";
import { Badge, type Tone } from "./states";

const TONES: Record<Schemas["Framework"]["status"], Tone> = { ready: "good", installing: "live", absent: "off", error: "bad" };

/** Which frameworks can train now; of the others, why not and what to do. */
export function Frameworks({ frameworks }: { frameworks: Schemas["Framework"][] }) {
  return (
    <section className="panel" aria-label="Frameworks">
      <div className="panel-title">
        <h2>Frameworks</h2>
      </div>
      <ul className="frameworks">
        {frameworks.map((f) => (
          <li key={f.framework} className="framework">
            <span>
              <strong>{f.framework}</strong> {f.version && <span className="dim small">{f.version}</span>}
            </span>
            <Badge tone={TONES[f.status]}>{f.status}</Badge>
            <p className="why small dim">{f.status === "ready" ? `${count(f.models.length)} models` : f.message}</p>
            {f.status === "absent" && (
              <p className="why small">
                <code>{f.install_command}</code>
              </p>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
