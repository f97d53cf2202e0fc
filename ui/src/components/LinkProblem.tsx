import { Link } from "@tanstack/react-router";
import type { Problem } from "../api/problem";
import { useWords } from "../words";
import { Callout } from "./states";

const toLogin = (text: string) => <Link to="/login">{text}</Link>;
const toLoginAndBack = (text: string) => (
  <Link to="/login" search={{ next: "/invitation" }}>
    {text}
  </Link>
);

/** Why a link does not do what it is for, and what does. Without a problem the link came without its token. */
export function LinkProblem({ problem }: { problem: Problem | null }) {
  const t = useWords().link;
  if (problem === null)
    return (
      <Callout tone="bad" title={t.incomplete}>
        <p>{t.openAgain}</p>
      </Callout>
    );
  if (problem.code === "link_invalid")
    return (
      <Callout tone="bad" title={t.invalid}>
        <p>{t.askAgain}</p>
        <p>{t.orSignIn({ link: toLogin })}</p>
      </Callout>
    );
  if (problem.code === "account_exists")
    return (
      <Callout tone="bad" title={t.exists}>
        <p>{t.signInToAccept({ link: toLoginAndBack })}</p>
      </Callout>
    );
  return <Callout tone="bad" title={problem.detail} />;
}
