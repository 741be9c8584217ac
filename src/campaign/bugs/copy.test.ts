/** Copies of the code: the edit is in the copy, and nowhere else. */
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { edit } from "./bug.ts";
import { edited, fileOf, ownCode, patchedCopy } from "./copy.ts";

const CHANGE = edit("vm/helpers/output", "const MAX_TAIL_CALLS = 33;", "const MAX_TAIL_CALLS = 34;");

describe("an edit", () => {
  test("takes white space for white space", () => {
    expect(edited("if (a)\n    b();\nc();", edit("f", "if (a) b();", ""))).toBe("\nc();");
  });

  test("wants its place to be there once", () => {
    expect(() => edited("a; a;", edit("f", "a;", "b;"))).toThrow('f: "a;" is there 2 times, not once');
    expect(() => edited("b;", edit("f", "a;", "b;"))).toThrow('f: "a;" is there 0 times, not once');
  });
});

test("a copy lies in the directory for temporary files and has the edit; the code itself stays as it is", () => {
  const before = readFileSync(fileOf(ownCode(), CHANGE.file), "utf8");
  const { code, remove } = patchedCopy(ownCode(), [CHANGE]);
  expect(code.home.startsWith(tmpdir())).toBe(true);
  expect(readFileSync(fileOf(code, CHANGE.file), "utf8")).toBe(edited(before, CHANGE));
  expect(readFileSync(fileOf(ownCode(), CHANGE.file), "utf8")).toBe(before);
  remove();
  expect(existsSync(code.home)).toBe(false);
});
