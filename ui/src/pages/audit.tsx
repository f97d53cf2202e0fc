import "./audit.css";
import "../styles/fields.css";
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronDown } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { $api, api, unwrap, type Schemas } from "../api/client";
import { useUser } from "../api/session";
import { ProjectChooser } from "../components/ProjectChooser";
import { Empty, Failure, Skeleton } from "../components/states";
import { auditQuery, details, KINDS, type AuditSearch, type Detail } from "../lib/audit";
import { save } from "../lib/download";
import { bytes, count, dateTime, duration } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { isAdmin, looksAfter } from "../lib/people";
import { useProjects } from "../lib/projects";
import { titled, useWords, type Words } from "../words";
import { useAdminWords, type AdminWords } from "../words/admin";

type Entry = Schemas["AuditEntry"];
type Choice = { value: string; label: string };

const PAGE = 100;
const MOST_PEOPLE = 200;

/** What people did: of admins all, of owners what was done in their projects. */
export function AuditPage() {
  const t = useAdminWords().audit;
  useTitle(t.title);
  const search = useSearch({ from: "/inside/audit" });
  const navigate = useNavigate({ from: "/audit" });
  const put = (change: { [K in keyof AuditSearch]?: AuditSearch[K] | undefined }): void =>
    void navigate({ search: (old) => ({ ...old, ...change }) as AuditSearch, replace: true, resetScroll: false });
  const list = useInfiniteQuery({
    queryKey: ["get", "/api/v1/audit", search],
    queryFn: ({ pageParam }) => unwrap(api.GET("/api/v1/audit", { params: { query: { ...auditQuery(search), limit: PAGE, ...(pageParam && { cursor: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });
  const entries = list.data?.pages.flatMap((page) => page.items) ?? [];
  const filtered = Object.values(search).some((value) => value !== undefined);
  return (
    <div className="stack-l">
      <div className="page-head">
        <div>
          <h1>{t.title}</h1>
          <p className="dim">{t.help}</p>
        </div>
        <Exports search={search} />
      </div>
      <Filters search={search} put={put} />
      {list.isPending && <Skeleton height={400} label={t.loading} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && entries.length === 0 && (
        <Empty
          title={filtered ? t.noneLike : t.none}
          action={
            filtered && (
              <Button variant="default" onClick={() => void navigate({ search: {} })}>
                {t.clear}
              </Button>
            )
          }
        >
          {filtered && <p>{t.noneLikeHelp}</p>}
        </Empty>
      )}
      {entries.length > 0 && <Table entries={entries} put={put} />}
      {list.hasNextPage && <More busy={list.isFetchingNextPage} failed={list.isFetchNextPageError} next={() => void list.fetchNextPage()} />}
    </div>
  );
}

function Filters({ search, put }: { search: AuditSearch; put: (change: { [K in keyof AuditSearch]?: AuditSearch[K] | undefined }) => void }) {
  const t = useAdminWords().audit;
  const projects = useProjects() ?? [];
  const people = usePeople(search.project);
  const actions: Choice[] = KINDS.flatMap((kind) => {
    const ofIt = Object.entries(t.actions).filter(([action]) => action.startsWith(`${kind}.`));
    return [...(ofIt.length > 1 ? [{ value: `${kind}.`, label: t.all({ kind: t.kinds[kind] }) }] : []), ...ofIt.map(([value, label]) => ({ value, label: `${t.kinds[kind]}: ${label}` }))];
  });
  return (
    <search className="audit-filters" aria-label={t.filters}>
      <Select label={t.who} all={t.anybody} choices={people} value={search.person} onChange={(person) => put({ person })} />
      <Select label={t.what} all={t.anything} choices={actions} value={search.action} onChange={(action) => put({ action })} />
      <ProjectChooser label={t.project} shown all={t.anyProject} projects={projects} value={search.project ?? ""} onChange={(project) => put({ project: project || undefined })} />
      <TextInput type="date" label={t.since} value={search.since ?? ""} onChange={(e) => put({ since: e.currentTarget.value || undefined })} />
      <TextInput type="date" label={t.until} value={search.until ?? ""} onChange={(e) => put({ until: e.currentTarget.value || undefined })} />
    </search>
  );
}

function Select({ label, all, choices, value, onChange }: { label: string; all: string; choices: Choice[]; value: string | undefined; onChange: (value: string | undefined) => void }) {
  const known = value === undefined || choices.some((c) => c.value === value) ? choices : [...choices, { value, label: value }];
  return <NativeSelect label={label} rightSection={<ChevronDown size={15} aria-hidden />} data={[{ value: "", label: all }, ...known]} value={value ?? ""} onChange={(e) => onChange(e.currentTarget.value || undefined)} />;
}

/** Whom one may choose: who looks after people everybody, others the members of the project that is chosen. */
function usePeople(project: string | undefined): Choice[] {
  const all = looksAfter(useUser());
  const everybody = $api.useQuery("get", "/api/v1/users", { params: { query: { limit: MOST_PEOPLE } } }, { enabled: all });
  const members = $api.useQuery("get", "/api/v1/projects/{project_id}/members", { params: { path: { project_id: project ?? "" } } }, { enabled: !all && project !== undefined });
  if (all) return everybody.data?.items.map((p) => ({ value: p.id, label: p.name || p.email })) ?? [];
  return members.data?.items.map((m) => ({ value: m.user_id, label: m.name || m.email })) ?? [];
}

/** Fetched with the token and kept as a file: no address holds it. */
function Exports({ search }: { search: AuditSearch }) {
  const t = useAdminWords().audit;
  const [busy, setBusy] = useState<"csv" | "ndjson" | null>(null);
  const [wrong, setWrong] = useState<unknown>(null);
  const fetchIt = async (format: "csv" | "ndjson"): Promise<void> => {
    setBusy(format);
    setWrong(null);
    try {
      const file: unknown = await unwrap(api.GET("/api/v1/audit/export", { params: { query: { ...auditQuery(search), format } }, parseAs: "blob" }));
      save(file as Blob, `audit.${format}`);
    } catch (error) {
      setWrong(error);
    } finally {
      setBusy(null);
    }
  };
  return (
    <div className="stack-s">
      <div className="row wrap">
        {(["csv", "ndjson"] as const).map((format) => (
          <Button key={format} variant="default" loading={busy === format} aria-label={t.exportAs({ format: format.toUpperCase() })} onClick={() => void fetchIt(format)}>
            {t[format]}
          </Button>
        ))}
      </div>
      {wrong !== null && <Failure error={wrong} />}
    </div>
  );
}

/** Fetches the next page as it comes into view; a click does the same. */
function More({ busy, failed, next }: { busy: boolean; failed: boolean; next: () => void }) {
  const t = useAdminWords().audit;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (busy || failed || !place.current) return;
    const seen = new IntersectionObserver(([entry]) => entry?.isIntersecting && next());
    seen.observe(place.current);
    return () => seen.disconnect();
  }, [busy, failed, next]);
  return (
    <div ref={place}>
      <Button variant="default" loading={busy} onClick={next}>
        {t.more}
      </Button>
    </div>
  );
}

function Table({ entries, put }: { entries: Entry[]; put: (change: AuditSearch) => void }) {
  const t = useAdminWords().audit;
  const admin = isAdmin(useUser());
  return (
    <div className="panel">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls by keyboard */}
      <div className="table-scroll" role="region" aria-label={t.table} tabIndex={0}>
        <table className="table audit">
          <thead>
            <tr>
              {[t.time, t.who, ...(admin ? [t.from] : []), t.what, t.target, t.project, t.details].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <Row key={entry.id} entry={entry} admin={admin} put={put} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Row({ entry, admin, put }: { entry: Entry; admin: boolean; put: (change: AuditSearch) => void }) {
  const words = useWords();
  const a = useAdminWords();
  const t = a.audit;
  const id = entry.user_id;
  return (
    <tr>
      <td className="nowrap">{dateTime(entry.time)}</td>
      <td className="break">
        {id ? (
          <button type="button" className="linked" aria-label={t.only({ name: entry.actor })} onClick={() => put({ person: id })}>
            {entry.actor}
          </button>
        ) : (
          <span className="dim">{entry.actor || t.nobody}</span>
        )}
        <div className="dim">{t.by[entry.via]({ name: entry.token_name ?? "" })}</div>
      </td>
      {admin && <td className="break">{entry.ip}</td>}
      <td>{titled(t.actions, entry.action) ?? entry.action}</td>
      <td className="break">
        <Target entry={entry} />
      </td>
      <td className="break">{entry.project_id && (entry.project_name === null ? <span className="dim">{t.gone}</span> : entry.project_name)}</td>
      <td className="break details">
        {details(entry).map((detail) => (
          <div key={detail.field}>
            <span className="dim">{titled(t.fields, detail.field) ?? detail.field.replaceAll("_", " ")}:</span> {said(detail, entry, words, a)}
          </div>
        ))}
      </td>
    </tr>
  );
}

function Target({ entry }: { entry: Entry }): ReactNode {
  const t = useAdminWords().audit;
  const people = looksAfter(useUser());
  const { target_type: kind, target_id: id, target_name: name, target_exists: there } = entry;
  if (there && id !== null) {
    if (kind === "dataset") return <Link to="/datasets/$datasetId" params={{ datasetId: id }}>{name}</Link>;
    if (kind === "job") return <Link to="/jobs/$jobId" params={{ jobId: id }}>{name}</Link>;
    if (kind === "project") return <Link to="/projects/$projectId" params={{ projectId: id }}>{name}</Link>;
    if (kind === "user" && people) return <Link to="/people">{name}</Link>;
  }
  const gone = !there && ["dataset", "job", "project"].includes(kind);
  return (
    <>
      {name} {gone && <span className="dim">({t.gone})</span>}
    </>
  );
}

function said(detail: Detail, entry: Entry, words: Words, a: AdminWords): string {
  const say = (value: unknown): string => valueOf(detail.field, value, entry, words, a.audit);
  return "old" in detail ? `${say(detail.old)} → ${say(detail.value)}` : say(detail.value);
}

function valueOf(field: string, value: unknown, entry: Entry, words: Words, t: AdminWords["audit"]): string {
  if (value === null) return entry.action === "quota.changed" ? t.noLimit : field === "expires_at" ? t.never : t.nothing;
  if (typeof value === "boolean") return value ? t.yes : t.no;
  if (typeof value === "number") return field === "size" || field === "storage_bytes" ? bytes(value) : field === "gpu_seconds" ? duration(value) : count(value);
  if (typeof value !== "string") return JSON.stringify(value);
  if (value === "") return t.nothing;
  if (field === "expires_at") return dateTime(value);
  const known = field === "why" ? t.reasons : field === "scope" ? words.scopes : field === "role" || field === "project_role" ? { ...words.roles, ...words.projectRoles } : {};
  return titled(known, value) ?? value;
}
