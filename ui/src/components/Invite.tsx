import { Button, NativeSelect, TextInput } from "@mantine/core";
import { ChevronDown } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { $api, type Schemas } from "../api/client";
import { fieldErrors, problemOf } from "../api/problem";
import { dateTime } from "../lib/format";
import { may, PROJECT_ROLES } from "../lib/people";
import { useWords } from "../words";
import { Secret } from "./Secret";
import { Callout } from "./states";

type Made = Schemas["MadeInvitation"];
type Props = {
  user: Schemas["User"];
  /** Where one may be invited to: those that one owns. */
  projects: Schemas["Project"][];
  /** Into this one and no other. */
  into?: string;
  onMade: () => void;
};

/** An invitation: its link is shown once, and said if it was mailed too. */
export function Invite({ user, projects, into, onMade }: Props) {
  const t = useWords();
  const roles = may(user, into !== undefined);
  const [role, setRole] = useState<Schemas["User"]["role"]>("engineer");
  const [email, setEmail] = useState("");
  const [project, setProject] = useState(into ?? "");
  const [projectRole, setProjectRole] = useState<Schemas["Project"]["role"]>("editor");
  const [made, setMade] = useState<Made | null>(null);
  const invite = $api.useMutation("post", "/api/v1/invitations", {
    onSuccess(invitation) {
      setMade(invitation);
      setEmail("");
      onMade();
    },
  });
  const problem = invite.error ? problemOf(invite.error) : null;
  const wrong = fieldErrors(problem);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setMade(null);
    invite.mutate({ body: { role, email: email || null, ...(project && { project_id: project, project_role: projectRole }) } });
  };
  const chevron = <ChevronDown size={15} aria-hidden />;
  return (
    <form className="stack" onSubmit={submit}>
      <div className="people-form">
        <NativeSelect label={t.people.role} rightSection={chevron} data={roles.map((value) => ({ value, label: t.roles[value] }))} value={role} onChange={(e) => setRole(e.currentTarget.value as typeof role)} error={wrong.role} />
        <TextInput label={t.people.address} type="email" autoComplete="off" placeholder={t.people.anybody} value={email} onChange={(e) => setEmail(e.currentTarget.value)} error={wrong.email} />
        {into === undefined && (
          <NativeSelect label={t.people.project} rightSection={chevron} data={[{ value: "", label: t.people.noProject }, ...projects.map((p) => ({ value: p.id, label: p.name }))]} value={project} onChange={(e) => setProject(e.currentTarget.value)} error={wrong.project_id} />
        )}
        {project !== "" && (
          <NativeSelect label={t.people.inProject} rightSection={chevron} data={PROJECT_ROLES.map((value) => ({ value, label: t.projectRoles[value] }))} value={projectRole} onChange={(e) => setProjectRole(e.currentTarget.value as typeof projectRole)} error={wrong.project_role} />
        )}
        <Button type="submit" loading={invite.isPending}>
          {t.people.invite}
        </Button>
      </div>
      {problem?.errors.length === 0 && <Callout tone="bad" title={problem.detail} />}
      {made && <Secret key={made.id} label={t.people.link} value={made.url} help={`${t.people.linkHelp({ time: dateTime(made.expires_at) })} ${mailed(made, t.people)}`} />}
    </form>
  );
}

const mailed = (made: Made, t: ReturnType<typeof useWords>["people"]): string =>
  made.mailed ? t.mailed({ email: made.email ?? "" }) : made.mail_error !== null ? t.notMailed({ why: made.mail_error }) : "";
