import { Button, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState, type SubmitEvent } from "react";
import { $api } from "../api/client";
import { fieldErrors, problemOf } from "../api/problem";
import { session } from "../api/session";
import { Gate } from "../components/Gate";
import { NewPassword, useNewPassword } from "../components/NewPassword";
import { Callout } from "../components/states";
import { useTitle } from "../lib/hooks";
import { forgetLink, useLinkToken } from "../lib/link";
import { useWords } from "../words";

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
  const linked = useLinkToken();
  const [typed, setTyped] = useState("");
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const password = useNewPassword();
  const setup = $api.useMutation("post", "/api/v1/auth/setup", {
    onSuccess(tokens) {
      forgetLink("/setup");
      session.begin(tokens);
      void navigate({ to: "/", replace: true });
    },
  });
  const problem = setup.error ? problemOf(setup.error) : null;
  const wrong = fieldErrors(problem);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (password.fits()) setup.mutate({ body: { token: linked || typed, email, password: password.value, name, cookie: true } });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <p className="dim">{t.setup.first}</p>
      {linked === "" && (
        <TextInput label={t.setup.token} description={t.setup.tokenHelp} required autoComplete="off" value={typed} onChange={(e) => setTyped(e.currentTarget.value)} error={wrong.token} />
      )}
      <TextInput label={t.login.email} type="email" autoComplete="username" required value={email} onChange={(e) => setEmail(e.currentTarget.value)} error={wrong.email} />
      <TextInput label={t.name} description={t.setup.optional} autoComplete="name" value={name} onChange={(e) => setName(e.currentTarget.value)} error={wrong.name} />
      <NewPassword label={t.login.password} password={password} error={wrong.password} />
      {problem && problem.errors.length === 0 && <Callout tone="bad" title={problem.detail} />}
      <Button type="submit" loading={setup.isPending}>
        {t.setup.make}
      </Button>
    </form>
  );
}
