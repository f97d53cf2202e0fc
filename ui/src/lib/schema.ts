import { words, type Words } from "../words";

/** The part of JSON Schema that trainers' manifests use. */
export type JsonSchema = {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  "x-group"?: string;
  /** What it means to leave a field empty. */
  "x-empty"?: string;
};
export type Config = Record<string, unknown>;

export type Field = {
  name: string;
  title: string;
  description: string | undefined;
  group: string;
  /** A tristate is a switch that may be left to the trainer, which is sent as null. */
  kind: "choice" | "switch" | "tristate" | "integer" | "number" | "text" | "json";
  choices: unknown[];
  /** May be left empty: sent as null where the default is another, else left out. */
  optional: boolean;
  /** Has no default, and has to be sent. */
  needed: boolean;
  /** What that means: left to the trainer where the default is empty too, else switched off, or what its schema says. */
  empty: string;
  default: unknown;
  schema: JsonSchema;
};

/** The fields of an object schema, in its order. What it says of them itself is in its own language. */
export function fieldsOf(schema: JsonSchema, t: Words = words()): Field[] {
  const whole = resolve(schema, schema);
  return Object.entries(whole.properties ?? {}).map(([name, property]) => {
    const given = resolve(property, schema);
    const [inner, optional] = withoutNull(given, schema);
    const choices = inner.enum?.filter((c) => c !== null) ?? [];
    const standard = given.default ?? inner.default ?? null;
    const nullable = optional || (inner.enum?.includes(null) ?? false);
    const needed = !("default" in given || "default" in inner) && (whole.required?.includes(name) ?? false);
    return {
      name,
      title: given.title ?? inner.title ?? sentence(name),
      description: given.description ?? inner.description,
      group: given["x-group"] ?? inner["x-group"] ?? t.form.other,
      kind: kindOf(inner, choices, nullable || standard === null),
      choices,
      optional: nullable || (standard === null && !needed),
      needed,
      empty: given["x-empty"] ?? inner["x-empty"] ?? (standard === null ? t.form.automatic : t.form.none),
      default: standard,
      schema: inner,
    };
  });
}

export const defaultsOf = (fields: Field[]): Config => Object.fromEntries(fields.map((f) => [f.name, f.default]));

/** The defaults, with what has none as it is. */
export const resetOf = (fields: Field[], config: Config): Config => ({ ...defaultsOf(fields), ...picked(fields.filter((f) => f.needed), config) });

/** What differs from the defaults. */
export const differences = (fields: Field[], config: Config): Config => picked(fields.filter((f) => !f.needed && !same(config[f.name], f.default)), config);

/** What differs from another configuration, in which the default holds for what it does not name. */
export const differencesFrom = (fields: Field[], config: Config, other: Config): Config => {
  const before = { ...defaultsOf(fields), ...other };
  return picked(fields.filter((f) => !same(config[f.name], before[f.name])), config);
};

/** What a job is sent with: what differs from the defaults, and what has none. */
export const sent = (fields: Field[], config: Config): Config => ({ ...picked(fields.filter((f) => f.needed), config), ...differences(fields, config) });

const picked = (fields: Field[], config: Config): Config => Object.fromEntries(fields.map((f) => [f.name, config[f.name] ?? null]));

/** The preset a configuration is, if it is one exactly. "" stands for the plain defaults. */
export function presetOf(fields: Field[], presets: Record<string, Config>, config: Config): string | undefined {
  const differing = differences(fields, config);
  return Object.entries({ "": {}, ...presets }).find(([, preset]) => same(differences(fields, { ...defaultsOf(fields), ...preset }), differing))?.[0];
}

/** What somebody typed into a field, as its value. Throws a sentence when it is none. */
export function parse(field: Field, text: string): unknown {
  const t = words().form;
  const typed = text.trim();
  if (typed === "" && field.optional) return null;
  if (typed === "" && field.needed) throw new Error(t.needed);
  if (field.kind === "text") return text;
  if (field.kind === "json") return json(typed);
  const number = typed === "" ? Number.NaN : Number(typed.replace(",", "."));
  if (field.kind === "integer" && !Number.isInteger(number)) throw new Error(t.notWhole);
  if (!Number.isFinite(number)) throw new Error(t.notNumber);
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = field.schema;
  if (minimum !== undefined && number < minimum) throw new Error(t.atLeast({ n: minimum }));
  if (maximum !== undefined && number > maximum) throw new Error(t.atMost({ n: maximum }));
  if (exclusiveMinimum !== undefined && number <= exclusiveMinimum) throw new Error(t.moreThan({ n: exclusiveMinimum }));
  if (exclusiveMaximum !== undefined && number >= exclusiveMaximum) throw new Error(t.lessThan({ n: exclusiveMaximum }));
  return number;
}

function json(typed: string): unknown {
  try {
    return JSON.parse(typed) as unknown;
  } catch {
    throw new Error(words().form.notJson);
  }
}

/** What is wrong with a field's value, in a sentence. */
export function faultOf(field: Field, value: unknown): string | undefined {
  if (field.kind === "choice" || field.kind === "switch" || field.kind === "tristate")
    return value === null || value === undefined ? (field.optional ? undefined : words().form.needed) : undefined;
  try {
    parse(field, written(value));
    return undefined;
  } catch (wrong) {
    return (wrong as Error).message;
  }
}

/** A value as one reads it, not as one types it. */
export function said(value: unknown): string {
  if (value === null || value === undefined) return words().form.automatic;
  if (typeof value === "boolean") return value ? words().form.yes : words().form.no;
  return written(value);
}

export const written = (value: unknown): string =>
  value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);

export const sentence = (name: string): string => name.replaceAll("_", " ").replace(/^./, (c) => c.toUpperCase());

function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  if (!schema.$ref) return schema;
  const { $ref, ...beside } = schema;
  return { ...root.$defs?.[$ref.split("/").at(-1)!], ...beside };
}

function withoutNull(schema: JsonSchema, root: JsonSchema): [JsonSchema, boolean] {
  if (schema.anyOf) {
    const some = schema.anyOf.filter((s) => s.type !== "null");
    const inner = some.length === 1 ? resolve(some[0]!, root) : {};
    return [inner, some.length < schema.anyOf.length];
  }
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((t) => t !== "null");
    const { type: _, ...rest } = schema;
    return [types.length === 1 ? { ...rest, type: types[0]! } : rest, types.length < schema.type.length];
  }
  return [schema, false];
}

function kindOf(schema: JsonSchema, choices: unknown[], nullable: boolean): Field["kind"] {
  if (choices.length > 0) return "choice";
  if (schema.type === "boolean") return nullable ? "tristate" : "switch";
  if (schema.type === "integer" || schema.type === "number") return schema.type;
  return schema.type === "string" ? "text" : "json";
}

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
