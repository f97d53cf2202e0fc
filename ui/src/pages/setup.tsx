import { Button, PasswordInput, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState, type SubmitEvent } from "react";
import { $api } from "../api/client";
import { fieldErrors, problemOf } from "../api/problem";
import { session } from "../api/session";
import { Gate } from "../components/Gate";
import { Callout } from "../components/states";
import { useTitle } from "../lib/hooks";
import { useWords } from "../words";

const SHORTEST = 10;

/** First run. The token stands in the fragment (`/setup#token=…`), which browsers keep to themselves. */
export function SetupPage() {
  const t = useWords().setup;
  useTitle(t.title);
  const state = $api.useQuery("get", "/api/v1/auth/setup");
  return (
    <Gate>
      <h1>{t.heading}</h1>
      {state.data?.needed === false ? (
        <Callout title={t.already}>
          <p>{t.signIn({ link: toLogin })}</p>
        </Callout>
      ) : (
        <SetupForm />
      )}
    </Gate>
  );
}

const toLogin = (text: string) => <Link to="/login">{text}</Link>;

function SetupForm() {
  const t = useWords();
  const navigate = useNavigate();
  const [token, setToken] = useState(() => new URLSearchParams(location.hash.slice(1)).get("token") ?? "");
  const [linked] = useState(token !== "");
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [short, setShort] = useState(false);
  const setup = $api.useMutation("post", "/api/v1/auth/setup", {
    onSuccess(tokens) {
      session.begin(tokens);
      void navigate({ to: "/", replace: true });
    },
  });
  const problem = setup.error ? problemOf(setup.error) : null;
  const wrong = fieldErrors(problem);
  const changePassword = (typed: string): void => {
    setPassword(typed);
    setShort(false);
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (password.length < SHORTEST) return setShort(true);
    setup.mutate({ body: { token, email, password, name, cookie: true } });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <p className="dim">{t.setup.first}</p>
      {!linked && (
        <TextInput label={t.setup.token} description={t.setup.tokenHelp} required autoComplete="off" value={token} onChange={(e) => setToken(e.currentTarget.value)} error={wrong.token} />
      )}
      <TextInput label={t.login.email} type="email" autoComplete="username" required value={email} onChange={(e) => setEmail(e.currentTarget.value)} error={wrong.email} />
      <TextInput label={t.name} description={t.setup.optional} autoComplete="name" value={name} onChange={(e) => setName(e.currentTarget.value)} error={wrong.name} />
      <PasswordInput label={t.login.password} description={t.setup.atLeast({ n: SHORTEST })} autoComplete="new-password" required value={password} onChange={(e) => changePassword(e.currentTarget.value)} error={short ? t.setup.tooShort({ n: password.length, least: SHORTEST }) : wrong.password} />
      {problem && problem.errors.length === 0 && <Callout tone="bad" title={problem.detail} />}
      <Button type="submit" loading={setup.isPending}>
        {t.setup.make}
      </Button>
    </form>
  );
}
