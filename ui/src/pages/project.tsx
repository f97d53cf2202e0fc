import "./people.css";
import "../styles/fields.css";
import { NativeSelect } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { ChevronDown } from "lucide-react";
import { $api, api, queryClient, unwrap, type Schemas } from "../api/client";
import { problemOf } from "../api/problem";
import { useUser } from "../api/session";
import { AskButton } from "../components/AskButton";
import { Invite } from "../components/Invite";
import { invitationsQuery, OpenInvitations } from "../components/OpenInvitations";
import { Failure, NotFound, Skeleton } from "../components/states";
import { WatchToggle } from "../components/WatchToggle";
import { useTitle } from "../lib/hooks";
import { PROJECT_ROLES } from "../lib/people";
import { useWords } from "../words";

type Member = Schemas["Member"];

const openInvitations = $api.queryOptions("get", "/api/v1/invitations", invitationsQuery);

/** Who is in a project; its owners decide. */
export function ProjectPage() {
  const words = useWords();
  const t = words.people;
  const { projectId } = useParams({ from: "/inside/projects/$projectId" });
  const user = useUser();
  const me = $api.useQuery("get", "/api/v1/auth/me");
  const project = me.data?.projects.find((p) => p.id === projectId);
  const list = $api.useQuery("get", "/api/v1/projects/{project_id}/members", { params: { path: { project_id: projectId } } }, { enabled: project !== undefined });
  useTitle(project?.name ?? t.project);
  if (me.isError) return <Failure error={me.error} retry={() => void me.refetch()} />;
  if (!user || me.isPending) return <Skeleton height={320} />;
  if (!project) return <NotFound />;
  const owner = project.role === "owner";
  return (
    <div className="stack-l">
      <div className="row wrap between">
        <div>
          <h1>{project.name}</h1>
          <p className="dim">{t.yourRole({ role: words.projectRoles[project.role] })}</p>
        </div>
        <WatchToggle kind="projects" id={projectId} label={words.actions.tellMeOfProject} />
      </div>
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
