import "./system.css";
import { Link } from "@tanstack/react-router";
import { Fragment, type ReactNode } from "react";
import { $api, type Schemas } from "../api/client";
import { Badge, Bar, Callout, Failure, Skeleton, type Tone } from "../components/states";
import { ago, bytes, clock, count, duration, elapsed } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { problemsOf, type SystemProblem } from "../lib/system";
import { titled, useWords } from "../words";
import { useAdminWords, type AdminWords } from "../words/admin";

type System = Schemas["SystemHealth"];

const LOOK_MS = 5_000;
const FRAMEWORK_TONES: Record<Schemas["FrameworkState"]["status"], Tone> = { ready: "good", installing: "live", absent: "off", error: "bad" };

/** How the server is, looked at again while one looks; what is wrong stands first. */
export function SystemPage() {
  const t = useAdminWords().system;
  const found = $api.useQuery("get", "/api/v1/system", undefined, { refetchInterval: LOOK_MS });
  const system = found.data;
  const now = found.dataUpdatedAt;
  const problems = system ? problemsOf(system, now) : [];
  useTitle(problems.length > 0 ? `${t.wrong({ n: problems.length })} · ${t.title}` : t.title);
  return (
    <div className="stack-l">
      <div>
        <h1>{t.title}</h1>
        {system && <p className="dim">{t.asOf({ time: clock(new Date(now).toISOString()) })}</p>}
      </div>
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Skeleton height={480} label={t.loading} />}
      {system && (
        <>
          <section className="stack-s" aria-label={problems.length > 0 ? t.wrong({ n: problems.length }) : t.fine}>
            {problems.length === 0 && <Callout title={t.fine} />}
            {problems.map((problem) => (
              <Problem key={keyOf(problem)} problem={problem} />
            ))}
          </section>
          <div className="system">
            <Parts system={system} />
            <Server system={system} now={now} />
            <Room system={system} />
            <Queue system={system} now={now} />
            <Work system={system} />
            <FrameworkStates system={system} />
            <Trainers system={system} now={now} />
            <Failures system={system} />
          </div>
        </>
      )}
    </div>
  );
}

const keyOf = (problem: SystemProblem): string => [problem.kind, "part" in problem && problem.part, "name" in problem && problem.name].join(" ");

function Problem({ problem }: { problem: SystemProblem }) {
  const t = useAdminWords().system;
  const [title, help] = words(problem, t);
  const worst = problem.kind === "part" || problem.kind === "disk_full" || problem.kind === "no_slots";
  return (
    <Callout
      tone={worst ? "bad" : "lamp"}
      title={title}
      action={
        "job" in problem && (
          <Link to="/jobs/$jobId" params={{ jobId: problem.job.id }} className="small">
            {t.training}
          </Link>
        )
      }
    >
      {help && <p>{help}</p>}
    </Callout>
  );
}

function words(problem: SystemProblem, t: AdminWords["system"]): [title: string, help: string] {
  const part = (name: string): string => titled(t.partNames, name) ?? name;
  const say = t.problems;
  switch (problem.kind) {
    case "part":
      return [say.part.title({ part: part(problem.part) }), [titled(t.partHelp, problem.part), problem.message && t.itSays({ message: problem.message })].filter(Boolean).join(" ")];
    case "slow":
      return [say.slow.title({ part: part(problem.part) }), say.slow.help({ seconds: t.took({ ms: count(Math.round(1000 * problem.seconds)) }) })];
    case "disk_full":
    case "disk_low":
      return [say[problem.kind].title(), say[problem.kind].help({ free: bytes(problem.free), kept: bytes(problem.kept) })];
    case "no_slots":
      return [say.no_slots.title(), say.no_slots.help()];
    case "not_started":
      return [say.not_started.title(problem.job), say.not_started.help({ time: duration(problem.seconds) })];
    case "silent":
      return [say.silent.title(problem.job), say.silent.help({ time: duration(problem.seconds), limit: duration(problem.limit) })];
    case "framework":
      return [say.framework.title(problem), say.framework.help(problem)];
    case "failures":
      return [say.failures.title(problem), say.failures.help()];
  }
}

function Panel({ title, wide, children }: { title: string; wide?: boolean; children: ReactNode }) {
  return (
    <section className={wide ? "panel stack system-wide" : "panel stack"} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Facts({ facts }: { facts: [name: string, value: ReactNode][] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

function Parts({ system }: { system: System }) {
  const t = useAdminWords().system;
  return (
    <Panel title={t.parts}>
      <ul className="system-parts">
        {Object.entries(system.parts).map(([name, part]) => (
          <li key={name}>
            <span>{titled(t.partNames, name) ?? name}</span>
            <span className="small dim num">{t.took({ ms: count(Math.round(1000 * part.seconds)) })}</span>
            <Badge tone={part.ok ? "good" : "bad"}>{part.ok ? t.works : t.fails}</Badge>
            {part.message && <p className="small dim break">{part.message}</p>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Server({ system, now }: { system: System; now: number }) {
  const t = useAdminWords().system;
  return (
    <Panel title={t.server}>
      <Facts
        facts={[
          [t.version, system.version],
          [t.up, elapsed(system.started_at, null, now)],
          [t.memory, system.memory_bytes === null ? t.unknown : bytes(system.memory_bytes)],
          [t.mode, titled(t.modes, system.execution_mode) ?? system.execution_mode],
          [t.storage, titled(t.storages, system.storage_type) ?? system.storage_type],
          [t.dataDir, <code key="dir">{system.data_dir}</code>],
          [t.database, t.databaseIs({ kind: t.kinds[system.database.kind], size: bytes(system.database.size_bytes) })],
          [t.revision, system.database.revision],
        ]}
      />
    </Panel>
  );
}

function Room({ system }: { system: System }) {
  const t = useAdminWords().system;
  const { free_bytes: free, total_bytes: total, refused_below_bytes: kept } = system.disk;
  return (
    <Panel title={t.disk}>
      <p>{t.free({ free: bytes(free), total: bytes(total) })}</p>
      <Bar value={(100 * (total - free)) / Math.max(1, total)} label={t.diskUsed} tone={free < kept ? "bad" : "good"} />
      <p className="small dim">{t.refusedBelow({ size: bytes(kept) })}</p>
    </Panel>
  );
}

function Queue({ system, now }: { system: System; now: number }) {
  const { jobStates } = useWords();
  const t = useAdminWords().system;
  const { slots, oldest_waiting: waiting, longest_silent: silent } = system;
  const since = (job: Schemas["JobSince"]): ReactNode => (
    <>
      <Link to="/jobs/$jobId" params={{ jobId: job.id }}>
        {job.name}
      </Link>{" "}
      <span className="dim">{t.since({ time: elapsed(job.since, null, now) })}</span>
    </>
  );
  const states = Object.entries(jobStates).filter(([state]) => (system.jobs[state] ?? 0) > 0);
  return (
    <Panel title={t.queue}>
      <p>
        {t.slots(slots)} <span className="small dim">· {t.gpus({ n: slots.gpus })}</span>
      </p>
      {states.length === 0 && <p className="small dim">{t.noJobs}</p>}
      {(states.length > 0 || silent) && (
        <Facts
          facts={[
            ...states.map(([state, said]): [string, ReactNode] => [said, count(system.jobs[state]!)]),
            ...(waiting ? [[t.oldestWaiting, since(waiting)] as [string, ReactNode]] : []),
            ...(silent ? [[t.longestSilent, since(silent)] as [string, ReactNode]] : []),
          ]}
        />
      )}
    </Panel>
  );
}

function Work({ system }: { system: System }) {
  const t = useAdminWords().system;
  const { imports, last_sweep_seconds: sweep } = system;
  return (
    <Panel title={t.work}>
      <Facts
        facts={[
          [t.imports, t.importsAre({ running: imports.running, waiting: imports.waiting, most: imports.at_once })],
          [t.uploads, count(system.uploads)],
          [t.watchers, count(system.watchers)],
          [t.sweep, sweep === null ? t.notYet : t.sweepAgo({ time: duration(sweep), every: duration(system.sweep_seconds) })],
        ]}
      />
    </Panel>
  );
}

function FrameworkStates({ system }: { system: System }) {
  const { frameworkStates } = useWords();
  const t = useAdminWords().system;
  return (
    <Panel title={t.frameworks}>
      <ul className="system-parts">
        {system.frameworks.map((f) => (
          <li key={f.framework}>
            <span>{f.framework}</span>
            <span />
            <Badge tone={FRAMEWORK_TONES[f.status]}>{frameworkStates[f.status]}</Badge>
            <p className="small dim break">{f.message}</p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Trainers({ system, now }: { system: System; now: number }) {
  const t = useAdminWords().system;
  return (
    <Panel title={t.trainers} wide>
      {system.trainers.length === 0 ? (
        <p className="small dim">{t.noTrainers}</p>
      ) : (
        <Scrolling title={t.trainers} columns={[t.training, t.slot, t.attempt, t.running, t.memoryUsed]}>
          {system.trainers.map((trainer) => (
            <tr key={trainer.slot}>
              <td className="break">
                <Link to="/jobs/$jobId" params={{ jobId: trainer.job_id }}>
                  {trainer.job_name}
                </Link>
              </td>
              <td>{count(trainer.slot)}</td>
              <td>{count(trainer.attempt)}</td>
              <td>{elapsed(trainer.since, null, now)}</td>
              <td>{trainer.memory_bytes === null ? t.unknown : bytes(trainer.memory_bytes)}</td>
            </tr>
          ))}
        </Scrolling>
      )}
    </Panel>
  );
}

function Failures({ system }: { system: System }) {
  const t = useAdminWords().system;
  return (
    <Panel title={t.failures} wide>
      {system.failures.length === 0 && <p className="small dim">{t.noFailures}</p>}
      <ul className="system-parts">
        {system.failures.map((f) => (
          <li key={f.id}>
            <span className="break">
              {titled(t.operations, f.kind) ?? f.kind}
              {": "}
              {f.dataset_id ? (
                <Link to="/datasets/$datasetId" params={{ datasetId: f.dataset_id }}>
                  {f.dataset_name}
                </Link>
              ) : (
                <span className="dim">{t.ofGone}</span>
              )}
            </span>
            <span />
            <span className="small dim">{ago(f.ended_at)}</span>
            {f.error && (
              <p className="small break">
                {f.error.message} {f.error.hint}
              </p>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Scrolling({ title, columns, children }: { title: string; columns: string[]; children: ReactNode }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls by keyboard
    <div className="table-scroll" role="region" aria-label={title} tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
