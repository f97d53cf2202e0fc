import { useQuery } from "@tanstack/react-query";
import { ENDED, type Schemas } from "../api/client";
import { count, metric } from "../lib/format";
import { jobQueries } from "../live/use-job";
import { ConfusionMatrix } from "./ConfusionMatrix";
import { Empty, Failure, Skeleton } from "./states";

/** How good the best epoch is, class by class. */
export function JobResults({ job }: { job: Schemas["Job"] }) {
  const validation = useQuery({ ...jobQueries.validation(job.id), enabled: job.best !== null });
  if (!job.best)
    return ENDED.includes(job.state) ? (
      <Empty title="No validation">
        <p>It ended before its model was tried on the validation images.</p>
      </Empty>
    ) : (
      <Empty title="No validation yet">
        <p>After each epoch the model is tried on images it was not trained on; the best of these trials stands here.</p>
      </Empty>
    );
  if (validation.isError) return <Failure error={validation.error} retry={() => void validation.refetch()} />;
  if (!validation.data) return <Skeleton height={360} label="Loading the results" />;
  const { per_class, confusion_matrix, classes, epoch } = validation.data;
  return (
    <div className="job-results">
      {per_class.length > 0 && (
        <section className="panel" aria-label="Classes">
          <div className="panel-title">
            <h2>Classes</h2>
            <span className="small dim">epoch {epoch}, the best</span>
          </div>
          <div className="table-scroll" tabIndex={0} role="region" aria-label="Table of classes">
            <table className="table">
              <thead>
                <tr>
                  <th scope="col">Class</th>
                  <th scope="col" className="num">
                    Precision
                  </th>
                  <th scope="col" className="num">
                    Recall
                  </th>
                  <th scope="col" className="num">
                    Images
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
        <section className="panel" aria-label="Confusions">
          <div className="panel-title">
            <h2>Confusion matrix</h2>
            <span className="small dim">rows: true, columns: predicted</span>
          </div>
          <ConfusionMatrix matrix={confusion_matrix} classes={classes} />
        </section>
      )}
    </div>
  );
}
