import { Button, TextInput } from "@mantine/core";
import { useRef, useState } from "react";
import { useWords } from "../words";

/** What is shown this once, with a button that copies it. */
export function Secret({ label, value, help }: { label: string; value: string; help?: string }) {
  const t = useWords().secret;
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  async function copy(): Promise<void> {
    field.current?.select();
    // Browsers hand out the clipboard to https and this machine alone; elsewhere the old way still works.
    const done = navigator.clipboard ? navigator.clipboard.writeText(value).then(() => true, () => false) : document.execCommand("copy");
    setCopied(await done);
  }
  return (
    <div className="stack-s">
      <TextInput ref={field} label={label} description={help ?? t.once} readOnly value={value} onFocus={(e) => e.currentTarget.select()} classNames={{ input: "mono" }} />
      <div className="row">
        <Button variant="default" size="xs" onClick={() => void copy()}>
          {t.copy}
        </Button>
        <span className="small dim" role="status">
          {copied && t.copied}
        </span>
      </div>
    </div>
  );
}
