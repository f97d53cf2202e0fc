import "./DropUpload.css";
import { Button, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState, type DragEvent, type SubmitEvent } from "react";
import { dismiss, upload, useUploads, type Upload } from "../api/upload";
import { bytes } from "../lib/format";
import { Bar, Callout } from "./states";

/** An archive dropped or chosen, named, then sent. */
export function DropUpload() {
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
        aria-label="Upload a data set"
        data-over={over}
        onDragOver={(e) => {
          e.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <input ref={chooser} type="file" hidden aria-label="Archive" accept=".zip,.tar,.tgz,.tar.gz,.tar.bz2,.tar.xz" onChange={(e) => choose(e.currentTarget.files?.[0])} />
        {file ? (
          <form onSubmit={(e) => void send(e)}>
            <TextInput label="Name of the data set" description={`${file.name}, ${bytes(file.size)}`} required maxLength={200} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
            <Button type="submit">Upload</Button>
            <Button variant="default" onClick={() => setFile(null)}>
              Cancel
            </Button>
          </form>
        ) : (
          <>
            <div>
              <h2>Drop a zip or tar here</h2>
              <p className="dim small">
                One folder for each class, images inside: <code>roses/1.jpg</code>, <code>tulips/2.jpg</code>
              </p>
            </div>
            <Button variant="default" onClick={() => chooser.current?.click()}>
              Choose a file
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
  if (u.failure !== null)
    return (
      <Callout
        tone="bad"
        title={`${u.name} was not uploaded`}
        action={
          <Button size="xs" variant="default" onClick={() => dismiss(u.key)}>
            Dismiss
          </Button>
        }
      >
        <p>{u.failure}</p>
      </Callout>
    );
  return (
    <div className="panel upload">
      <div className="row between">
        <span className="clip">Uploading {u.name}</span>
        <span className="row">
          <span className="small dim nowrap">
            {bytes(Math.min(u.sent, u.size))} of {bytes(u.size)}
          </span>
          <Button size="compact-xs" variant="subtle" onClick={u.cancel}>
            Cancel
          </Button>
        </span>
      </div>
      <Bar value={(100 * u.sent) / Math.max(1, u.size)} label={`Upload of ${u.name}`} />
    </div>
  );
}
