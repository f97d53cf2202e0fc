import "./ConfusionMatrix.css";
import { count } from "../lib/format";

const STRONGEST = 0.45;
const LARGEST = 60;

/** Rows are the true classes, columns the predicted ones; the shade is the share of the row. */
export function ConfusionMatrix({ matrix, classes }: { matrix: number[][]; classes: string[] }) {
  if (classes.length > LARGEST) return <p className="dim">With {count(classes.length)} classes the matrix is too large to show: the table has what matters.</p>;
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Confusion matrix">
      <table className="matrix">
        <caption className="visually-hidden">Rows are true classes, columns predicted ones.</caption>
        <thead>
          <tr>
            <th scope="col">true \ predicted</th>
            {classes.map((name) => (
              <th key={name} scope="col" title={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {matrix.map((row, i) => {
            const total = row.reduce((a, b) => a + b, 0) || 1;
            return (
              <tr key={classes[i]}>
                <th scope="row" title={classes[i]}>
                  {classes[i]}
                </th>
                {row.map((n, j) => (
                  <td
                    key={classes[j]}
                    data-zero={n === 0}
                    data-right={i === j}
                    title={`${classes[i]} predicted as ${classes[j]}: ${n} of ${total}`}
                    style={n > 0 ? { background: i === j ? `rgba(var(--heat), ${0.08 + STRONGEST * (n / total)})` : `color-mix(in srgb, var(--lamp) ${Math.round(25 + 60 * (n / total))}%, var(--surface))` } : undefined}
                  >
                    {n}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
