import { words } from "../words";

export type FieldError = { field: string; message: string };
export type Problem = { status: number; code: string; detail: string; errors: FieldError[] };

/** Whatever a request threw, as a sentence for people. Status 0: there was no answer at all. */
export function problemOf(error: unknown): Problem {
  if (error instanceof TypeError)
    return { status: 0, code: "unreachable", detail: words().problem.unreachable, errors: [] };
  const given = (typeof error === "object" && error !== null ? error : { detail: error }) as Partial<Problem> & { message?: string };
  return {
    status: given.status ?? 500,
    code: given.code ?? "unknown",
    detail: String(given.detail || given.message || words().problem.unexpected),
    errors: given.errors ?? [],
  };
}

/** The messages of a problem by field. */
export const fieldErrors = (problem: Problem | null): Record<string, string> =>
  Object.fromEntries(problem?.errors.map((e) => [e.field, e.message]) ?? []);
