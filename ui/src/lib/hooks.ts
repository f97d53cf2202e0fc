import { useEffect, useLayoutEffect, useState, type RefObject } from "react";

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

/** Width of an element and its distance from the top of the document. */
export function usePlace(ref: RefObject<HTMLElement | null>): { width: number; top: number } {
  const [place, setPlace] = useState({ width: 0, top: 0 });
  useLayoutEffect(() => {
    const measure = (): void => {
      const rect = ref.current?.getBoundingClientRect();
      if (rect) setPlace((old) => (old.width === rect.width && old.top === rect.top + scrollY ? old : { width: rect.width, top: rect.top + scrollY }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, [ref]);
  return place;
}

/** A value, once it has not changed for so long: for what is typed and asked of the server. */
export function useSettled<T>(value: T, milliseconds: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}
