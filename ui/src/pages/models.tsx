import "./models.css";
import "../styles/fields.css";
import { Switch, TextInput } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { Star } from "lucide-react";
import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { $api, type Schemas } from "../api/client";
import { Frameworks } from "../components/Frameworks";
import { Empty, Failure, Skeleton } from "../components/states";
import { compact, plural } from "../lib/format";
import { useTitle } from "../lib/hooks";

type Entry = Schemas["CatalogueModel"] & { framework: string };

/** Everything that can be trained, of every framework. */
export function ModelsPage() {
  useTitle("Models");
  const { q = "", here } = useSearch({ from: "/inside/models" });
  const navigate = useNavigate({ from: "/models" });
  const models = $api.useQuery("get", "/api/v1/models", {}, { refetchInterval: 15_000 });
  const found = useMemo(() => search(models.data?.items ?? [], q, here), [models.data, q, here]);
  return (
    <div className="stack-l">
      <h1>Models</h1>
      {models.isPending && <Skeleton height={400} label="Loading the catalogue" />}
      {models.isError && <Failure error={models.error} retry={() => void models.refetch()} />}
      {models.data && (
        <>
          <Frameworks frameworks={models.data.items} />
          <div className="models-bar">
            <TextInput
              aria-label="Search"
              placeholder="Search by name, framework or task"
              type="search"
              defaultValue={q}
              onChange={(e) => {
                const typed = e.currentTarget.value;
                void navigate({ search: (old) => ({ ...old, q: typed || undefined }), replace: true, resetScroll: false });
              }}
            />
            <Switch label="Weights are here" checked={here ?? false} onChange={(e) => void navigate({ search: { q: q || undefined, here: e.currentTarget.checked || undefined }, replace: true, resetScroll: false })} />
            <span className="dim small" role="status">
              {plural(found.length, "model")}
            </span>
          </div>
          <p className="dim small">Weights are where a training starts from. “By download”: they are fetched when one is started, if the server allows downloads (ALLOW_DOWNLOADS); otherwise it starts from scratch.</p>
          {found.length === 0 ? <Empty title="No model like that" /> : <Catalogue entries={found} />}
        </>
      )}
    </div>
  );
}

function Catalogue({ entries }: { entries: Entry[] }) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const narrow = matchMedia("(max-width: 820px)").matches;
  const rows = useWindowVirtualizer({ count: entries.length, estimateSize: () => (narrow ? 56 : 44), overscan: 10, scrollMargin: top });
  useLayoutEffect(() => setTop((box.current?.getBoundingClientRect().top ?? 0) + scrollY), []);
  return (
    <div className="panel flush">
      <div className="model-head" aria-hidden="true">
        <span>Model</span>
        <span>Task</span>
        <span className="num">Parameters</span>
        <span className="num">Input</span>
        <span>Licence</span>
        <span>Weights</span>
      </div>
      <div ref={box} className="models" role="list" aria-label="Models" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => {
          const model = entries[row.index]!;
          return (
            <div key={row.key} role="listitem">
              <Link to="/train" search={{ framework: model.framework, model: model.name } as never} className="model-row" style={{ transform: `translateY(${row.start - top}px)` }}>
                <span className="clip">
                  {model.name} {model.recommended && <Star size={13} className="star" aria-label="recommended" />}
                  <span className="dim"> · {model.framework}</span>
                </span>
                <span className="clip dim">{model.tasks.join(", ").replaceAll("_", " ")}</span>
                <span className="num">{model.parameters ? compact(model.parameters) : "–"}</span>
                <span className="num">{model.input_size ? `${model.input_size} px` : "–"}</span>
                <span className="clip dim">{model.licence ?? "–"}</span>
                <span className="dim">{weights(model)}</span>
              </Link>
            </div>
          );
        })}
      </div>
    </div>
  );
}

function search(frameworks: Schemas["Framework"][], q: string, here: boolean | undefined): Entry[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return frameworks
    .flatMap((f) => f.models.map((m) => ({ ...m, framework: f.framework })))
    .filter((m) => !here || m.weights_offline)
    .filter((m) => words.every((word) => `${m.name} ${m.framework} ${m.tasks.join(" ")}`.toLowerCase().includes(word)))
    .toSorted((a, b) => Number(b.recommended) - Number(a.recommended));
}

const weights = (model: Entry): string => (model.weights_offline ? "here" : model.pretrained ? "by download" : "from scratch");
