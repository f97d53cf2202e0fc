/** Shortcuts of single keys, which can be switched off: whoever speaks to the machine would press them by accident. */

const KEY = "visionai-single-keys";

export const singleKeys = {
  on: (): boolean => localStorage.getItem(KEY) !== "off",
  set: (on: boolean): void => (on ? localStorage.removeItem(KEY) : localStorage.setItem(KEY, "off")),
};

export type Shortcut = "palette" | "sheet";

type Pressed = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "defaultPrevented"> & { target: EventTarget | null };

/** What a key asks for: nothing while one writes, except with Ctrl or ⌘. */
export function shortcutOf(event: Pressed): Shortcut | null {
  if (event.defaultPrevented || event.altKey) return null;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return "palette";
  if (event.ctrlKey || event.metaKey || !singleKeys.on() || isWritten(event.target)) return null;
  return event.key === "/" ? "palette" : event.key === "?" ? "sheet" : null;
}

function isWritten(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "submit"].includes(target.type);
  return target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName);
}
