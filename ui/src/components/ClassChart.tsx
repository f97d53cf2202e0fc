import "./ClassChart.css";
import type { Schemas } from "../api/client";
import { count } from "../lib/format";
import { useWords } from "../words";

/** Images of each class, training beside validation. A bar is also the filter for its class. */
export function ClassChart({ classes, chosen, onChoose }: { classes: Schemas["ClassCount"][]; chosen: string | undefined; onChoose: (name: string | undefined) => void }) {
  const t = useWords();
  const most = Math.max(1, ...classes.map((c) => c.total));
  return (
    <div className="classes">
      {classes.map((c) => (
        <button
          key={c.name}
          type="button"
          className="class-row"
          aria-pressed={c.name === chosen}
          onClick={() => onChoose(c.name === chosen ? undefined : c.name)}
        >
          <span className="clip" title={c.name}>
            {c.name}
            <span className="visually-hidden">{t.datasetPage.inSplits({ train: c.train, val: c.val })}</span>
          </span>
          <span className="class-bar">
            {c.train > 0 && <i className="t" style={{ width: `${(100 * c.train) / most}%` }} />}
            {c.val > 0 && <i className="v" style={{ width: `${(100 * c.val) / most}%` }} />}
          </span>
          <span className="num">{count(c.total)}</span>
        </button>
      ))}
    </div>
  );
}

export function SplitKey() {
  const t = useWords();
  return (
    <span className="key">
      <span>
        <i className="t" />
        {t.splits.train}
      </span>
      <span>
        <i className="v" />
        {t.splits.val}
      </span>
    </span>
  );
}
