import "./people.css";
import "../styles/fields.css";
import { TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { $api, api, queryClient, unwrap } from "../api/client";
import { useUser } from "../api/session";
import { AskButton } from "../components/AskButton";
import { Empty, Failure, Skeleton } from "../components/states";
import { useTitle } from "../lib/hooks";
import { useWords } from "../words";
import { useAdminWords } from "../words/admin";

/** The projects that one is in; an admin sees all. */
export function ProjectsPage() {
  const words = useWords();
  const t = useAdminWords().projects;
  useTitle(t.title);
  const maker = useUser()?.role !== "viewer";
  const list = $api.useQuery("get", "/api/v1/projects");
  return (
    <div className="stack-l">
      <div className="page-head">
        <div>
          <h1>{t.title}</h1>
          <p className="dim">{t.help}</p>
        </div>
        {maker && <NewProject />}
      </div>
      {list.isPending && <Skeleton height={240} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data?.items.length === 0 && (
        <Empty title={t.none}>
          <p>{maker ? t.noneHelp : t.noneForViewer}</p>
        </Empty>
      )}
      {list.data && list.data.items.length > 0 && (
        <ul className="panel people" aria-label={t.title}>
          {list.data.items.map((p) => (
            <li key={p.id}>
              <div className="grow">
                <Link to="/projects/$projectId" params={{ projectId: p.id }} className="break">
                  {p.name}
                </Link>
                <p className="small dim">{[t.datasets({ n: p.datasets }), t.trainings({ n: p.trainings }), t.members({ n: p.members })].join(" · ")}</p>
              </div>
              <span className="small dim">{words.projectRoles[p.role]}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function NewProject() {
  const words = useWords();
  const t = useAdminWords().projects;
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const make = async (): Promise<void> => {
    const made = await unwrap(api.POST("/api/v1/projects", { body: { name: name.trim() } }));
    await queryClient.invalidateQueries();
    await navigate({ to: "/projects/$projectId", params: { projectId: made.id } });
  };
  return (
    <AskButton label={t.make} title={t.makeTitle} confirm={t.makeIt} dismiss={words.cancel} onConfirm={make}>
      <p className="dim">{t.makeHelp}</p>
      <TextInput label={t.name} required maxLength={200} autoComplete="off" data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
    </AskButton>
  );
}
