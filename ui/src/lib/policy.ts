import type { Schemas } from "../api/client";
import { fieldsOf, type Config, type Field } from "./schema";

type Policy = Schemas["Policy"];

const HOUR = 3600;
const group = { "x-group": "Limits and files" };

/** What one job may take and what is kept of it, as a form shows it: the time limit in hours.
 * `server` is what holds where a field is left empty. */
export const policyFields = (server: Policy): Field[] =>
  fieldsOf({
    properties: {
      time_limit_hours: { ...group, type: ["number", "null"], minimum: 0.02, maximum: 100_000, title: "Time limit, in hours", "x-empty": "none", description: "Of training, all attempts together; then it is stopped, and what it saved is kept." },
      max_retries: { ...group, type: ["integer", "null"], minimum: 0, maximum: 100, title: "Tries after a loss", "x-empty": `${server.max_retries}, the server's`, description: "How often it goes on from its last checkpoint by itself." },
      silence_seconds: { ...group, type: ["number", "null"], minimum: 30, maximum: 1_000_000, title: "Silence limit, in seconds", "x-empty": `${server.silence_seconds}, the server's`, description: "Without a word for so long, a trainer is taken for lost." },
      keep_every: { ...group, type: ["integer", "null"], minimum: 1, maximum: 1_000_000, title: "Keep a checkpoint every … epochs", "x-empty": "none", description: "Besides the last and the best one." },
    },
  });

export const policyOf = ({ time_limit_hours, ...rest }: Config): Policy => ({ ...rest, ...(typeof time_limit_hours === "number" && { time_limit_seconds: time_limit_hours * HOUR }) });

export const formOf = ({ time_limit_seconds, ...rest }: Policy): Config => ({ ...rest, time_limit_hours: time_limit_seconds == null ? null : time_limit_seconds / HOUR });

/** The field of the form that the server means: `config.epochs`, `policy.time_limit_seconds`. */
export const formField = (named: string): string => named.replace(/^(config|policy)\./, "").replace("time_limit_seconds", "time_limit_hours");
