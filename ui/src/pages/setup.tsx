import { Button, PasswordInput, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState, type SubmitEvent } from "react";
import { $api } from "../api/client";
import { fieldErrors, problemOf } from "../api/problem";
import { session } from "../api/session";
import { Gate } from "../components/Gate";
import { Callout } from "../components/states";
import { plural } from "../lib/format";
import { useTitle } from "../lib/hooks";

const SHORTEST = 10;

/** First run. The token stands in the fragment (`/setup#token=…`), which browsers keep to themselves. */
export function SetupPage() {
  useTitle("Set up");
  const state = $api.useQuery("get", "/api/v1/auth/setup");
  return (
    <Gate>
      <h1>Set up VisionAI</h1>
      {state.data?.needed === false ? (
        <Callout title="VisionAI is set up already">
          <p>
            <Link to="/login">Sign in</Link> with the account that was made then.
          </p>
        </Callout>
      ) : (
        <SetupForm />
      )}
    </Gate>
  );
}

function SetupForm() {
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
      <p className="dim">This makes the first account, the administrator&apos;s. It may do everything.</p>
      {!linked && (
        <TextInput label="Set-up token" description="The server prints it at start, at the end of the set-up link." required autoComplete="off" value={token} onChange={(e) => setToken(e.currentTarget.value)} error={wrong.token} />
      )}
      <TextInput label="E-mail" type="email" autoComplete="username" required value={email} onChange={(e) => setEmail(e.currentTarget.value)} error={wrong.email} />
      <TextInput label="Name" description="Optional." autoComplete="name" value={name} onChange={(e) => setName(e.currentTarget.value)} error={wrong.name} />
      <PasswordInput label="Password" description={`At least ${SHORTEST} characters.`} autoComplete="new-password" required value={password} onChange={(e) => changePassword(e.currentTarget.value)} error={short ? `That has ${plural(password.length, "character")}: at least ${SHORTEST} are needed.` : wrong.password} />
      {problem && problem.errors.length === 0 && <Callout tone="bad" title={problem.detail} />}
      <Button type="submit" loading={setup.isPending}>
        Make the account
      </Button>
    </form>
  );
}
