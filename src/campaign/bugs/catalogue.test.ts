/** The seeded bugs: each can be put in, in the source and in what is built of it, and nothing but `soundcheck bugs` does so. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { BUGS } from "./catalogue/index.ts";
import { edited, fileOf, ownCode } from "./copy.ts";

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

  test("nothing but the command for it knows of them", () => {
    const users = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => {
      if (!name.endsWith(".ts") || name.startsWith("campaign/bugs/") || name.endsWith(".test.ts"))
        return false;
      return /from "[^"]*\/bugs\/(?!instruments\/names\.ts)/.test(readFileSync(join(SOURCE, name), "utf8"));
    });
    expect(users.sort()).toEqual([
      "cli/bugs-results.ts",
      "cli/bugs-table.ts",
      "cli/bugs-trial.ts",
      "cli/bugs.ts",
    ]);
  });
});
