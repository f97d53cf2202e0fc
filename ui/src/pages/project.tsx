import "./people.css";
import "../styles/fields.css";
import { NativeSelect, TextInput } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { $api, api, queryClient, unwrap, type Schemas } from "../api/client";
import { problemOf } from "../api/problem";
import { useUser } from "../api/session";
import { AskButton } from "../components/AskButton";
import { Invite } from "../components/Invite";
import { invitationsQuery, OpenInvitations } from "../components/OpenInvitations";
import { Quota } from "../components/Quota";
import { Failure, NotFound, Skeleton } from "../components/states";
import { WatchToggle } from "../components/WatchToggle";
import { useTitle } from "../lib/hooks";
import { PROJECT_ROLES } from "../lib/people";
import type { Project } from "../lib/projects";
import { useWords } from "../words";
import { useAdminWords } from "../words/admin";

type Member = Schemas["Member"];

const openInvitations = $api.queryOptions("get", "/api/v1/invitations", invitationsQuery);

/** A project: what is in it and may be, and who; its owners decide. */
export function ProjectPage() {
  const words = useWords();
  const t = words.people;
  const a = useAdminWords();
  const { projectId } = useParams({ from: "/inside/projects/$projectId" });
  const user = useUser();
  const me = $api.useQuery("get", "/api/v1/auth/me");
  const project = me.data?.projects.find((p) => p.id === projectId);
  const held = $api.useQuery("get", "/api/v1/projects").data?.items.find((p) => p.id === projectId);
  const list = $api.useQuery("get", "/api/v1/projects/{project_id}/members", { params: { path: { project_id: projectId } } }, { enabled: project !== undefined });
  useTitle(project?.name ?? t.project);
  if (me.isError) return <Failure error={me.error} retry={() => void me.refetch()} />;
  if (!user || me.isPending) return <Skeleton height={320} />;
  if (!project) return <NotFound />;
  const owner = project.role === "owner";
  return (
    <div className="stack-l">
      <div className="page-head">
        <div>
          <h1>{project.name}</h1>
          <p className="dim">{t.yourRole({ role: words.projectRoles[project.role] })}</p>
        </div>
        <div className="row wrap">
          <WatchToggle kind="projects" id={projectId} label={words.actions.tellMeOfProject} />
          {owner && (
            <>
              <Rename key={project.name} project={project} />
              <Delete project={project} held={held} />
            </>
          )}
        </div>
      </div>
      <nav className="chips" aria-label={a.projects.contents}>
        <Link to="/datasets" search={{ project: projectId }} className="chip">
          {held ? a.projects.datasets({ n: held.datasets }) : words.shell.datasets}
        </Link>
        <Link to="/jobs" search={{ project: projectId }} className="chip">
          {held ? a.projects.trainings({ n: held.trainings }) : words.shell.jobs}
        </Link>
        {owner && (
          <Link to="/audit" search={{ project: projectId }} className="chip">
            {a.projects.audit}
          </Link>
        )}
      </nav>
      <section className="panel stack" aria-label={a.quota.title}>
        <h2>{a.quota.title}</h2>
        <Quota subject={{ kind: "project", id: projectId, name: project.name }} mayChange={user.role === "admin"} />
      </section>
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      <section className="panel stack" aria-label={t.members}>
        <h2>{t.members}</h2>
        {list.isPending && <Skeleton height={120} />}
        <ul className="people">
          {list.data?.items.map((member) => <Row key={member.user_id} member={member} projectId={projectId} mine={member.user_id === user.id} owner={owner} onChange={() => void list.refetch()} />)}
        </ul>
      </section>
      {owner && (
        <section className="panel stack" aria-label={t.add}>
          <h2>{t.add}</h2>
          <p className="dim">{t.addHelp}</p>
          <Invite user={user} projects={[]} into={projectId} onMade={() => void queryClient.invalidateQueries(openInvitations)} />
          <OpenInvitations into={projectId} />
        </section>
      )}
    </div>
  );
}

function Rename({ project }: { project: Project }) {
  const words = useWords();
  const t = useAdminWords().projects;
  const [name, setName] = useState(project.name);
  const save = async (): Promise<void> => {
    await unwrap(api.PATCH("/api/v1/projects/{project_id}", { params: { path: { project_id: project.id } }, body: { name: name.trim() } }));
    await queryClient.invalidateQueries();
  };
  return (
    <AskButton label={t.rename} title={t.renameTitle({ name: project.name })} confirm={t.save} dismiss={words.cancel} onConfirm={save}>
      <TextInput label={t.name} required maxLength={200} autoComplete="off" value={name} onChange={(e) => setName(e.currentTarget.value)} />
    </AskButton>
  );
}

/** The server refuses while something is in it, and says what; what is known here is said before. */
function Delete({ project, held }: { project: Project; held: Schemas["ListedProject"] | undefined }) {
  const words = useWords();
  const t = useAdminWords().projects;
  const navigate = useNavigate();
  const remove = async (): Promise<void> => {
    await unwrap(api.DELETE("/api/v1/projects/{project_id}", { params: { path: { project_id: project.id } } }));
    await navigate({ to: "/projects" });
    await queryClient.invalidateQueries();
  };
  return (
    <AskButton label={words.delete} title={t.deleteTitle({ name: project.name })} confirm={words.deleteIt} dismiss={words.keepIt} danger onConfirm={remove}>
      <p className="dim">{held && held.datasets + held.trainings > 0 ? t.holds(held) : t.deleteHelp}</p>
    </AskButton>
  );
}

function Row({ member, projectId, mine, owner, onChange }: { member: Member; projectId: string; mine: boolean; owner: boolean; onChange: () => void }) {
  const t = useWords();
  const navigate = useNavigate();
  const path = { params: { path: { project_id: projectId, user_id: member.user_id } } };
  const change = $api.useMutation("patch", "/api/v1/projects/{project_id}/members/{user_id}", { onSuccess: onChange });
  const name = member.name || member.email;
  const remove = async (): Promise<void> => {
    await unwrap(api.DELETE("/api/v1/projects/{project_id}/members/{user_id}", path));
    if (!mine) return onChange();
    await navigate({ to: "/account" });
    await queryClient.invalidateQueries();
  };
  return (
    <li aria-label={name}>
      <div className="grow">
        <p className="break">
          {name} {mine && <span className="small dim">({t.people.you})</span>}
        </p>
        <p className="small dim break">{member.name && member.email}</p>
        {change.error && (
          <p className="small bad" role="alert">
            {problemOf(change.error).detail}
          </p>
        )}
      </div>
      <div className="row wrap">
        {owner ? (
          <NativeSelect
            aria-label={t.people.roleOf({ name })}
            rightSection={<ChevronDown size={15} aria-hidden />}
            data={PROJECT_ROLES.map((value) => ({ value, label: t.projectRoles[value] }))}
            value={member.role}
            disabled={change.isPending}
            onChange={(e) => change.mutate({ ...path, body: { role: e.currentTarget.value as Member["role"] } })}
          />
        ) : (
          <span className="small dim">{t.projectRoles[member.role]}</span>
        )}
        {mine ? (
          <AskButton label={t.people.leave} title={t.people.leaveTitle} confirm={t.people.leave} dismiss={t.people.stay} danger onConfirm={remove}>
            <p className="dim">{t.people.leaveHelp}</p>
          </AskButton>
        ) : (
          owner && (
            <AskButton label={t.people.remove} title={t.people.removeTitle({ name })} confirm={t.people.remove} dismiss={t.cancel} danger onConfirm={remove}>
              <p className="dim">{t.people.removeHelp}</p>
            </AskButton>
          )
        )}
      </div>
    </li>
  );
}
