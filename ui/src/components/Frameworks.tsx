import "./Frameworks.css";
import type { Schemas } from "../api/client";
import { useWords } from "../words";
import { Badge, type Tone } from "./states";

const TONES: Record<Schemas["Framework"]["status"], Tone> = { ready: "good", installing: "live", absent: "off", error: "bad" };

/** Which frameworks can train now; of the others, why not and what to do. */
export function Frameworks({ frameworks }: { frameworks: Schemas["Framework"][] }) {
  const t = useWords();
  return (
    <section className="panel" aria-label={t.frameworks.title}>
      <div className="panel-title">
        <h2>{t.frameworks.title}</h2>
      </div>
      <ul className="frameworks">
        {frameworks.map((f) => (
          <li key={f.framework} className="framework">
            <span>
              <strong>{f.framework}</strong> {f.version && <span className="dim small">{f.version}</span>}
            </span>
            <Badge tone={TONES[f.status]}>{t.frameworkStates[f.status]}</Badge>
            <p className="why small dim">{f.status === "ready" ? t.count.models({ n: f.models.length }) : f.status === "absent" ? t.frameworks.install : f.message}</p>
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
