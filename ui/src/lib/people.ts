import type { Schemas } from "../api/client";

type Role = Schemas["User"]["role"];

const ROLES: readonly Role[] = ["engineer", "viewer", "manager", "admin"];
const MANAGED: readonly Role[] = ["engineer", "viewer"];
export const PROJECT_ROLES: readonly Schemas["Project"]["role"][] = ["reader", "editor", "owner"];

/** Whether the page of people is theirs to see. */
export const looksAfter = (user: Schemas["User"] | null): boolean => user?.role === "admin" || user?.role === "manager";

export const isAdmin = (user: Schemas["User"] | null): boolean => user?.role === "admin";

/** The roles of those whom somebody may invite, change or disable; into a project whoever owns it may invite. */
export function may(user: Schemas["User"], owner = false): readonly Role[] {
  if (user.role === "admin") return ROLES;
  return user.role === "manager" || owner ? MANAGED : [];
}
