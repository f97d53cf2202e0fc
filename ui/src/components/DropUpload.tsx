import "./DropUpload.css";
import { Button, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState, type DragEvent, type SubmitEvent } from "react";
import { dismiss, giveUp, unfinished, upload, useUploads, type Begun, type Upload } from "../api/upload";
import { bytes } from "../lib/format";
import type { Project } from "../lib/projects";
import { useWords } from "../words";
import { ProjectChooser } from "./ProjectChooser";
import { Bar, Callout } from "./states";

/** An archive dropped or chosen, named, then sent into one of these projects; or gone on with, where its upload had broken off. */
export function DropUpload({ projects, into }: { projects: readonly Project[]; into?: string | undefined }) {
  const t = useWords();
  const navigate = useNavigate();
  const chooser = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [earlier, setEarlier] = useState<{ file: File; begun: Begun | null } | null>(null);
  const begun = earlier?.file === file ? earlier?.begun : null;
  const uploads = useUploads();
  const [chosenProject, setProject] = useState(into);
  const project = (projects.find((p) => p.id === chosenProject) ?? projects[0])?.id;

  const choose = (chosen: File | undefined): void => {
    if (!chosen) return;
    setFile(chosen);
    void unfinished(chosen).then((found) => setEarlier({ file: chosen, begun: found }));
    setName(chosen.name.replace(/(\.tar)?\.[a-z0-9]+$/i, ""));
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    choose(event.dataTransfer.files[0]);
  };
  const send = async (chosen: File, goingOn: Begun | null): Promise<void> => {
    setFile(null);
    if (begun && !goingOn) await giveUp(chosen, begun.path);
    const id = await upload(chosen, name.trim() || chosen.name, goingOn, project);
    if (id && location.pathname === "/datasets") void navigate({ to: "/datasets/$datasetId", params: { datasetId: id } });
  };

  return (
    <div className="stack-s">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- dropping is beside the button, not instead */}
      <section
        className="drop"
        aria-label={t.upload.title}
        data-over={over}
        onDragOver={(e) => {
          e.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <input ref={chooser} type="file" hidden aria-label={t.upload.archive} accept=".zip,.tar,.tgz,.tar.gz,.tar.bz2,.tar.xz" onChange={(e) => choose(e.currentTarget.files?.[0])} />
        {file ? (
          <form
            onSubmit={(e: SubmitEvent) => {
              e.preventDefault();
              void send(file, begun ?? null);
            }}
          >
            <TextInput label={t.upload.name} description={t.upload.file({ name: file.name, size: bytes(file.size) })} required maxLength={200} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
            {!begun && <ProjectChooser label={t.upload.project} shown projects={projects} value={project ?? ""} onChange={setProject} />}
            {begun && (
              <p className="small" role="status">
                {t.upload.brokeOff({ sent: bytes(begun.offset), size: bytes(file.size) })}
              </p>
            )}
            <Button type="submit">{begun ? t.upload.goOn : t.upload.upload}</Button>
            {begun && (
              <Button variant="default" onClick={() => void send(file, null)}>
                {t.upload.startAgain}
              </Button>
            )}
            <Button variant="default" onClick={() => setFile(null)}>
              {t.cancel}
            </Button>
          </form>
        ) : (
          <>
            <div>
              <h2>{t.upload.drop}</h2>
              <p className="dim small">{t.upload.layout({ first: <code>roses/1.jpg</code>, second: <code>tulips/2.jpg</code> })}</p>
            </div>
            <Button variant="default" onClick={() => chooser.current?.click()}>
              {t.upload.choose}
            </Button>
          </>
        )}
      </section>
      {uploads.map((u) => (
        <UploadRow key={u.key} upload={u} />
      ))}
    </div>
  );
}

function UploadRow({ upload: u }: { upload: Upload }) {
  const t = useWords();
  if (u.failure !== null)
    return (
      <Callout
        tone="bad"
        title={t.upload.failed({ name: u.name })}
        action={
          <Button size="xs" variant="default" onClick={() => dismiss(u.key)}>
            {t.upload.dismiss}
          </Button>
        }
      >
        <p>{u.failure()}</p>
      </Callout>
    );
  return (
    <div className="panel upload">
      <div className="row between">
        <span className="clip">{t.upload.uploading({ name: u.name })}</span>
        <span className="row">
          <span className="small dim nowrap" role="status">
            {u.waiting ? t.upload.waiting : t.upload.sent({ sent: bytes(Math.min(u.sent, u.size)), size: bytes(u.size) })}
          </span>
          <Button size="compact-xs" variant="subtle" onClick={u.cancel}>
            {t.cancel}
          </Button>
        </span>
      </div>
      <Bar value={(100 * u.sent) / Math.max(1, u.size)} label={t.upload.progress({ name: u.name })} />
    </div>
  );
}
