import { useQuery } from "@tanstack/react-query";
import { ENDED, type Schemas } from "../api/client";
import { count, metric } from "../lib/format";
import { jobQueries } from "../live/use-job";
import { useWords } from "../words";
import { ConfusionMatrix } from "./ConfusionMatrix";
import { Empty, Failure, Skeleton } from "./states";

/** How good the best epoch is, class by class. */
export function JobResults({ job }: { job: Schemas["Job"] }) {
  const t = useWords().results;
  const validation = useQuery({ ...jobQueries.validation(job.id), enabled: job.best !== null });
  if (!job.best)
    return ENDED.includes(job.state) ? (
      <Empty title={t.none}>
        <p>{t.noneHelp}</p>
      </Empty>
    ) : (
      <Empty title={t.noneYet}>
        <p>{t.noneYetHelp}</p>
      </Empty>
    );
  if (validation.isError) return <Failure error={validation.error} retry={() => void validation.refetch()} />;
  if (!validation.data) return <Skeleton height={360} label={t.loading} />;
  const { per_class, confusion_matrix, classes, epoch } = validation.data;
  return (
    <div className="job-results">
      {per_class.length > 0 && (
        <section className="panel" aria-label={t.classes}>
          <div className="panel-title">
            <h2>{t.classes}</h2>
            <span className="small dim">{t.ofEpoch({ n: epoch })}</span>
          </div>
          <div className="table-scroll" tabIndex={0} role="region" aria-label={t.tableOfClasses}>
            <table className="table">
              <thead>
                <tr>
                  <th scope="col">{t.class}</th>
                  <th scope="col" className="num">
                    {t.precision}
                  </th>
                  <th scope="col" className="num">
                    {t.recall}
                  </th>
                  <th scope="col" className="num">
                    {t.images}
                  </th>
                </tr>
              </thead>
              <tbody>
                {per_class.map((c) => (
                  <tr key={c.class}>
                    <td className="break">{c.class}</td>
                    <td className="num">{metric("precision", c.precision)}</td>
                    <td className="num">{metric("recall", c.recall)}</td>
                    <td className="num">{c.support === null || c.support === undefined ? "–" : count(c.support)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      {confusion_matrix && (
        <section className="panel" aria-label={t.confusions}>
          <div className="panel-title">
            <h2>{t.matrix}</h2>
            <span className="small dim">{t.axes}</span>
          </div>
          <ConfusionMatrix matrix={confusion_matrix} classes={classes} />
        </section>
      )}
    </div>
  );
}
