import { ActionIcon, Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { $api, type Schemas } from "../api/client";
import { dismissed } from "../lib/dismissed";
import { ago } from "../lib/format";
import { useWords, type Words } from "../words";

type Notice = Schemas["Notice"];

const LOOK_MS = 60_000;

/** What others did that concerns one, until this browser is told that it was read. */
export function News() {
  const words = useWords();
  const t = words.news;
  const [read, setRead] = useState(dismissed.all);
  const all = $api.useQuery("get", "/api/v1/notices", undefined, { refetchInterval: LOOK_MS, staleTime: LOOK_MS }).data?.items ?? [];
  const unread = all.filter((notice) => !read.includes(notice.id));
  if (unread.length === 0) return null;
  return (
    <section className="panel news" aria-label={t.title}>
      <div className="panel-title">
        <h2>{t.title}</h2>
        {unread.length > 1 && (
          <Button size="compact-xs" variant="subtle" onClick={() => setRead(dismissed.add(unread.map((notice) => notice.id)))}>
            {t.dismissAll}
          </Button>
        )}
      </div>
      <ul className="stack-s">
        {unread.map((notice) => (
          <li key={notice.id} className="row between">
            <p className="small break">
              {said(notice, words)} <span className="dim">{ago(notice.time)}</span>
            </p>
            <ActionIcon variant="subtle" aria-label={`${t.dismiss}: ${ago(notice.time)}`} onClick={() => setRead(dismissed.add([notice.id]))}>
              <X size={16} />
            </ActionIcon>
          </li>
        ))}
      </ul>
    </section>
  );
}

function said({ by, action, project_id: projectId, project_name: name, job_id: jobId, job_name: job, role }: Notice, words: Words): ReactNode {
  const t = words.news;
  const there = name !== null && projectId !== null && action !== "member.removed";
  const project = there ? (
    <Link to="/projects/$projectId" params={{ projectId }}>
      {name}
    </Link>
  ) : (
    (name ?? t.goneProject)
  );
  const as = role === null ? "" : { ...words.roles, ...words.projectRoles }[role];
  switch (action) {
    case "member.added":
      return t.added({ by, project, role: as });
    case "member.role_changed":
      return t.projectRole({ by, project, role: as });
    case "member.removed":
      return t.removed({ by, project });
    case "user.role_changed":
      return t.role({ by, role: as });
    case "job.cancelled":
      return t.stopped({ by, job: jobId === null ? job : <Link to="/jobs/$jobId" params={{ jobId }}>{job}</Link> });
  }
}
