import { Button } from "@mantine/core";
import { Bell, BellRing } from "lucide-react";
import { useSyncExternalStore } from "react";
import { watched, type Watched } from "../live/watched";

type Props = { kind: keyof Watched; id: string; label: string };

/** Whether one is told when it ends: a job of somebody else's, or any of a project. */
export function WatchToggle({ kind, id, label }: Props) {
  const on = useSyncExternalStore(watched.subscribe, watched.get)[kind].includes(id);
  return (
    <Button variant={on ? "filled" : "default"} aria-pressed={on} leftSection={on ? <BellRing size={15} aria-hidden /> : <Bell size={15} aria-hidden />} onClick={() => watched.put(kind, id, !on)}>
      {label}
    </Button>
  );
}
