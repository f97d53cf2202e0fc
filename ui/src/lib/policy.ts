import type { Schemas } from "../api/client";
import { words, type Words } from "../words";
import { fieldsOf, type Config, type Field, type JsonSchema } from "./schema";

type Policy = Schemas["Policy"];

const HOUR = 3600;

/** What one job may take and what is kept of it, as a form shows it: the time limit in hours.
 * `server` is what holds where a field is left empty. */
export function policyFields(server: Policy, t: Words = words()): Field[] {
  const group = { "x-group": t.policy.group };
  const servers = (value: number | null | undefined): string => t.settings.serversValue({ value: String(value) });
  const properties: JsonSchema["properties"] = {
    time_limit_hours: { ...group, type: ["number", "null"], minimum: 0.02, maximum: 100_000, title: t.policy.timeLimit, "x-empty": t.form.none, description: t.policy.timeLimitHelp },
    max_retries: { ...group, type: ["integer", "null"], minimum: 0, maximum: 100, title: t.policy.retries, "x-empty": servers(server.max_retries), description: t.policy.retriesHelp },
    silence_seconds: { ...group, type: ["number", "null"], minimum: 30, maximum: 1_000_000, title: t.policy.silence, "x-empty": servers(server.silence_seconds), description: t.policy.silenceHelp },
    keep_every: { ...group, type: ["integer", "null"], minimum: 1, maximum: 1_000_000, title: t.policy.keepEvery, "x-empty": t.form.none, description: t.policy.keepEveryHelp },
  };
  return fieldsOf({ properties }, t);
}

export const policyOf = ({ time_limit_hours, ...rest }: Config): Policy => ({ ...rest, ...(typeof time_limit_hours === "number" && { time_limit_seconds: time_limit_hours * HOUR }) });

export const formOf = ({ time_limit_seconds, ...rest }: Policy): Config => ({ ...rest, time_limit_hours: time_limit_seconds == null ? null : time_limit_seconds / HOUR });

/** The field of the form that the server means: `config.epochs`, `policy.time_limit_seconds`. */
export const formField = (named: string): string => named.replace(/^(config|policy)\./, "").replace("time_limit_seconds", "time_limit_hours");
