import "./ConfusionMatrix.css";
import { useRef, useState, type KeyboardEvent } from "react";
import { count, percent } from "../lib/format";
import { useWords } from "../words";

const STRONGEST = 0.45;
const LARGEST = 60;
const PAIRS = 50;

export type Cell = { truth: string; predicted: string };
type Props = { matrix: number[][]; classes: string[]; shares: boolean; chosen: Cell | null; onChoose: (cell: Cell) => void };

/**
 * Rows are the true classes, columns the predicted ones; the shade is the share of the row. A cell opens its images; one
 * of them is in the order of the tab key, and the arrow keys move among them.
 */
export function ConfusionMatrix(props: Props) {
  return props.classes.length > LARGEST ? <MostConfused {...props} /> : <Matrix {...props} />;
}

function Matrix({ matrix, classes, shares, chosen, onChoose }: Props) {
  const t = useWords().results;
  const [[row, column], setPlace] = useState<[number, number]>([0, 0]);
  const body = useRef<HTMLTableSectionElement>(null);
  const move = (event: KeyboardEvent): void => {
    const by = MOVES[event.key];
    if (!by) return;
    event.preventDefault();
    const most = classes.length - 1;
    const [i, j] = [Math.min(most, Math.max(0, row + by[0])), Math.min(most, Math.max(0, column + by[1]))];
    setPlace([i, j]);
    body.current?.rows[i]?.cells[j + 1]?.querySelector("button")?.focus();
  };
  return (
    <div className="table-scroll" role="region" aria-label={t.matrix}>
      <table className="matrix">
        <caption className="visually-hidden">{t.caption}</caption>
        <thead>
          <tr>
            <th scope="col">{t.corner}</th>
            {classes.map((name) => (
              <th key={name} scope="col" title={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {matrix.map((cells, i) => {
            const total = cells.reduce((a, b) => a + b, 0) || 1;
            return (
              <tr key={classes[i]}>
                <th scope="row" title={classes[i]}>
                  {classes[i]}
                </th>
                {cells.map((n, j) => {
                  const cell = { truth: classes[i] ?? "", predicted: classes[j] ?? "" };
                  const says = t.cell({ ...cell, n, total });
                  return (
                    <td key={classes[j]} data-zero={n === 0} data-right={i === j} style={n > 0 ? { background: shade(n / total, i === j) } : undefined}>
                      <button
                        type="button"
                        title={says}
                        aria-label={says}
                        aria-pressed={chosen?.truth === cell.truth && chosen.predicted === cell.predicted}
                        tabIndex={i === row && j === column ? 0 : -1}
                        onFocus={() => setPlace([i, j])}
                        onKeyDown={move}
                        onClick={() => onChoose(cell)}
                      >
                        {shares ? percent((100 * n) / total) : n}
                      </button>
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const MOVES: Record<string, [rows: number, columns: number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

const shade = (share: number, right: boolean): string =>
  right ? `rgba(var(--heat), ${0.08 + STRONGEST * share})` : `color-mix(in srgb, var(--lamp) ${Math.round(25 + 60 * share)}%, var(--surface))`;

/** In place of a matrix that is too large to read. */
function MostConfused({ matrix, classes, onChoose }: Props) {
  const t = useWords().results;
  const pairs = matrix
    .flatMap((cells, i) => cells.map((n, j) => ({ truth: classes[i] ?? "", predicted: classes[j] ?? "", n, share: n / (cells.reduce((a, b) => a + b, 0) || 1), right: i === j })))
    .filter((pair) => pair.n > 0 && !pair.right)
    .toSorted((a, b) => b.n - a.n || b.share - a.share)
    .slice(0, PAIRS);
  return (
    <div className="stack">
      <p className="dim small">{t.tooLarge({ n: classes.length })}</p>
      {pairs.length === 0 ? (
        <p>{t.noConfusion}</p>
      ) : (
        <div className="table-scroll" tabIndex={0} role="region" aria-label={t.confusions}>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t.truth}</th>
                <th scope="col">{t.predicted}</th>
                <th scope="col" className="num">
                  {t.images}
                </th>
              </tr>
            </thead>
            <tbody>
              {pairs.map((pair) => (
                <tr key={`${pair.truth} ${pair.predicted}`}>
                  <td className="break">
                    <button type="button" className="linked" onClick={() => onChoose(pair)}>
                      {pair.truth}
                    </button>
                  </td>
                  <td className="break">{pair.predicted}</td>
                  <td className="num">
                    {count(pair.n)} ({percent(100 * pair.share)})
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
