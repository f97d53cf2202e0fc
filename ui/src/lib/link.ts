import { useLocation } from "@tanstack/react-router";
import { useEffect, useState } from "react";

/** By path, in this tab's memory alone: who has to sign in first comes back to a link whose token has left the address. */
const kept = new Map<string, string>();

const tokenIn = (hash: string): string => new URLSearchParams(hash.replace(/^#/, "")).get("token") ?? "";

/** The one-time token of a link (`/reset#token=…`). It leaves the address, and with it the browser's history, at once. */
export function useLinkToken(): string {
  const { hash, pathname } = useLocation();
  const found = tokenIn(hash);
  const [token, setToken] = useState(() => found || (kept.get(pathname) ?? ""));
  if (found && found !== token) setToken(found);
  useEffect(() => {
    if (!found) return;
    kept.set(pathname, found);
    history.replaceState(history.state, "", pathname);
  }, [found, pathname]);
  return token;
}

/** Once it was used, it is good for nothing. */
export const forgetLink = (pathname: string): void => void kept.delete(pathname);
