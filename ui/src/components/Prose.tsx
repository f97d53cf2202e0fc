import type { ReactNode } from "react";

/** The little of Markdown that answers use: paragraphs, lists, **bold** and `code`. Anything else stays as it is. */
export function Prose({ text }: { text: string }) {
  return (
    <div className="stack-s">
      {text.split(/\n{2,}/).flatMap((block, i) => {
        const lines = block.split("\n");
        const list = lines.filter((line) => /^\s*[-*] /.test(line));
        const rest = lines.filter((line) => !list.includes(line)).join("\n");
        // oxlint-disable-next-line react/no-array-index-key -- a message never changes
        return [rest && <p key={`${i}p`}>{inline(rest)}</p>, list.length > 0 && <List key={`${i}l`} lines={list} />];
      })}
    </div>
  );
}

const List = ({ lines }: { lines: string[] }) => (
  <ul>
    {lines.map((line) => (
      <li key={line}>– {inline(line.replace(/^\s*[-*] /, ""))}</li>
    ))}
  </ul>
);

const inline = (text: string): ReactNode[] =>
  text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part, i) => {
    // oxlint-disable react/no-array-index-key -- a message never changes
    if (part.startsWith("**") && part.length > 4) return <strong key={i}>{part.slice(2, -2)}</strong>;
    if (part.startsWith("`") && part.length > 2) return <code key={i}>{part.slice(1, -1)}</code>;
    // oxlint-enable react/no-array-index-key
    return part;
  });
