import { Button } from "@mantine/core";
import { said, type Config, type Field } from "../lib/schema";

type Props = { fields: Field[]; changed: Config; onReset: () => void };

/** What a configuration changes of the defaults. */
export function Differences({ fields, changed, onReset }: Props) {
  const named = fields.filter((f) => f.name in changed);
  if (named.length === 0) return <p className="small dim">Everything at its default.</p>;
  return (
    <div className="stack-s">
      <div className="row between">
        <h3>Different from the default</h3>
        <Button size="compact-xs" variant="subtle" onClick={onReset}>
          Reset
        </Button>
      </div>
      <dl className="facts">
        {named.map((f) => (
          <Difference key={f.name} field={f} value={changed[f.name]} />
        ))}
      </dl>
    </div>
  );
}

const Difference = ({ field, value }: { field: Field; value: unknown }) => (
  <>
    <dt>{field.title}</dt>
    <dd>
      <strong>{value === null ? field.empty : said(value)}</strong> <span className="dim">was {field.default === null ? field.empty : said(field.default)}</span>
    </dd>
  </>
);
