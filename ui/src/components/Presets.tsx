import type { Schemas } from "../api/client";
import { presetOf, resetOf, sentence, type Config, type Field } from "../lib/schema";
import { useWords } from "../words";

type Props = { fields: Field[]; presets: Schemas["Framework"]["presets"]; config: Config; onChange: (config: Config) => void };

/** The configurations that a framework offers ready-made, its defaults first. */
export function Presets({ fields, presets, config, onChange }: Props) {
  const t = useWords().train;
  const active = presetOf(fields, presets, config);
  const names = ["", ...Object.keys(presets)];
  return (
    <div className="chips" role="radiogroup" aria-label={t.preset}>
      {names.map((name) => (
        <button key={name} type="button" role="radio" className="chip" aria-checked={active === name} onClick={() => onChange({ ...resetOf(fields, config), ...presets[name] })}>
          {name === "" ? t.defaults : sentence(name)}
        </button>
      ))}
    </div>
  );
}
