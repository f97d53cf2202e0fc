import "./Quota.css";
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { $api, api, unwrap, type Schemas } from "../api/client";
import { bytes, count, duration } from "../lib/format";
import { fromForm, isUsedUp, isWhole, LIMITS, toForm, type Form, type Limit } from "../lib/quota";
import { useWords } from "../words";
import { useAdminWords } from "../words/admin";
import { AskButton } from "./AskButton";
import { Bar, Failure, Skeleton } from "./states";

type Subject = { kind: "user" | "project"; id: string; name: string };

/** What somebody or a project may have and uses; whoever may change it gets a form. */
export function Quota({ subject, mayChange }: { subject: Subject; mayChange: boolean }) {
  const mine = $api.useQuery("get", "/api/v1/users/{user_id}/quota", { params: { path: { user_id: subject.id } } }, { enabled: subject.kind === "user" });
  const its = $api.useQuery("get", "/api/v1/projects/{project_id}/quota", { params: { path: { project_id: subject.id } } }, { enabled: subject.kind === "project" });
  const quota = subject.kind === "user" ? mine : its;
  if (quota.isError) return <Failure error={quota.error} retry={() => void quota.refetch()} />;
  if (!quota.data) return <Skeleton height={140} />;
  return (
    <div className="stack">
      <ul className="quota">
        {LIMITS.map((limit) => (
          <Line key={limit} limit={limit} quota={quota.data} />
        ))}
      </ul>
      {mayChange && (
        <div>
          <Change key={JSON.stringify(quota.data)} subject={subject} quota={quota.data} onSaved={() => void quota.refetch()} />
        </div>
      )}
    </div>
  );
}

const SAY: Record<Limit, (n: number) => string> = { datasets: count, storage_bytes: bytes, gpu_seconds: duration, running: count };

function Line({ limit, quota }: { limit: Limit; quota: Schemas["Quota"] }) {
  const t = useAdminWords().quota;
  const [most, used] = [quota[limit], quota.used[limit]];
  const usedUp = isUsedUp(quota, limit);
  const say = SAY[limit];
  return (
    <li>
      <div className="row between wrap">
        <span>{t.limits[limit]}</span>
        <span className="small dim">{used === null ? t.noGpu : most === null ? t.unlimited({ used: say(used) }) : t.used({ used: say(used), most: say(most) })}</span>
      </div>
      {most !== null && used !== null && <Bar label={t.limits[limit]} value={most === 0 ? 100 : (100 * used) / most} tone={usedUp ? (limit === "running" ? "live" : "bad") : "good"} />}
      {usedUp && <p className={limit === "running" ? "small dim" : "small bad"}>{t.usedUp[limit]}</p>}
    </li>
  );
}

function Change({ subject, quota, onSaved }: { subject: Subject; quota: Schemas["Quota"]; onSaved: () => void }) {
  const words = useWords();
  const t = useAdminWords().quota;
  const [form, setForm] = useState<Form>(() => toForm(quota));
  const [wrong, setWrong] = useState<Limit[]>([]);
  const save = async (): Promise<void> => {
    const read = fromForm(form, quota);
    setWrong(read.wrong);
    if (read.wrong.length > 0) throw { status: 422, detail: t.notNumber };
    await unwrap(
      subject.kind === "user"
        ? api.PUT("/api/v1/users/{user_id}/quota", { params: { path: { user_id: subject.id } }, body: read.quota })
        : api.PUT("/api/v1/projects/{project_id}/quota", { params: { path: { project_id: subject.id } }, body: read.quota }),
    );
    onSaved();
  };
  return (
    <AskButton label={t.change} title={t.changeTitle({ name: subject.name })} confirm={t.save} dismiss={words.cancel} onConfirm={save}>
      <p className="dim">{t.changeHelp}</p>
      {LIMITS.map((limit) => (
        <TextInput
          key={limit}
          label={t.fields[limit]}
          inputMode={isWhole(limit) ? "numeric" : "decimal"}
          placeholder={t.none}
          autoComplete="off"
          maxLength={20}
          value={form[limit]}
          error={wrong.includes(limit) && (isWhole(limit) ? t.notWhole : t.notNumber)}
          onChange={(e) => setForm({ ...form, [limit]: e.currentTarget.value })}
        />
      ))}
    </AskButton>
  );
}
