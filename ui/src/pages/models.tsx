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
import { compact } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { useWords, words } from "../words";

type Entry = Schemas["CatalogueModel"] & { framework: string };

/** Everything that can be trained, of every framework. */
export function ModelsPage() {
  const t = useWords();
  useTitle(t.models.title);
  const { q = "", here } = useSearch({ from: "/inside/models" });
  const navigate = useNavigate({ from: "/models" });
  const models = $api.useQuery("get", "/api/v1/models", {}, { refetchInterval: 15_000 });
  const found = useMemo(() => search(models.data?.items ?? [], q, here), [models.data, q, here]);
  const known = models.data?.items.flatMap((f) => f.models).length ?? 0;
  return (
    <div className="stack-l">
      <h1>{t.models.title}</h1>
      {models.isPending && <Skeleton height={400} label={t.models.loading} />}
      {models.isError && <Failure error={models.error} retry={() => void models.refetch()} />}
      {models.data && (
        <>
          <Frameworks frameworks={models.data.items} />
          {known > 0 && (
            <>
              <div className="models-bar">
                <TextInput
                  aria-label={t.models.search}
                  placeholder={t.models.searchHelp}
                  type="search"
                  defaultValue={q}
                  onChange={(e) => {
                    const typed = e.currentTarget.value;
                    void navigate({ search: (old) => ({ ...old, q: typed || undefined }), replace: true, resetScroll: false });
                  }}
                />
                <Switch label={t.models.weightsHere} checked={here ?? false} onChange={(e) => void navigate({ search: { q: q || undefined, here: e.currentTarget.checked || undefined }, replace: true, resetScroll: false })} />
                <span className="dim small" role="status">
                  {t.count.models({ n: found.length })}
                </span>
              </div>
              <p className="dim small">{t.models.weightsHelp}</p>
            </>
          )}
          {found.length > 0 ? (
            <Catalogue entries={found} />
          ) : (
            <Empty title={known > 0 ? t.models.none : t.models.noneYet}>
              <p>{known > 0 ? t.models.noneHelp : t.models.noneYetHelp}</p>
            </Empty>
          )}
        </>
      )}
    </div>
  );
}

function Catalogue({ entries }: { entries: Entry[] }) {
  const t = useWords();
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const narrow = matchMedia("(max-width: 820px)").matches;
  const rows = useWindowVirtualizer({ count: entries.length, estimateSize: () => (narrow ? 56 : 44), overscan: 10, scrollMargin: top });
  useLayoutEffect(() => setTop((box.current?.getBoundingClientRect().top ?? 0) + scrollY), []);
  return (
    <div className="panel flush">
      <div className="model-head" aria-hidden="true">
        <span>{t.model}</span>
        <span>{t.task}</span>
        <span className="num">{t.models.parameters}</span>
        <span className="num">{t.models.input}</span>
        <span>{t.models.licence}</span>
        <span>{t.models.weights}</span>
      </div>
      <div ref={box} className="models" role="list" aria-label={t.models.title} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => {
          const model = entries[row.index]!;
          return (
            <div key={row.key} role="listitem">
              <Link to="/train" search={{ framework: model.framework, model: model.name } as never} className="model-row" style={{ transform: `translateY(${row.start - top}px)` }}>
                <span className="clip">
                  {model.name} {model.recommended && <Star size={13} className="star" aria-label={t.models.recommended} />}
                  <span className="dim"> · {model.framework}</span>
                </span>
                <span className="clip dim">{tasksOf(model).join(", ")}</span>
                <span className="num">{model.parameters ? compact(model.parameters) : "–"}</span>
                <span className="num">{model.input_size ? t.unit.pixels({ n: model.input_size }) : "–"}</span>
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
  const wanted = q.toLowerCase().split(/\s+/).filter(Boolean);
  return frameworks
    .flatMap((f) => f.models.map((m) => ({ ...m, framework: f.framework })))
    .filter((m) => !here || m.weights_offline)
    .filter((m) => wanted.every((word) => `${m.name} ${m.framework} ${m.tasks.join(" ")} ${tasksOf(m).join(" ")}`.toLowerCase().includes(word)))
    .toSorted((a, b) => Number(b.recommended) - Number(a.recommended));
}

const tasksOf = (model: Schemas["CatalogueModel"]): string[] => model.tasks.map((task) => words().tasks[task]);

function weights(model: Entry): string {
  const t = words();
  return model.weights_offline ? t.models.here : model.pretrained ? t.models.byDownload : t.fromScratch;
}
