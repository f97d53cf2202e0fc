import "./SchemaForm.css";
import { Input, SegmentedControl, Select, Switch, TextInput } from "@mantine/core";
import { useId, useState } from "react";
import { differences, faultOf, parse, sentence, written, type Config, type Field } from "../lib/schema";
import { useWords } from "../words";

type Props = {
  fields: Field[];
  value: Config;
  onChange: (value: Config) => void;
  /** What the server said of fields, by name. */
  errors?: Record<string, string>;
  /** Whether the first group, too, is only opened for what was changed in it. */
  closed?: boolean;
};

/** Where a field's input is, so that one can be led to it. */
export const fieldId = (name: string): string => `field-${name}`;

/** A framework's hyperparameters, in the groups its schema names. What differs from the default is marked. */
export function SchemaForm({ fields, value, onChange, errors = {}, closed = false }: Props) {
  const t = useWords().form;
  const changed = differences(fields, value);
  const groups = [...new Set(fields.map((f) => f.group))];
  return groups.map((group, i) => {
    const members = fields.filter((f) => f.group === group);
    const count = members.filter((f) => f.name in changed).length;
    const open = (i === 0 && !closed) || count > 0 || members.some((f) => errors[f.name] || faultOf(f, value[f.name]));
    return (
      <details key={group} className="schema-group" open={open || undefined}>
        <summary>
          {group} {count > 0 && <span className="small dim">· {t.changed({ n: count })}</span>}
        </summary>
        <div className="schema-fields">
          {members.map((field) => (
            <div key={field.name} className="schema-field" data-changed={field.name in changed}>
              <Control field={field} value={value[field.name]} error={errors[field.name]} onChange={(v) => onChange({ ...value, [field.name]: v })} />
            </div>
          ))}
        </div>
      </details>
    );
  });
}

type ControlProps = { field: Field; value: unknown; error: string | undefined; onChange: (value: unknown) => void };

function Control({ field, value, error, onChange }: ControlProps) {
  const common = { label: field.title, description: field.description, error: error ?? faultOf(field, value), withAsterisk: field.needed };
  if (field.kind === "switch") return <Switch label={field.title} description={field.description} error={error} checked={Boolean(value)} onChange={(e) => onChange(e.currentTarget.checked)} />;
  if (field.kind === "tristate") return <Tristate field={field} value={value} error={error} onChange={onChange} />;
  if (field.kind !== "choice") return <Typed field={field} value={value} error={error} onChange={onChange} />;
  return (
    <Select
      {...common}
      id={fieldId(field.name)}
      data={field.choices.map((c) => ({ value: String(c), label: sentence(String(c)) }))}
      value={value === null || value === undefined ? null : String(value)}
      clearable={field.optional}
      allowDeselect={field.optional}
      onChange={(chosen) => onChange(field.choices.find((c) => String(c) === chosen) ?? null)}
    />
  );
}

function Tristate({ field, value, error, onChange }: ControlProps) {
  const t = useWords().form;
  const label = useId();
  const ways = [
    ...(field.optional ? [{ value: "null", label: t.chooseAutomatic }] : []),
    { value: "true", label: t.chooseYes },
    { value: "false", label: t.chooseNo },
  ];
  return (
    <Input.Wrapper label={field.title} description={field.description} error={error ?? faultOf(field, value)} withAsterisk={field.needed} labelElement="div" labelProps={{ id: label }}>
      <SegmentedControl id={fieldId(field.name)} fullWidth size="sm" mt={4} aria-labelledby={label} data={ways} value={String(value ?? null)} onChange={(chosen) => onChange(JSON.parse(chosen))} />
    </Input.Wrapper>
  );
}

/** Numbers are typed as people write them ("1e-4" too), so the text is kept until it means something else. */
function Typed({ field, value, error, onChange }: ControlProps) {
  const [text, setText] = useState(written(value));
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    setText(written(value));
  }
  const type = (typed: string): void => {
    const meant = faultOf(field, typed) ? typed : parse(field, typed);
    setText(typed);
    setSeen(meant);
    onChange(meant);
  };
  return (
    <TextInput
      id={fieldId(field.name)}
      label={field.title}
      description={field.description}
      error={faultOf(field, value) ?? error}
      withAsterisk={field.needed}
      aria-required={field.needed || undefined}
      inputMode={field.kind === "integer" ? "numeric" : field.kind === "number" ? "decimal" : "text"}
      placeholder={field.optional ? field.empty : ""}
      value={text}
      onChange={(e) => type(e.currentTarget.value)}
    />
  );
}
