/** The seeded bugs: each can be put in, in the source and in what is built of it, and nothing but `soundcheck bugs` does so. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { ABSENT } from "./catalogue/absent.ts";
import { BUGS } from "./catalogue/index.ts";
import { edited, fileOf, modulesOf, ownCode } from "./copy.ts";

const SOURCE = fileURLToPath(new URL("../../", import.meta.url));

const edits = BUGS.flatMap(({ id, edits: all }) => all.map((each) => ({ id, ...each })));
const modules = new Map<string, { readonly source: string; readonly built: string }>();
for (const { file } of edits) {
  if (modules.has(file)) continue;
  const source = readFileSync(fileOf(ownCode(), file), "utf8");
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  };
  modules.set(file, { source, built: ts.transpileModule(source, { compilerOptions }).outputText });
}

describe("the catalogue", () => {
  test("has at least sixty bugs, each with a name of its own", () => {
    expect(BUGS.length).toBeGreaterThanOrEqual(60);
    expect(new Set(BUGS.map(({ id }) => id)).size).toBe(BUGS.length);
  });

  test.each(["source", "built"] as const)("every place is there exactly once, as %s", (form) => {
    const wrong = edits.flatMap(({ id, ...each }) => {
      try {
        const text = modules.get(each.file)?.[form] ?? "";
        return edited(text, each) === text ? [`${id}: changes nothing`] : [];
      } catch (error) {
        return [`${id}: ${String(error)}`];
      }
    });
    expect(wrong).toEqual([]);
  });

  test("no bug is told to be among them and to be left out", () => {
    const references = (all: readonly { readonly stands: string }[]): readonly string[] =>
      all.flatMap(({ stands }) => stands.match(/CVE-\d{4}-\d+|\b[0-9a-f]{12}\b/g) ?? []);
    const absent = new Set(references(ABSENT));
    expect(references(BUGS).filter((each) => absent.has(each))).toEqual([]);
  });

  test("what programs import, and what the command line loads without being told, has none of them", () => {
    const inside = (module: string): readonly string[] =>
      [...modulesOf(ownCode(), module, "static")].filter((each) =>
        each.startsWith("campaign/bugs/catalogue"),
      );
    expect(inside("index")).toEqual([]);
    expect([...modulesOf(ownCode(), "index")].filter((each) => each.includes("campaign/bugs/"))).toEqual([]);
    expect(inside("cli/main")).toEqual([]);
    expect(inside("cli/bugs")).not.toEqual([]);
  });

  test("nothing but the command for it knows of them", () => {
    const users = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => {
      if (!name.endsWith(".ts") || name.startsWith("campaign/bugs/") || name.endsWith(".test.ts"))
        return false;
      return /from "[^"]*\/bugs\/(?!instruments\/names\.ts)/.test(readFileSync(join(SOURCE, name), "utf8"));
    });
    // Besides `bugs`, campaigns may have a copy with a bug as the verifier under test.
    expect(users.filter((name) => !name.startsWith("cli/bugs") && name !== "cli/fuzz-seeded.ts")).toEqual([]);
  });
});
