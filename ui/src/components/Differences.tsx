import { Button } from "@mantine/core";
import { said, type Config, type Field } from "../lib/schema";
import { useWords } from "../words";

type Props = { fields: Field[]; changed: Config; onReset: () => void };

/** What a configuration changes of the defaults. */
export function Differences({ fields, changed, onReset }: Props) {
  const t = useWords().form;
  const named = fields.filter((f) => f.name in changed);
  if (named.length === 0) return <p className="small dim">{t.allDefault}</p>;
  return (
    <div className="stack-s">
      <div className="row between">
        <h3>{t.different}</h3>
        <Button size="compact-xs" variant="subtle" onClick={onReset}>
          {t.reset}
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

function Difference({ field, value }: { field: Field; value: unknown }) {
  const t = useWords().form;
  return (
    <>
      <dt>{field.title}</dt>
      <dd>
        <strong>{value === null ? field.empty : said(value)}</strong> <span className="dim">{t.was({ value: field.default === null ? field.empty : said(field.default) })}</span>
      </dd>
    </>
  );
}
