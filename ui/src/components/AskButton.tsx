import "./AskButton.css";
import { Button } from "@mantine/core";
import { useId, useRef, useState, type ReactNode } from "react";
import { problemOf } from "../api/problem";

type Props = {
  label: string;
  title: string;
  /** What will happen, and fields where there is something to choose. */
  children: ReactNode;
  confirm: string;
  dismiss: string;
  danger?: boolean;
  disabled?: boolean;
  /** The dialog closes when it resolves; what it throws is shown in it. */
  onConfirm: () => Promise<unknown>;
};

/** A button that asks before it does something. */
export function AskButton({ label, title, children, confirm, dismiss, danger, disabled, onConfirm }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [pending, setPending] = useState(false);
  const [wrong, setWrong] = useState<unknown>(null);

  async function act() {
    setPending(true);
    setWrong(null);
    try {
      await onConfirm();
      dialog.current?.close();
    } catch (error) {
      setWrong(error);
    } finally {
      setPending(false);
    }
  }

  return (
    <>
      <Button variant="default" disabled={disabled} onClick={() => dialog.current?.showModal()}>
        {label}
      </Button>
      <dialog ref={dialog} className="dialog" aria-labelledby={id} onClose={() => setWrong(null)}>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            void act();
          }}
        >
          <h2 id={id}>{title}</h2>
          {children}
          {wrong !== null && <p role="alert">{problemOf(wrong).detail}</p>}
          <div className="row wrap">
            <Button type="submit" color={danger ? "red" : undefined} loading={pending}>
              {confirm}
            </Button>
            <Button variant="default" onClick={() => dialog.current?.close()}>
              {dismiss}
            </Button>
          </div>
        </form>
      </dialog>
    </>
  );
}
