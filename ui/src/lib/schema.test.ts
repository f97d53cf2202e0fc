import { expect, test } from "vitest";
import { defaultsOf, differences, differencesFrom, faultOf, fieldsOf, parse, presetOf, resetOf, sent, type JsonSchema } from "./schema";

const schema: JsonSchema = {
  $defs: { Level: { enum: ["none", "light", "strong"] } },
  properties: {
    epochs: { type: "integer", minimum: 1, maximum: 1000, default: 30, title: "Epochs", "x-group": "Basics" },
    learning_rate: { type: "number", exclusiveMinimum: 0, default: 0.0005 },
    image_size: { anyOf: [{ type: "integer", minimum: 8 }, { type: "null" }], default: null },
    patience: { type: ["integer", "null"], default: null },
    augmentation: { $ref: "#/$defs/Level", default: "light" },
    amp: { type: "boolean", default: false },
    pretrained: { anyOf: [{ type: "boolean" }, { type: "null" }], default: null },
    extra: { type: "object", default: {} },
  },
};
const fields = fieldsOf(schema);
const field = (name: string) => fields.find((f) => f.name === name)!;

test("each property becomes the field that suits its type", () => {
  expect(fields.map((f) => [f.name, f.kind, f.optional])).toEqual([
    ["epochs", "integer", false],
    ["learning_rate", "number", false],
    ["image_size", "integer", true],
    ["patience", "integer", true],
    ["augmentation", "choice", false],
    ["amp", "switch", false],
    ["pretrained", "tristate", true],
    ["extra", "json", false],
  ]);
  expect(field("learning_rate")).toMatchObject({ title: "Learning rate", group: "Other" });
  expect(field("augmentation").choices).toEqual(["none", "light", "strong"]);
});

test.each([
  ["epochs", "12", 12],
  ["learning_rate", "1e-3", 0.001],
  ["learning_rate", "0,02", 0.02],
  ["image_size", "", null],
  ["image_size", " 224 ", 224],
])("%s: %o is read as %o", (name, text, value) => {
  expect(parse(field(name), text)).toBe(value);
});

test.each([
  ["epochs", "many", /whole number/],
  ["epochs", "", /whole number/],
  ["learning_rate", "", /such as 0.001/],
  ["epochs", "2.5", /whole/],
  ["epochs", "0", /At least 1/],
  ["epochs", "1001", /At most 1000/],
  ["learning_rate", "0", /More than 0/],
  ["image_size", "4", /At least 8/],
])("%s: %o is refused in words", (name, text, words) => {
  expect(() => parse(field(name), text)).toThrow(words);
});

test("only what differs from the defaults is sent", () => {
  const config = { ...defaultsOf(fields), epochs: 3, extra: {} };
  expect(differences(fields, config)).toEqual({ epochs: 3 });
  expect(differences(fields, defaultsOf(fields))).toEqual({});
});

test("a configuration is recognised as the preset it is", () => {
  const presets = { quick: { epochs: 3 }, accurate: { epochs: 100, augmentation: "strong" } };
  const defaults = defaultsOf(fields);
  expect(presetOf(fields, presets, defaults)).toBe("");
  expect(presetOf(fields, presets, { ...defaults, epochs: 3 })).toBe("quick");
  expect(presetOf(fields, presets, { ...defaults, epochs: 4 })).toBeUndefined();
});

const strict: JsonSchema = {
  required: ["classes", "mode", "strict", "note", "limit", "epochs"],
  properties: {
    classes: { type: "integer", minimum: 1 },
    mode: { enum: ["a", "b"] },
    strict: { type: "boolean" },
    note: { type: "string" },
    limit: { type: ["integer", "null"] },
    epochs: { type: "integer", default: 3 },
    margin: { type: "number", minimum: 0 },
    way: { enum: ["x", "y"] },
    loud: { type: "boolean" },
  },
};
const strictFields = fieldsOf(strict);
const ofStrict = (name: string) => strictFields.find((f) => f.name === name)!;

test("a field without a default is required or may be left out, as its schema says", () => {
  expect(strictFields.map((f) => [f.name, f.kind, f.needed, f.optional])).toEqual([
    ["classes", "integer", true, false],
    ["mode", "choice", true, false],
    ["strict", "tristate", true, false],
    ["note", "text", true, false],
    ["limit", "integer", true, true],
    ["epochs", "integer", false, false],
    ["margin", "number", false, true],
    ["way", "choice", false, true],
    ["loud", "tristate", false, true],
  ]);
  const empty = defaultsOf(strictFields);
  expect(strictFields.filter((f) => faultOf(f, empty[f.name])).map((f) => [f.name, faultOf(f, empty[f.name])])).toEqual(
    ["classes", "mode", "strict", "note"].map((name) => [name, expect.stringContaining("no default")]),
  );
  expect(faultOf(ofStrict("strict"), false)).toBeUndefined();
  expect(faultOf(ofStrict("classes"), 0)).toMatch(/At least 1/);
});

test("what has no default is sent when it is required, and left out when it is empty otherwise", () => {
  const filled = { ...defaultsOf(strictFields), classes: 4, mode: "a", strict: false, note: "n" };
  expect(sent(strictFields, filled)).toEqual({ classes: 4, mode: "a", strict: false, note: "n", limit: null });
  expect(sent(strictFields, { ...filled, margin: 0.5 })).toMatchObject({ margin: 0.5 });
  expect(differences(strictFields, filled)).toEqual({});
  expect(resetOf(strictFields, { ...filled, epochs: 9 })).toEqual(filled);
});

test("what differs from another configuration, where the default holds for what that does not name", () => {
  const config = { ...defaultsOf(fields), epochs: 5, amp: true };
  expect(differencesFrom(fields, config, { epochs: 5, learning_rate: 0.1 })).toEqual({ learning_rate: 0.0005, amp: true });
  expect(differencesFrom(fields, config, config)).toEqual({});
});
