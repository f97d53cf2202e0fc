/** What the languages do; and that texts stand in the catalogue alone: this reads the source as the compiler does. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterEach, expect, test } from "vitest";
import { en } from "./en";
import { chooseLanguage, startWords, words, type Words } from "./index";

/** Never called: tsc reads it, and fails where one of these would pass. */
export function mistakes(): unknown {
  // @ts-expect-error -- a part is missing
  const call = en.job.left({});
  // @ts-expect-error -- a message is missing
  const catalogue: Words["chat"] = { title: "Chat" };
  return [call, catalogue];
}

afterEach(async () => {
  localStorage.clear();
  await startWords();
});

test("what is chosen is kept, and the document says which language it is in", async () => {
  await startWords();
  expect([words().language, document.documentElement.lang]).toEqual(["en", "en"]);
  await chooseLanguage("ko");
  expect([words().language, document.documentElement.lang]).toEqual(["ko", "ko"]);
  await startWords();
  expect(words().language).toBe("ko");
});

test("the last one chosen wins, however long another takes to load", async () => {
  await Promise.all([chooseLanguage("ko"), chooseLanguage("en")]);
  expect(words().language).toBe("en");
  await startWords();
  expect(words().language).toBe("en");
});

const SOURCE = join(import.meta.dirname, "..");
/** Names, and what stands for itself in every language. */
const NAMES = new Set(["VisionAI", "timm", "roses/1.jpg", "tulips/2.jpg"]);
/** Attributes whose strings are read by people, of HTML and of our components; and such properties. */
const READ = /^(aria-(label|description|roledescription|valuetext)|title|placeholder|label|alt|description|confirm|dismiss|error|nothingFoundMessage)$/;
const LABELS = /^(label|title|description|placeholder)$/;
const SENTENCE = /^\p{Lu}\p{Ll}+('\p{L}+)?,? \p{L}|^\p{Lu}.* .*[.!?…]$/u;

const sources = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter(
  (name) => /\.tsx?$/.test(name) && !/\.test\.|\.d\.ts$|^words[\\/]|^test-setup/.test(name),
);

test("the source is found", () => expect(sources).toContain(join("pages", "home.tsx")));

test.each(sources)("%s says nothing that is not in the catalogue", (name) => {
  expect(textsIn(name, readFileSync(join(SOURCE, name), "utf8"))).toEqual([]);
});

test.each([
  ["<p>Hello</p>", "Hello"],
  ["<p>{busy ? `Saving ${n}` : null}</p>", "Saving "],
  ['<p>{name ?? "nobody"}</p>', "nobody"],
  ['<button aria-label="Close" />', "Close"],
  ["<Bar label={`Import of ${name}`} />", "Import of "],
  ['throw new Error("That went wrong.")', "That went wrong."],
  ['const views = [{ label: "Images" }]', "Images"],
  ['useTitle("Data sets")', "Data sets"],
  ['const facts = [["Task", job.task]]', "Task"],
])("%s is noticed", (source, text) => expect(textsIn("x.tsx", source)).toContain(text));

test.each(['<p className="row between">{t.title} · {n} %</p>', "<b>VisionAI</b>", '<p>{role === "user" ? t.you : t.other}</p>', 'api.GET("/api/v1/jobs")', 'event.key === "Enter"'])("%s is fine", (source) =>
  expect(textsIn("x.tsx", source)).toEqual([]),
);

function textsIn(name: string, source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isText(node) && /\p{L}/u.test(node.text.replace(/&\w+;/g, "")) && !NAMES.has(node.text.trim()) && (ts.isJsxText(node) || isShown(node) || isSaid(node))) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true));
  return found;
}

type Text = ts.JsxText | ts.StringLiteralLike | ts.TemplateHead | ts.TemplateMiddle | ts.TemplateTail;

const isText = (node: ts.Node): node is Text =>
  ts.isJsxText(node) || ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);

/** Whether a string that stands elsewhere is for people by its looks: "Enter a number.", "Data sets"; "Jobs", unless it is compared. */
const isSaid = ({ text, parent }: Text): boolean => SENTENCE.test(text) || (/^\p{Lu}\p{Ll}{2,}$/u.test(text) && !ts.isBinaryExpression(parent) && !ts.isLiteralTypeNode(parent));

/** Whether a string becomes a child of an element, or the value of what is read: through conditions, too. */
function isShown(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isJsxAttribute(parent)) return READ.test(parent.name.getText());
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node && LABELS.test(parent.name.getText());
  if (ts.isJsxExpression(parent)) return ts.isJsxAttribute(parent.parent) ? READ.test(parent.parent.name.getText()) : true;
  if (ts.isConditionalExpression(parent)) return parent.condition !== node && isShown(parent);
  if (ts.isBinaryExpression(parent)) return /^(\?\?|\|\||&&|\+)$/.test(parent.operatorToken.getText()) && isShown(parent);
  return (ts.isParenthesizedExpression(parent) || ts.isTemplateSpan(parent) || ts.isTemplateExpression(parent)) && isShown(parent);
}
