/** The catalogue is complete, and every theorem can fail. What its theorems say is for the solver. */
import { describe, expect, test } from "vitest";
import { CONDITIONS } from "../../absint/scalar/branch.ts";
import { operate } from "../../absint/scalar/operations.ts";
import { ALL_RULES } from "../../absint/scalar/rules.ts";
import { ROWS } from "../../semantics/isa/table.ts";
import { theorems } from "./index.ts";
import { A, B, GROUPS, isTop } from "./scalar.ts";

const ALL = theorems();
const names = new Set(ALL.map(({ name }) => name));
const proved = ALL.filter(({ open }) => open === undefined);

test("names are unique", () => {
  expect(names.size).toBe(ALL.length);
});

test("every theorem that is not open has a wrong version", () => {
  expect(proved.filter(({ wrong }) => wrong.length === 0).map(({ name }) => name)).toEqual([]);
});

test("obligations have names of their own, and there are some", () => {
  for (const { name, obligations } of proved) {
    const made = obligations().map((o) => o.name);
    expect(made.length, name).toBeGreaterThan(0);
    expect(new Set(made).size, `${name}: ${made.join("; ")}`).toBe(made.length);
  }
});

test("what is not at full width stands in for what is open there", () => {
  const open = new Set(ALL.filter((t) => t.open !== undefined).map(({ subject }) => subject));
  for (const { name, subject, full } of ALL) if (!full) expect(open.has(subject), name).toBe(true);
});

describe("every operation of the instruction table", () => {
  for (const { name: row, operation } of ROWS) {
    if (operation.kind !== "alu" || operation.operand === "imm") continue;
    const { op, width } = operation;
    const result = operate(op, width, A.scalar, B.scalar);
    for (const group of GROUPS.filter((g) => !isTop(result, g)))
      for (const says of ["sound", "well-formed"] as const)
        test(`${row}: ${group} is ${says}`, () => {
          const found = ALL.filter(
            (t) => t.name.endsWith(`/${group}/${says}`) && t.subject === subjectOf(row),
          );
          expect(found.map((t) => t.full)).toContain(true);
        });
  }
});

/** A row without the form of its operand. */
const subjectOf = (row: string): string => row.replace(/_reg$/, "");

test.each(ALL_RULES.map(({ name }) => name))("the rule %s is sound and reductive", (rule) => {
  const said = ALL.filter(({ subject }) => subject === rule).map(({ says }) => says);
  expect(said).toContain("sound");
  expect(said).toContain("reductive");
});

test.each(CONDITIONS.flatMap((c) => [`${c}32`, `${c}64`]))("%s decides and refines soundly", (subject) => {
  expect(names).toContain(`${subject}/decide/sound`);
  expect(ALL.some(({ name }) => name.startsWith(`${subject}/refine/`))).toBe(true);
});
