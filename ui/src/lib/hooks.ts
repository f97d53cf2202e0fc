import { useEffect, useState } from "react";

/** The document's title while the component is there. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · VisionAI` : "VisionAI";
  }, [title]);
}

/** The time, every second while `ticking`: for what counts up or down on the screen. */
export function useNow(ticking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!ticking) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}
