import { TextInput } from "@mantine/core";
import { Search } from "lucide-react";
import { useRef, useState } from "react";
import { useWords } from "../words";

const TYPED_MS = 250;

/** What is typed is asked for once one stops; what something else puts into the address is shown. */
export function NameSearch({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const t = useWords().jobs;
  const [typed, setTyped] = useState({ text: value, from: value });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const text = typed.from === value || typed.text.trim() === value ? typed.text : value;
  const type = (next: string): void => {
    setTyped({ text: next, from: value });
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next.trim()), TYPED_MS);
  };
  return <TextInput type="search" aria-label={t.search} placeholder={t.search} maxLength={200} leftSection={<Search size={15} aria-hidden />} value={text} onChange={(e) => type(e.currentTarget.value)} />;
}
