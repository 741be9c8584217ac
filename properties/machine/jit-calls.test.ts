/**
 * Calls that compiled code makes itself (`src/vm/jit/calls.ts`) end as interpreted ones do: functions that call each other and themselves, loops of bpf_loop in each other, whatever
 * they return, however deep, where instructions run out, where pointers to a function's stack outlive it, and where the machine takes over in the middle.
 */
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { both } from "./jit-pair.ts";
import { MAPS } from "./jit-programs.ts";

const TAILED = MAPS.map((map) =>
  map.type === "prog_array" ? { ...map, holds: [{ index: 1, name: "other" }] } : map,
);

function program(name: string, asm: string): Program {
  const insns = assemble(asm, { maps: MAPS });
  return { name, type: "xdp", license: "GPL", flags: [], insns, maps: TAILED, lines: [], functions: [] };
}

const OTHER = program("other", "r0 = 5\ncall inner\nexit\ninner:\n*(u64 *)(r10 -8) = 1\nr0 = 0\nexit");

const FUNCTIONS = ["f", "g", "h"];
const callee = fc.constantFrom(...FUNCTIONS);
/** Functions for bpf_loop that do what they should; one calls a helper. */
const GOOD = `
  plain:
   r3 = *(u64 *)(r2 +0)
   r3 += r1
   *(u64 *)(r2 +0) = r3
   r0 = 0
   exit
  asking:
   r6 = r2
   *(u32 *)(r10 -4) = r1
   call bpf_get_prandom_u32
   *(u32 *)(r6 +4) = r0
   r0 = 0
   exit`;
const register = fc.constantFrom("r0", "r6", "r7", "r8", "r9");
const slot = fc.integer({ min: 1, max: 4 }).map((n) => `r10 -${8 * n}`);
/** r6 is what the function was given first, r7 what second, r8 its own stack, r9 a number. */
const piece = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(register, fc.integer({ min: -2, max: 9 })).map(([r, n]) => `${r} += ${n}`),
  },
  { weight: 2, arbitrary: fc.tuple(slot, register).map(([at, r]) => `*(u64 *)(${at}) = ${r}`) },
  { weight: 2, arbitrary: fc.tuple(slot, register).map(([at, r]) => `${r} = *(u64 *)(${at})`) },
  { weight: 2, arbitrary: slot.map((at) => `*(u8 *)(${at}) = 3`) },
  // Through pointers that may be to the caller's stack; and the own stack's address put there.
  {
    weight: 2,
    arbitrary: fc.constantFrom("r0 = *(u64 *)(r7 +0)", "*(u64 *)(r7 +0) = r9", "*(u64 *)(r7 +0) = r10"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("call bpf_get_prandom_u32", "r0 = r10", "r0 = r8", "r9 = r0", "r0 = 1"),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        callee,
        fc.constantFrom("r1 = r9", "r1 = r6", ""),
        fc.constantFrom("r2 = r7", "r2 = r8", "r2 = r10", ""),
      )
      .map(([f, one, two]) => `${one}\n${two}\ncall ${f}`),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        callee,
        fc.constantFrom("0", "1", "3", "7", "100", "8388608", "8388608", "8388609", "-1"),
        fc.constantFrom("r3 = r10", "r3 = r9", "r3 = r7", "r3 = 9", ""),
        fc.constantFrom("r4 = 0", "r4 = 0", "r4 = 0", "r4 = 0", "r4 = 1", ""),
        fc.constantFrom("", "", "r5 = r2\nr2 = r5", "r2 += 1"),
      )
      .map(
        ([f, n, context, flags, moved]) =>
          `${context}\n${flags}\nr1 = ${n}\nr2 = func ${f}\n${moved}\ncall bpf_loop`,
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom("plain", "asking"), fc.constantFrom(0, 2, 40, 8388608))
      .map(
        ([f, n]) =>
          `r1 = ${n}\nr2 = func ${f}\nr3 = r10\nr3 += -16\n*(u64 *)(r3 +0) = 0\nr4 = 0\ncall bpf_loop`,
      ),
  },
  { weight: 1, arbitrary: fc.constant("r1 = r6\nr2 = map[2]\nr3 = 1\ncall bpf_tail_call") },
);
const condition = fc.tuple(register, fc.integer({ min: 0, max: 5 }));
const body = fc
  .array(fc.tuple(piece, fc.option(condition, { freq: 3 })), { minLength: 1, maxLength: 5 })
  .map(
    (pieces) => (name: string) =>
      pieces
        .map(([text, given], n) =>
          given === null
            ? text
            : `if ${given[0]} s> ${given[1]} goto ${name}${n}\n${text}\n${name}${n}:\nr9 += 1`,
        )
        .join("\n"),
  );
const begin = fc.constantFrom(
  "r6 = r1\nr7 = r2\nr8 = r10\nr8 += -16\nr9 = 0\nr0 = 0",
  "r7 = r2\nr9 = r1\nr0 = 0",
  "r6 = 0\nr7 = r1\nr9 = 1",
  "r0 = 0",
);
const end = fc.constantFrom(
  "exit",
  "r0 = 0\nexit",
  "r0 = 1\nexit",
  "r0 = r9\nexit",
  "if r9 s> 2 goto pc+1\nr0 = 0\nexit",
);
const functions = fc
  .tuple(body, fc.tuple(begin, body, end), fc.tuple(begin, body, end), fc.tuple(begin, body, end))
  .map(([main, ...rest]) =>
    program(
      "p",
      `r6 = r1
      r8 = r10
      r8 += -16
      r7 = r8
      r9 = 2
      *(u64 *)(r10 -16) = 1
      *(u64 *)(r10 -8) = 2
      r0 = 0
      ${main("main")}
      r0 = r9
      exit
      ${rest.map(([first, middle, last], i) => `${FUNCTIONS[i]}:\n${first}\n${middle(FUNCTIONS[i] ?? "")}\n${last}`).join("\n")}
      ${GOOD}`,
    ),
  );

describe("functions and bpf_loop", () => {
  const seen = new Map<string, number>();
  test.prop([functions, fc.constantFrom("fault", "allow")], {
    numRuns: Number(process.env["SOUNDCHECK_CALLS"] ?? 150),
    seed: 6018,
  })("end alike", (one, uninitialisedStack) => {
    const { interpreted, compiled, endings } = both([one, OTHER], uninitialisedStack);
    expect(compiled).toBe(interpreted);
    for (const ending of endings) seen.set(ending, (seen.get(ending) ?? 0) + 1);
  });
  test("in all ways", () => {
    const ways = ["exit", "budget", "call_depth", "uninitialised_register", "uninitialised_stack"];
    for (const ending of ways) expect([ending, (seen.get(ending) ?? 0) > 3]).toEqual([ending, true]);
  });
});
