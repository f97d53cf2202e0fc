import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { SubmitEvent } from "react";
import { $api, queryClient } from "../api/client";
import { fieldErrors, problemOf } from "../api/problem";
import { session } from "../api/session";
import { Gate } from "../components/Gate";
import { LinkProblem } from "../components/LinkProblem";
import { NewPassword, useNewPassword } from "../components/NewPassword";
import { useTitle } from "../lib/hooks";
import { forgetLink, useLinkToken } from "../lib/link";
import { useWords } from "../words";

/** A new password by the link that somebody who looks after people has made. */
export function ResetPage() {
  const t = useWords().reset;
  useTitle(t.title);
  const navigate = useNavigate();
  const token = useLinkToken();
  const password = useNewPassword();
  const reset = $api.useMutation("post", "/api/v1/auth/reset", {
    onSuccess(tokens) {
      forgetLink("/reset");
      queryClient.clear();
      session.begin(tokens);
      void navigate({ to: "/", replace: true });
    },
  });
  const problem = reset.error ? problemOf(reset.error) : null;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (password.fits()) reset.mutate({ body: { token, password: password.value, cookie: true } });
  };
  return (
    <Gate>
      <h1>{t.title}</h1>
      {token === "" || problem?.code === "link_invalid" ? (
        <LinkProblem problem={problem} />
      ) : (
        <form className="stack" onSubmit={submit}>
          <p className="dim">{t.help}</p>
          <NewPassword label={t.password} password={password} error={fieldErrors(problem).password} />
          {problem?.errors.length === 0 && <LinkProblem problem={problem} />}
          <Button type="submit" loading={reset.isPending}>
            {t.set}
          </Button>
        </form>
      )}
    </Gate>
  );
}
