import { Link } from "@tanstack/react-router";
import type { Schemas } from "../api/client";
import { useWords } from "../words";

/** Ways to the members of each. */
export function Projects({ projects }: { projects: Schemas["Project"][] }) {
  const t = useWords();
  return (
    <section className="panel stack" aria-label={t.people.projects}>
      <h2>{t.people.projects}</h2>
      <ul className="people">
        {projects.map((p) => (
          <li key={p.id}>
            <Link to="/projects/$projectId" params={{ projectId: p.id }} className="grow break">
              {p.name}
            </Link>
            <span className="small dim">{t.projectRoles[p.role]}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
