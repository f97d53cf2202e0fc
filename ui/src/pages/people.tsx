import "./people.css";
import "../styles/fields.css";
import { Button, NativeSelect } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { $api, api, queryClient, unwrap, type Schemas } from "../api/client";
import { problemOf } from "../api/problem";
import { useUser } from "../api/session";
import { AskButton } from "../components/AskButton";
import { Invite } from "../components/Invite";
import { invitationsQuery, OpenInvitations } from "../components/OpenInvitations";
import { Projects } from "../components/Projects";
import { Quota } from "../components/Quota";
import { Secret } from "../components/Secret";
import { Badge, Failure, Skeleton } from "../components/states";
import { dateTime } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { may } from "../lib/people";
import { useWords } from "../words";
import { useAdminWords } from "../words/admin";

type User = Schemas["User"];

const PAGE = 100;
const openInvitations = $api.queryOptions("get", "/api/v1/invitations", invitationsQuery);

/** Everybody here, for those who look after them. */
export function PeoplePage() {
  const t = useWords().people;
  useTitle(t.title);
  const user = useUser();
  const me = $api.useQuery("get", "/api/v1/auth/me");
  const list = useInfiniteQuery({
    queryKey: ["get", "/api/v1/users"],
    queryFn: ({ pageParam }) => unwrap(api.GET("/api/v1/users", { params: { query: { limit: PAGE, ...(pageParam && { cursor: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });
  if (!user) return null;
  const projects = me.data?.projects ?? [];
  const refetch = (): void => void list.refetch();
  return (
    <div className="stack-l">
      <h1>{t.title}</h1>
      {may(user).length > 0 && (
        <section className="panel stack" aria-label={t.inviteTitle}>
          <h2>{t.inviteTitle}</h2>
          <Invite user={user} projects={projects.filter((p) => p.role === "owner")} onMade={() => void queryClient.invalidateQueries(openInvitations)} />
          <OpenInvitations />
        </section>
      )}
      <section className="panel stack" aria-label={t.everybody}>
        <h2>{t.everybody}</h2>
        {list.isPending && <Skeleton height={240} />}
        {list.isError && <Failure error={list.error} retry={refetch} />}
        <ul className="people">
          {list.data?.pages.flatMap((page) => page.items).map((person) => <Person key={person.id} person={person} user={user} onChange={refetch} />)}
        </ul>
        {list.hasNextPage && (
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {t.more}
          </Button>
        )}
      </section>
      {projects.length > 0 && <Projects projects={projects} />}
    </div>
  );
}

function Person({ person, user, onChange }: { person: User; user: User; onChange: () => void }) {
  const t = useWords();
  const a = useAdminWords().quota;
  const [link, setLink] = useState<Schemas["ResetLink"] | null>(null);
  const [counted, setCounted] = useState(false);
  const path = { params: { path: { user_id: person.id } } };
  const change = $api.useMutation("patch", "/api/v1/users/{user_id}", { onSuccess: onChange });
  const name = person.name || person.email;
  const mine = person.id === user.id;
  const managed = may(user).includes(person.role);
  const disable = async (disabled: boolean): Promise<void> => {
    await unwrap(api.PATCH("/api/v1/users/{user_id}", { ...path, body: { disabled } }));
    setLink(null);
    onChange();
  };
  const makeLink = async (): Promise<void> => setLink(await unwrap(api.POST("/api/v1/users/{user_id}/reset", path)));
  return (
    <li aria-label={name}>
      <div className="grow">
        <p className="break">
          {name} {mine && <span className="small dim">({t.people.you})</span>} {person.disabled && <Badge tone="off">{t.people.disabled}</Badge>}
        </p>
        <p className="small dim break">
          {[person.name && person.email, (!managed || mine) && t.roles[person.role]].filter(Boolean).join(" · ")}
        </p>
        {change.error && (
          <p className="small bad" role="alert">
            {problemOf(change.error).detail}
          </p>
        )}
      </div>
      <div className="row wrap">
        <Button variant="subtle" aria-expanded={counted} aria-label={a.of({ name })} onClick={() => setCounted(!counted)}>
          {a.show}
        </Button>
        {managed && !mine && (
          <>
            <NativeSelect
              aria-label={t.people.roleOf({ name })}
              rightSection={<ChevronDown size={15} aria-hidden />}
              data={may(user).map((value) => ({ value, label: t.roles[value] }))}
              value={person.role}
              disabled={change.isPending}
              onChange={(e) => change.mutate({ ...path, body: { role: e.currentTarget.value as User["role"] } })}
            />
            {!person.disabled && (
              <AskButton label={t.people.resetLink} title={t.people.resetTitle({ name })} confirm={t.people.makeLink} dismiss={t.cancel} onConfirm={makeLink}>
                <p className="dim">{t.people.resetHelp}</p>
              </AskButton>
            )}
            {person.disabled ? (
              <AskButton label={t.people.enable} title={t.people.enableTitle({ name })} confirm={t.people.enable} dismiss={t.cancel} onConfirm={() => disable(false)}>
                <p className="dim">{t.people.enableHelp}</p>
              </AskButton>
            ) : (
              <AskButton label={t.people.disable} title={t.people.disableTitle({ name })} confirm={t.people.disable} dismiss={t.cancel} danger onConfirm={() => disable(true)}>
                <p className="dim">{t.people.disableHelp}</p>
              </AskButton>
            )}
          </>
        )}
      </div>
      {counted && (
        <section className="people-link" aria-label={a.of({ name })}>
          <Quota subject={{ kind: "user", id: person.id, name }} mayChange={user.role === "admin"} />
        </section>
      )}
      {link && (
        <div className="people-link">
          <Secret key={link.url} label={t.people.resetLinkOf({ name })} value={link.url} help={t.people.linkHelp({ time: dateTime(link.expires_at) })} />
        </div>
      )}
    </li>
  );
}
