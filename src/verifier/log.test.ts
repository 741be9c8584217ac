/** The log's lines. Shapes and order are those of Linux 6.18's log of the same programs at the same level. */
import { expect, test } from "vitest";
import { assemble } from "../semantics/isa/assemble.ts";
import type { Program } from "../semantics/program/program.ts";
import { type LogLevel, VerifierLog } from "./log.ts";
import { verify } from "./verify.ts";

const program = (...asm: readonly string[]): Program => ({
  name: "test",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble(asm),
  maps: [],
  lines: [],
  functions: [],
});

function logOf(p: Program, level: LogLevel): readonly string[] {
  const log = new VerifierLog(p, level);
  return log.finish(verify(p, log)).split("\n");
}

const SHAPES: readonly RegExp[] = [
  /^\d+: \([0-9a-f]{2}\) .+$/,
  /^\d+:( frame\d+:)?( (R\d+|fp-\d+)=\S.*)$/,
  /^from \d+ to \d+:( frame\d+:)?( (R\d+|fp-\d+)=\S.*| safe)$/,
  /^\d+: safe$/,
  /^(caller|callee|returning from callee|to caller at \d+):$/,
  /^( frame\d+:)?( (R\d+|fp-\d+)=\S.*)$/,
  /^$/,
  /^processed \d+ insns \(limit 1000000\) max_states_per_insn \d+ total_states \d+ peak_states \d+ mark_read \d+$/,
];

test("level 2 has every path, and nothing but lines that tools know", () => {
  const lines = logOf(
    program(
      "r6 = *(u32 *)(r1 +12)",
      "r1 = r6",
      "call f",
      "if r6 > 3 goto out",
      "r0 = 1",
      "out:",
      "if r0 == 1 goto end",
      "r0 = 2",
      "end:",
      "exit",
      "f:",
      "r0 = 3",
      "exit",
    ),
    2,
  );
  expect(lines.filter((line) => !SHAPES.some((shape) => shape.test(line)))).toEqual([]);
  // A function returned.
  expect(lines.some((line) => line.startsWith("from 9 to 3: R"))).toBe(true);
  // The state that a path begins with stands there again, with the instruction.
  const at = lines.findIndex((line) => line.startsWith("from 3 to 5: R"));
  expect(lines[at + 1]).toBe((lines[at] ?? "").replace("from 3 to ", ""));
  expect(lines[at - 1]).toBe("");
});

test("of the program's end nothing is said", () => {
  expect(logOf(program("r0 = 0", "exit"), 2)[2]).toBe("1: (95) exit");
});

test("a path that is covered where it begins is one line", () => {
  const lines = logOf(
    program(
      "r6 = *(u32 *)(r1 +12)",
      "r0 = 0",
      "if r6 > 3 goto join",
      "r6 = 9",
      "join:",
      "r6 = 0",
      "r7 = 0",
      "r8 = 0",
      "exit",
    ),
    2,
  );
  expect(lines).toContain("from 2 to 4: safe");
  expect(lines.filter((line) => /^4:.*R10/.test(line))).toEqual([]);
});

test("what is wrong with the program as a whole stands alone at level 1", () => {
  const large = ["call f", "exit", "f:", "*(u64 *)(r10 -512) = 0", "r0 = 0", "exit"];
  const [message, closing, end] = logOf(program("*(u64 *)(r10 -8) = 0", ...large), 1);
  expect(message).toMatch(/^combined stack size of 2 calls is \d+\. Too large$/);
  expect(closing).toMatch(/^processed \d+ insns/);
  expect(end).toBe("");
});

test("a global function is assumed to be valid where it is called, and validated afterwards", () => {
  const p = program("r1 = 0", "call sub", "r0 = 1", "exit", "sub:", "r0 = 0", "exit");
  const PAIR = { kind: "STRUCT", name: "pair", size: 16 };
  const functions: Program["functions"] = [
    { insn: 0, name: "main", typeId: 1, linkage: "global" },
    {
      insn: 4,
      name: "sub",
      typeId: 2,
      linkage: "global",
      prototype: { parameters: [{ type: { kind: "pointer", to: PAIR }, tags: [] }], returns: "scalar" },
    },
  ];
  const lines = logOf({ ...p, btf: new Uint8Array(), functions }, 2);
  expect(lines.slice(2, -2)).toEqual([
    "1: (85) call pc+2",
    "Func#1 ('sub') is global and assumed valid.",
    "2: R0=scalar()",
    "2: (b7) r0 = 1                        ; R0=1",
    "3: (95) exit",
    "Validating sub() func#1...",
    "4: R1=mem_or_null(id=1,sz=16) R10=fp0",
    "4: (b7) r0 = 0                        ; R0=0",
    "5: (95) exit",
    "Func#1 ('sub') is safe for any args that match its prototype",
  ]);
  // At level 1 what is safe is not shown.
  expect(logOf({ ...p, btf: new Uint8Array(), functions }, 1)[0]).toBe("Validating sub() func#1...");
});
