import "./Estimate.css";
import { useQuery } from "@tanstack/react-query";
import { api, unwrap, type Schemas } from "../api/client";
import { roughly } from "../lib/estimate";
import { duration } from "../lib/format";
import { useSettled } from "../lib/hooks";
import { useWords } from "../words";

const REST_MS = 400;
const MOMENT_SECONDS = 1;

/** About how long what would be started takes, and when it would begin. What cannot be said holds up nothing. */
export function Estimate({ body }: { body: Schemas["NewJob"] | null }) {
  const t = useWords().estimate;
  const asked = useSettled(JSON.stringify(body), REST_MS);
  const answer = useQuery({
    queryKey: ["estimate", asked],
    queryFn: () => unwrap(api.POST("/api/v1/training/jobs/estimate", { body: JSON.parse(asked) as Schemas["NewJob"] })),
    enabled: asked !== "null",
    placeholderData: (earlier) => earlier,
    retry: false,
  });
  const { data } = answer;
  if (body === null || answer.isError) return null;
  return (
    <section className="estimate small" aria-label={t.title} aria-live="polite" aria-busy={data === undefined} data-old={answer.isPlaceholderData}>
      <p>{data === undefined ? t.asking : data.seconds && data.based_on ? <Long seconds={data.seconds} of={data.based_on} body={body} /> : <span className="dim">{t.nothing}</span>}</p>
      {data?.will_be_stopped && <p className="bad">{t.stopped}</p>}
      {data?.starts_in_seconds != null && data.starts_in_seconds > MOMENT_SECONDS && <p className="dim">{t.waits({ time: duration(data.starts_in_seconds) })}</p>}
    </section>
  );
}

function Long({ seconds, of, body }: { seconds: Schemas["Span"]; of: Schemas["Basis"]; body: Schemas["NewJob"] }) {
  const t = useWords().estimate;
  const { likely, range } = roughly(seconds);
  const n = of.job_ids.length;
  return (
    <>
      <strong>{t.about({ likely, range })}</strong>
      <span className="dim">, {of.what === "model" ? t.ofModel({ n, model: body.model_name }) : t.ofFramework({ n, framework: body.framework })}</span>
    </>
  );
}
