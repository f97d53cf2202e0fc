import "./AskButton.css";
import "./Palette.css";
import { Button } from "@mantine/core";
import { Fragment, useEffect, useId, useRef, useState } from "react";
import { singleKeys } from "../lib/keys";
import { useWords } from "../words";

const APPLE = /Mac|iP(hone|ad)/.test(navigator.userAgent);

/** Every shortcut there is. */
export function Keys({ onClose }: { onClose: () => void }) {
  const t = useWords().keys;
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const [single, setSingle] = useState(singleKeys.on);
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector("h2")?.focus(); // what is read first, not the switch at the end
  }, []);
  const mod = APPLE ? "⌘" : t.control;
  const groups: { title: string; keys: [does: string, ...pressed: string[][]][] }[] = [
    { title: t.everywhere, keys: [[t.palette, [mod, "K"], ["/"]], [t.sheet, ["?"]], [t.escape, [t.esc]]] },
    {
      title: t.inJobs,
      keys: [
        [t.move, ["↑"], ["↓"]],
        [t.ends, [t.home], [t.end]],
        [t.choose, ["␣"]],
        [t.range, ["⇧", "↑"], ["⇧", "↓"]],
        [t.clickRange, ["⇧", t.click]],
        [t.all, [mod, "A"]],
        [t.none, [t.esc]],
        [t.open, ["↵"]],
      ],
    },
    {
      title: t.inGrid,
      keys: [
        [t.around, ["←"], ["→"], ["↑"], ["↓"]],
        [t.screen, [t.pageUp], [t.pageDown]],
        [t.ends, [t.home], [t.end]],
        [t.open, ["↵"]],
      ],
    },
    {
      title: t.atImage,
      keys: [
        [t.beside, ["←"], ["→"]],
        [t.zoom, ["+"], ["−"]],
        [t.whole, ["0"]],
        [t.back, [t.esc]],
      ],
    },
    { title: t.inChat, keys: [[t.send, ["↵"]], [t.line, ["⇧", "↵"]]] },
  ];
  return (
    <dialog ref={dialog} className="dialog keys" aria-labelledby={id} onClose={onClose}>
      <div className="stack">
        <h2 id={id} tabIndex={-1}>
          {t.title}
        </h2>
        {groups.map((group) => (
          <section key={group.title} className="stack-s" aria-label={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.keys.map(([does, ...pressed]) => (
                <Fragment key={does}>
                  <dt>{does}</dt>
                  <dd>
                    {pressed.map((keys, i) => (
                      <Fragment key={keys.join(" ")}>
                        {i > 0 && " / "}
                        {keys.map((key) => (
                          <Fragment key={key}>
                            <kbd>{key}</kbd>{" "}
                          </Fragment>
                        ))}
                      </Fragment>
                    ))}
                  </dd>
                </Fragment>
              ))}
            </dl>
          </section>
        ))}
        <label>
          <input
            type="checkbox"
            checked={single}
            onChange={(event) => {
              singleKeys.set(event.currentTarget.checked);
              setSingle(event.currentTarget.checked);
            }}
          />
          {t.single}
        </label>
        <div className="row">
          <Button variant="default" onClick={() => dialog.current?.close()}>
            {t.close}
          </Button>
        </div>
      </div>
    </dialog>
  );
}
