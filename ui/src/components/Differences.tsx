import { Button } from "@mantine/core";
import { Fragment } from "react";
import { said, type Config, type Field } from "../lib/schema";
import { useWords } from "../words";

type Props = {
  fields: Field[];
  /** What differs from the defaults. */
  changed: Config;
  onReset: () => void;
  /** The job that it is trained again after: what differs from it, and what it had. */
  parent?: { changed: Config; had: Config; facts: Fact[] } | undefined;
};
type Fact = { title: string; value: string; was: string };

/** What a configuration changes of the defaults; and of an earlier job, where it comes from one. */
export function Differences({ fields, changed, onReset, parent }: Props) {
  const t = useWords().form;
  const facts = fields.filter((f) => f.name in changed).map((f) => factOf(f, changed[f.name], f.default));
  const since = parent && [...parent.facts, ...fields.filter((f) => f.name in parent.changed).map((f) => factOf(f, parent.changed[f.name], f.name in parent.had ? parent.had[f.name] : f.default))];
  return (
    <>
      {since && (
        <section className="stack-s" aria-label={t.differentFromParent}>
          <h3>{t.differentFromParent}</h3>
          {since.length === 0 ? <p className="small dim">{t.sameAsParent}</p> : <Facts facts={since} say={t.had} />}
        </section>
      )}
      {facts.length === 0 ? (
        <p className="small dim">{t.allDefault}</p>
      ) : (
        <section className="stack-s" aria-label={t.different}>
          <div className="row between">
            <h3>{t.different}</h3>
            <Button size="compact-xs" variant="subtle" onClick={onReset}>
              {t.reset}
            </Button>
          </div>
          <Facts facts={facts} say={t.was} />
        </section>
      )}
    </>
  );
}

function factOf(field: Field, value: unknown, was: unknown): Fact {
  const say = (given: unknown): string => (given === null || given === undefined ? field.empty : said(given));
  return { title: field.title, value: say(value), was: say(was) };
}

function Facts({ facts, say }: { facts: Fact[]; say: (before: { value: string }) => string }) {
  return (
    <dl className="facts">
      {facts.map(({ title, value, was }) => (
        <Fragment key={title}>
          <dt>{title}</dt>
          <dd>
            <strong>{value}</strong> <span className="dim">{say({ value: was })}</span>
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}
