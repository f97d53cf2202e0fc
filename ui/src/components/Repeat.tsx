import { useState } from "react";
import type { Schemas } from "../api/client";
import { useCopied } from "../lib/hooks";
import { curlOf, pythonOf, TOKEN } from "../lib/repeat";
import { useWords } from "../words";

const WAYS = { curl: curlOf, Python: pythonOf };
type Way = keyof typeof WAYS;

/** The same job from a script: what to send, to be copied. */
export function Repeat({ job }: { job: Schemas["Job"] }) {
  const t = useWords().settings;
  const [way, setWay] = useState<Way>("curl");
  const [copied, copy] = useCopied();
  const text = WAYS[way](job, location.origin);
  return (
    <section className="panel wide" aria-label={t.repeat}>
      <div className="panel-title">
        <h2>{t.repeat}</h2>
      </div>
      <div className="stack">
        <p className="dim small">{t.repeatHelp({ name: <code>{TOKEN}</code> })}</p>
        <div className="row wrap between">
          <div className="chips">
            {(Object.keys(WAYS) as Way[]).map((each) => (
              <button key={each} type="button" className="chip" aria-pressed={way === each} onClick={() => setWay(each)}>
                {each}
              </button>
            ))}
          </div>
          <button type="button" className="chip" onClick={() => copy(way, text)}>
            {copied === way ? t.copied : t.copy}
          </button>
        </div>
        <pre className="repeat" tabIndex={0} role="region" aria-label={way}>
          {text}
        </pre>
      </div>
    </section>
  );
}
