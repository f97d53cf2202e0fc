import { useCallback, useEffect, useEffectEvent, useLayoutEffect, useState, type RefObject } from "react";

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

const REST_MS = 250;

/** A value that changes at once here and is kept, in the address say, when it has come to rest: browsers limit how often. */
export function useRemembered<T>(kept: T, keep: (value: T) => void): [T, (value: T) => void] {
  const [value, setValue] = useState(kept);
  useEffect(() => setValue(kept), [kept]);
  useEffect(() => {
    if (value === kept) return;
    const timer = setTimeout(() => keep(value), REST_MS);
    return () => clearTimeout(timer);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- whatever `keep` is by then
  }, [value, kept]);
  return [value, setValue];
}

const SAID_MS = 2_000;

/** Puts texts on the clipboard, and says for a moment which one was put there last. */
export function useCopied(): [copied: string | null, copy: (what: string, text: string) => void] {
  const [copied, setCopied] = useState<string | null>(null);
  useEffect(() => {
    if (copied === null) return;
    const timer = setTimeout(() => setCopied(null), SAID_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return [copied, (what, text) => void writeClipboard(text).then(() => setCopied(what))];
}

/** Over plain HTTP browsers have no clipboard for scripts: there a selected field is copied. */
async function writeClipboard(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

const TURNS: Record<string, (at: number, of: number) => number> = {
  ArrowLeft: (at, of) => (at - 1 + of) % of,
  ArrowRight: (at, of) => (at + 1) % of,
  Home: () => 0,
  End: (_, of) => of - 1,
};

/** For what holds the links to a page's views: the arrow keys lead from one to the next, and open it. */
export function useArrowKeys(): (element: HTMLElement | null) => (() => void) | undefined {
  return useCallback((element) => {
    const pressed = (event: KeyboardEvent): void => {
      const links = [...(element?.querySelectorAll("a") ?? [])];
      const at = links.findIndex((link) => link === document.activeElement);
      const turn = TURNS[event.key];
      if (!turn || at < 0) return;
      event.preventDefault();
      const next = links[turn(at, links.length)]!;
      next.focus();
      next.click();
    };
    element?.addEventListener("keydown", pressed);
    return () => element?.removeEventListener("keydown", pressed);
  }, []);
}

/** Keys that mean something wherever one is on the page: not while one writes, nor in a dialog. `onKey` says if it was one. */
export function usePageKeys(onKey: (key: string) => boolean): void {
  const pressed = useEffectEvent((event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.shiftKey && event.key.length > 1) return; // a plus may need Shift
    if (document.querySelector("dialog[open], :popover-open")) return;
    if (event.target instanceof HTMLElement && event.target.matches("input, textarea, select")) return;
    if (onKey(event.key)) event.preventDefault();
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => pressed(event);
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
}
