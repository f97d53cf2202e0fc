import "./DropUpload.css";
import { Button, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState, type DragEvent, type SubmitEvent } from "react";
import { dismiss, upload, useUploads, type Upload } from "../api/upload";
import { bytes } from "../lib/format";
import { useWords } from "../words";
import { Bar, Callout } from "./states";

/** An archive dropped or chosen, named, then sent. */
export function DropUpload() {
  const t = useWords();
  const navigate = useNavigate();
  const chooser = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const uploads = useUploads();

  const choose = (chosen: File | undefined): void => {
    if (!chosen) return;
    setFile(chosen);
    setName(chosen.name.replace(/(\.tar)?\.[a-z0-9]+$/i, ""));
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    choose(event.dataTransfer.files[0]);
  };
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!file) return;
    setFile(null);
    const id = await upload(file, name.trim() || file.name);
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
          <form onSubmit={(e) => void send(e)}>
            <TextInput label={t.upload.name} description={t.upload.file({ name: file.name, size: bytes(file.size) })} required maxLength={200} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
            <Button type="submit">{t.upload.upload}</Button>
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
          <span className="small dim nowrap">{t.upload.sent({ sent: bytes(Math.min(u.sent, u.size)), size: bytes(u.size) })}</span>
          <Button size="compact-xs" variant="subtle" onClick={u.cancel}>
            {t.cancel}
          </Button>
        </span>
      </div>
      <Bar value={(100 * u.sent) / Math.max(1, u.size)} label={t.upload.progress({ name: u.name })} />
    </div>
  );
}
