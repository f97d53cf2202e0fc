import "./people.css";
import "../styles/fields.css";
import { Button, NativeSelect, PasswordInput, TextInput } from "@mantine/core";
import { ChevronDown } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { $api, api, unwrap, type Schemas } from "../api/client";
import { fieldErrors, problemOf } from "../api/problem";
import { session, useUser } from "../api/session";
import { signOutEverywhere } from "../api/sign-out";
import { AskButton } from "../components/AskButton";
import { NewPassword, useNewPassword } from "../components/NewPassword";
import { Quota } from "../components/Quota";
import { Projects } from "../components/Projects";
import { Secret } from "../components/Secret";
import { Badge, Callout, Failure, Skeleton } from "../components/states";
import { agent } from "../lib/agent";
import { ago, dateTime } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { useWords } from "../words";
import { useAdminWords } from "../words/admin";

/** What concerns oneself: name, password, where one is signed in, tokens for programs. */
export function AccountPage() {
  const t = useWords().account;
  const { quota } = useAdminWords();
  useTitle(t.title);
  const user = useUser();
  const projects = $api.useQuery("get", "/api/v1/auth/me").data?.projects ?? [];
  if (!user) return null;
  return (
    <div className="stack-l">
      <h1>{t.title}</h1>
      <div className="people-two">
        <Person user={user} />
        <Password />
      </div>
      <section className="panel stack" aria-label={quota.mine}>
        <h2>{quota.mine}</h2>
        <Quota subject={{ kind: "user", id: user.id, name: user.name || user.email }} mayChange={user.role === "admin"} />
      </section>
      {projects.length > 0 && <Projects projects={projects} />}
      <Sessions />
      <Tokens />
    </div>
  );
}

function Person({ user }: { user: Schemas["User"] }) {
  const t = useWords();
  const [name, setName] = useState(user.name);
  const change = $api.useMutation("patch", "/api/v1/auth/me", { onSuccess: session.changed });
  const problem = change.error ? problemOf(change.error) : null;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    change.mutate({ body: { name } });
  };
  return (
    <section className="panel" aria-label={t.account.you}>
      <h2 className="panel-title">{t.account.you}</h2>
      <form className="stack" onSubmit={submit}>
        <p className="break">
          {user.email} <span className="dim small">· {t.roles[user.role]}</span>
        </p>
        <TextInput label={t.name} autoComplete="name" maxLength={200} value={name} onChange={(e) => setName(e.currentTarget.value)} error={fieldErrors(problem).name} />
        {problem?.errors.length === 0 && <Callout tone="bad" title={problem.detail} />}
        <div className="row">
          <Button type="submit" variant="default" loading={change.isPending}>
            {t.account.saveName}
          </Button>
          <span className="small dim" role="status">
            {change.isSuccess && name === user.name && t.account.saved}
          </span>
        </div>
      </form>
    </section>
  );
}

function Password() {
  const t = useWords();
  const [current, setCurrent] = useState("");
  const password = useNewPassword();
  const change = $api.useMutation("post", "/api/v1/auth/password", {
    onSuccess() {
      setCurrent("");
      password.change("");
    },
  });
  const problem = change.error ? problemOf(change.error) : null;
  const wrong = fieldErrors(problem);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (password.fits()) change.mutate({ body: { current, new: password.value } });
  };
  return (
    <section className="panel" aria-label={t.login.password}>
      <h2 className="panel-title">{t.login.password}</h2>
      <form className="stack" onSubmit={submit}>
        <PasswordInput label={t.account.current} autoComplete="current-password" required value={current} onChange={(e) => setCurrent(e.currentTarget.value)} error={wrong.current} />
        <NewPassword label={t.reset.password} password={password} error={wrong.new} />
        {problem?.errors.length === 0 && <Callout tone="bad" title={problem.detail} />}
        <div className="row">
          <Button type="submit" variant="default" loading={change.isPending}>
            {t.account.changePassword}
          </Button>
          <span className="small dim" role="status">
            {change.isSuccess && t.account.passwordChanged}
          </span>
        </div>
      </form>
    </section>
  );
}

function Sessions() {
  const t = useWords();
  const list = $api.useQuery("get", "/api/v1/auth/sessions");
  const end = async (id: string): Promise<void> => {
    await unwrap(api.DELETE("/api/v1/auth/sessions/{session_id}", { params: { path: { session_id: id } } }));
    await list.refetch();
  };
  return (
    <section className="panel stack" aria-label={t.account.sessions}>
      <div className="row between wrap">
        <h2>{t.account.sessions}</h2>
        <AskButton label={t.account.everywhere} title={t.account.everywhereTitle} confirm={t.account.everywhere} dismiss={t.account.stay} danger onConfirm={signOutEverywhere}>
          <p className="dim">{t.account.everywhereHelp}</p>
        </AskButton>
      </div>
      {list.isPending && <Skeleton height={72} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      <ul className="people">
        {list.data?.items.map((s) => (
          <li key={s.id}>
            <div className="grow">
              <p className="break">
                {agent(s.user_agent) || t.account.unknown} {s.current && <Badge tone="live">{t.account.thisOne}</Badge>}
              </p>
              <p className="small dim break">{t.account.sessionFacts({ ip: s.ip, used: ago(s.last_used_at), until: dateTime(s.expires_at) })}</p>
            </div>
            {!s.current && (
              <AskButton label={t.account.end} title={t.account.endTitle} confirm={t.account.end} dismiss={t.keepIt} danger onConfirm={() => end(s.id)}>
                <p className="dim">{t.account.endHelp}</p>
              </AskButton>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Tokens() {
  const t = useWords();
  const list = $api.useQuery("get", "/api/v1/tokens");
  const [made, setMade] = useState<Schemas["MadeApiToken"] | null>(null);
  const remove = async (id: string): Promise<void> => {
    await unwrap(api.DELETE("/api/v1/tokens/{token_id}", { params: { path: { token_id: id } } }));
    if (made?.id === id) setMade(null);
    await list.refetch();
  };
  return (
    <section className="panel stack" aria-label={t.account.tokens}>
      <h2>{t.account.tokens}</h2>
      <p className="dim">{t.account.tokensHelp}</p>
      <NewToken
        onMade={(token) => {
          setMade(token);
          void list.refetch();
        }}
      />
      {made && <Secret key={made.id} label={t.account.tokenMade({ name: made.name })} value={made.token} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      <ul className="people">
        {list.data?.items.map((token) => (
          <li key={token.id}>
            <div className="grow">
              <p className="break">
                {token.name} <span className="small dim">· {t.scopes[token.scope]}</span>
              </p>
              <p className="small dim">
                {token.expires_at ? t.account.until({ time: dateTime(token.expires_at) }) : t.account.forever} {token.last_used_at ? t.account.used({ time: ago(token.last_used_at) }) : t.account.unused}
              </p>
            </div>
            <AskButton label={t.delete} title={t.account.deleteTitle({ name: token.name })} confirm={t.deleteIt} dismiss={t.keepIt} danger onConfirm={() => remove(token.id)}>
              <p className="dim">{t.account.deleteHelp}</p>
            </AskButton>
          </li>
        ))}
      </ul>
    </section>
  );
}

const LIVES = [7, 30, 90, 365] as const;

function NewToken({ onMade }: { onMade: (token: Schemas["MadeApiToken"]) => void }) {
  const t = useWords();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<Schemas["ApiToken"]["scope"]>("read");
  const [days, setDays] = useState("90");
  const make = $api.useMutation("post", "/api/v1/tokens", {
    onSuccess(token) {
      setName("");
      onMade(token);
    },
  });
  const problem = make.error ? problemOf(make.error) : null;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    make.mutate({ body: { name, scope, expires_in_days: days ? Number(days) : null } });
  };
  const chevron = <ChevronDown size={15} aria-hidden />;
  return (
    <form className="stack" onSubmit={submit}>
      <div className="people-form">
        <TextInput label={t.account.tokenName} required maxLength={200} autoComplete="off" value={name} onChange={(e) => setName(e.currentTarget.value)} error={fieldErrors(problem).name} />
        <NativeSelect label={t.account.scope} rightSection={chevron} data={(["read", "write"] as const).map((value) => ({ value, label: t.scopes[value] }))} value={scope} onChange={(e) => setScope(e.currentTarget.value === "write" ? "write" : "read")} />
        <NativeSelect label={t.account.expires} rightSection={chevron} data={[...LIVES.map((n) => ({ value: String(n), label: t.account.days({ n }) })), { value: "", label: t.account.never }]} value={days} onChange={(e) => setDays(e.currentTarget.value)} />
        <Button type="submit" loading={make.isPending}>
          {t.account.makeToken}
        </Button>
      </div>
      {problem?.errors.length === 0 && <Callout tone="bad" title={problem.detail} />}
    </form>
  );
}
