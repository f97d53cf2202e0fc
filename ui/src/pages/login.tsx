import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type SubmitEvent } from "react";
import { $api } from "../api/client";
import { problemOf } from "../api/problem";
import { session } from "../api/session";
import { Gate } from "../components/Gate";
import { Callout } from "../components/states";
import { useTitle } from "../lib/hooks";
import { useWords } from "../words";

export function LoginPage() {
  const t = useWords().login;
  useTitle(t.title);
  const navigate = useNavigate();
  const { next } = useSearch({ from: "/login" });
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const setup = $api.useQuery("get", "/api/v1/auth/setup");
  const login = $api.useMutation("post", "/api/v1/auth/login", {
    onSuccess(tokens) {
      session.begin(tokens);
      void navigate({ href: ownAddress(next) });
    },
  });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    login.mutate({ body: { email, password, cookie: true } });
  };
  return (
    <Gate>
      <h1>{t.title}</h1>
      {session.lapsed() && (
        <Callout tone="lamp" title={t.lapsed}>
          {next && <p>{t.lapsedHelp}</p>}
        </Callout>
      )}
      {setup.data?.needed && (
        <Callout tone="lamp" title={t.nobody}>
          <p>{t.openLink}</p>
        </Callout>
      )}
      <form className="stack" onSubmit={submit}>
        <TextInput label={t.email} type="email" autoComplete="username" required value={email} onChange={(e) => setEmail(e.currentTarget.value)} />
        <PasswordInput label={t.password} autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
        {login.error ? <Callout tone="bad" title={problemOf(login.error).detail} /> : null}
        <Button type="submit" loading={login.isPending}>
          {t.title}
        </Button>
      </form>
    </Gate>
  );
}

/** Only addresses of this site: `next` comes from a link anybody can make. */
export const ownAddress = (next: string | undefined): string => (next && /^\/(?![/\\])/.test(next) ? next : "/");
