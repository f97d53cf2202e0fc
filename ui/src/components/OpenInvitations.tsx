import { $api, api, unwrap } from "../api/client";
import { dateTime } from "../lib/format";
import { useWords } from "../words";
import { AskButton } from "./AskButton";
import { Failure } from "./states";

const MOST = 200;
export const invitationsQuery = { params: { query: { limit: MOST } } } as const;

/** Invitations that nobody has accepted yet, of one project or all. */
export function OpenInvitations({ into }: { into?: string }) {
  const t = useWords();
  const list = $api.useQuery("get", "/api/v1/invitations", invitationsQuery);
  const items = list.data?.items.filter((i) => into === undefined || i.project_id === into) ?? [];
  const takeBack = async (id: string): Promise<void> => {
    await unwrap(api.DELETE("/api/v1/invitations/{invitation_id}", { params: { path: { invitation_id: id } } }));
    await list.refetch();
  };
  if (list.isError) return <Failure error={list.error} retry={() => void list.refetch()} />;
  if (items.length === 0) return null;
  return (
    <section className="stack-s" aria-label={t.people.open}>
      <h3>{t.people.open}</h3>
      <ul className="people">
        {items.map((i) => (
          <li key={i.id}>
            <div className="grow">
              <p className="break">
                {i.email ?? t.people.anybody} <span className="small dim">· {t.roles[i.role]}</span>
              </p>
              <p className="small dim break">
                {i.project_name !== null && `${t.people.into({ project: i.project_name })} · `}
                {t.people.by({ name: i.invited_by.name })} · {t.people.until({ time: dateTime(i.expires_at) })}
              </p>
            </div>
            <AskButton label={t.delete} title={t.people.takeBackTitle} confirm={t.deleteIt} dismiss={t.keepIt} danger onConfirm={() => takeBack(i.id)}>
              <p className="dim">{t.people.takeBackHelp}</p>
            </AskButton>
          </li>
        ))}
      </ul>
    </section>
  );
}
