import { useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp } from "lucide-react";
import { ENDED, type Schemas } from "../api/client";
import { count, metric } from "../lib/format";
import { CLASS_COLUMNS } from "../lib/job-search";
import { nextOrder, sortClasses } from "../lib/sort-classes";
import { useJobSearch } from "../lib/use-job-search";
import { jobQueries } from "../live/use-job";
import { useWords } from "../words";
import { ConfusionMatrix } from "./ConfusionMatrix";
import { PredictionImages } from "./PredictionImages";
import { Empty, Failure, Skeleton } from "./states";

/** How good the best epoch is, class by class. */
export function JobResults({ job }: { job: Schemas["Job"] }) {
  const t = useWords().results;
  const [search, change] = useJobSearch();
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
  if (per_class.length === 0 && !confusion_matrix)
    return (
      <Empty title={t.onlyNumbers}>
        <p>{t.onlyNumbersHelp}</p>
      </Empty>
    );
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
                  {CLASS_COLUMNS.map((column) => (
                    <th key={column} scope="col" className={column === "class" ? undefined : "num"} aria-sort={search.sort === column ? (search.down ? "descending" : "ascending") : "none"}>
                      <button type="button" className="sorter" onClick={() => change(nextOrder(column, search.sort, search.down === true))}>
                        {t[column]}
                        {search.sort === column && (search.down ? <ArrowDown size={13} aria-hidden /> : <ArrowUp size={13} aria-hidden />)}
                      </button>
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {sortClasses(per_class, search.sort, search.down === true).map((c) => (
                  <tr key={c.class}>
                    <td className="break">
                      <button type="button" className="linked" onClick={() => change({ true: c.class, predicted: undefined })}>
                        {c.class}
                      </button>
                    </td>
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
          <div className="chips results-numbers" role="group" aria-label={t.numbers}>
            <button type="button" className="chip" aria-pressed={!search.share} onClick={() => change({ share: undefined })}>
              {t.counts}
            </button>
            <button type="button" className="chip" aria-pressed={search.share === true} onClick={() => change({ share: true })}>
              {t.shares}
            </button>
          </div>
          <ConfusionMatrix
            matrix={confusion_matrix}
            classes={classes}
            shares={search.share === true}
            chosen={search.true !== undefined && search.predicted !== undefined ? { truth: search.true, predicted: search.predicted } : null}
            onChoose={(cell) => change({ true: cell.truth, predicted: cell.predicted })}
          />
        </section>
      )}
      {search.true !== undefined && (
        <PredictionImages jobId={job.id} epoch={epoch} truth={search.true} predicted={search.predicted} onClose={() => change({ true: undefined, predicted: undefined })} />
      )}
    </div>
  );
}
