import { Button, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState, type SubmitEvent } from "react";
import { $api, queryClient, type Schemas } from "../api/client";
import { fieldErrors, problemOf } from "../api/problem";
import { session, useUser } from "../api/session";
import { signOut } from "../api/sign-out";
import { Gate } from "../components/Gate";
import { LinkProblem } from "../components/LinkProblem";
import { NewPassword, useNewPassword } from "../components/NewPassword";
import { Skeleton } from "../components/states";
import { dateTime } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { forgetLink, useLinkToken } from "../lib/link";
import { useWords } from "../words";

type Invitee = Schemas["Invitee"];

/** Who invites, into what; and the way in: a new account, or the one that is signed in here. */
export function InvitationPage() {
  const t = useWords().invitation;
  useTitle(t.title);
  const user = useUser();
  const [made, setMade] = useState(false);
  const token = useLinkToken();
  const look = $api.useQuery("post", "/api/v1/auth/invitation", { body: { token } }, { enabled: token !== "", staleTime: Infinity });
  return (
    <Gate>
      <h1>{t.title}</h1>
      {token === "" ? (
        <LinkProblem problem={null} />
      ) : look.isError ? (
        <LinkProblem problem={problemOf(look.error)} />
      ) : look.isPending ? (
        <Skeleton height={240} />
      ) : (
        <>
          <Invited invitee={look.data} />
          {user && !made ? <Join token={token} invitee={look.data} user={user} /> : <NewAccount token={token} invitee={look.data} onMade={() => setMade(true)} />}
        </>
      )}
    </Gate>
  );
}

function Invited({ invitee }: { invitee: Invitee }) {
  const t = useWords();
  const { project, project_role: inProject } = invitee;
  return (
    <div className="stack-s break">
      <p>{project !== null ? t.invitation.intoProject({ by: invitee.invited_by, project }) : t.invitation.plain({ by: invitee.invited_by })}</p>
      <p className="small dim">
        {t.invitation.role({ role: t.roles[invitee.role] })}
        {inProject !== null && ` ${t.invitation.projectRole({ role: t.projectRoles[inProject] })}`} {t.invitation.until({ time: dateTime(invitee.expires_at) })}
      </p>
    </div>
  );
}

function NewAccount({ token, invitee, onMade }: { token: string; invitee: Invitee; onMade: () => void }) {
  const t = useWords();
  const navigate = useNavigate();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const password = useNewPassword();
  const accept = $api.useMutation("post", "/api/v1/auth/accept", {
    onSuccess(tokens) {
      onMade();
      forgetLink("/invitation");
      session.begin(tokens);
      void navigate({ to: "/", replace: true });
    },
  });
  const problem = accept.error ? problemOf(accept.error) : null;
  const wrong = fieldErrors(problem);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (password.fits()) accept.mutate({ body: { token, email: invitee.email ?? email, name, password: password.value, cookie: true } });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <TextInput label={t.login.email} type="email" autoComplete="username" required readOnly={invitee.email !== null} value={invitee.email ?? email} onChange={(e) => setEmail(e.currentTarget.value)} error={wrong.email} />
      <TextInput label={t.name} description={t.setup.optional} autoComplete="name" maxLength={200} value={name} onChange={(e) => setName(e.currentTarget.value)} error={wrong.name} />
      <NewPassword label={t.login.password} password={password} error={wrong.password} />
      {problem?.errors.length === 0 && <LinkProblem problem={problem} />}
      <Button type="submit" loading={accept.isPending}>
        {t.setup.make}
      </Button>
    </form>
  );
}

function Join({ token, invitee, user }: { token: string; invitee: Invitee; user: Schemas["User"] }) {
  const t = useWords();
  const navigate = useNavigate();
  const join = $api.useMutation("post", "/api/v1/invitations/accept", {
    async onSuccess() {
      forgetLink("/invitation");
      await queryClient.invalidateQueries();
      void navigate({ to: "/", replace: true });
    },
  });
  const mine = invitee.project !== null && (invitee.email === null || invitee.email === user.email);
  return (
    <div className="stack">
      <p className="break">{t.invitation.signedInAs({ name: user.name || user.email })}</p>
      {!mine && <p className="dim">{invitee.project === null ? t.invitation.newAccount : t.invitation.otherAddress({ email: invitee.email ?? "" })}</p>}
      {join.error && <LinkProblem problem={problemOf(join.error)} />}
      <div className="row wrap">
        {mine && (
          <Button loading={join.isPending} onClick={() => join.mutate({ body: { token } })}>
            {t.invitation.join}
          </Button>
        )}
        <Button variant="default" onClick={() => void signOut()}>
          {t.shell.signOut}
        </Button>
      </div>
    </div>
  );
}
