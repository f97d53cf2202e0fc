import "./ConfusionMatrix.css";
import { useWords } from "../words";

const STRONGEST = 0.45;
const LARGEST = 60;

/** Rows are the true classes, columns the predicted ones; the shade is the share of the row. */
export function ConfusionMatrix({ matrix, classes }: { matrix: number[][]; classes: string[] }) {
  const t = useWords().results;
  if (classes.length > LARGEST) return <p className="dim">{t.tooLarge({ n: classes.length })}</p>;
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={t.matrix}>
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
                    title={t.cell({ truth: classes[i] ?? "", predicted: classes[j] ?? "", n, total })}
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
