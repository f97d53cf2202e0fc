import { faultOf, type Config, type Field } from "../lib/schema";
import { useWords } from "../words";
import { fieldId } from "./SchemaForm";

/** Why a training cannot be started yet. A field that is wrong can be gone to from here, in a closed section too. */
export function Obstacles({ missing, fields, config }: { missing: string[]; fields: Field[]; config: Config }) {
  const t = useWords().train;
  const wrong = fields.filter((f) => faultOf(f, config[f.name]));
  if (missing.length + wrong.length === 0) return null;
  return (
    <ul className="small bad stack-s" aria-label={t.missing}>
      {missing.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
      {wrong.map((f) => (
        <li key={f.name}>
          <button type="button" className="linked" onClick={() => goTo(f.name)}>
            {f.title}
          </button>
          : {faultOf(f, config[f.name])}
        </li>
      ))}
    </ul>
  );
}

function goTo(field: string): void {
  const found = document.getElementById(fieldId(field));
  const input = found?.matches("input") ? found : found?.querySelector("input");
  const section = input?.closest("details");
  if (section) section.open = true;
  input?.focus();
}
