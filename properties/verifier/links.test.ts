/**
 * Linked numbers, by experiment: programs of nothing but copies, arithmetic, spills, fills and comparisons of a few numbers are always accepted,
 * and each step of each run is inside the certificate's states, links included (campaign/containment.ts).
 *
 * SOUNDCHECK_RUNS sets the number of programs (default 300), SOUNDCHECK_SEED the seed.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { runProgram } from "../../src/campaign/run-program.ts";
import { readBundle } from "../../src/object/bundle.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { verify } from "../../src/verifier/verify.ts";

const numRuns = Number(process.env["SOUNDCHECK_RUNS"] ?? 300);
const seed = Number(process.env["SOUNDCHECK_SEED"] ?? 1);

const NUMBERS = [6, 7, 8, 9] as const;
const register = fc.constantFrom(...NUMBERS);
const constant = fc.constantFrom(0, 1, 2, 3, 5, 7, 8, 97, 200, 255, 0x7fff, 0x7fffffff);
const signed = fc.tuple(constant, fc.boolean()).map(([c, negative]) => (negative ? -c : c));
const slot = fc.constantFrom(8, 16);
const size = fc.constantFrom(8, 16, 32, 64);
const sign = fc.constantFrom("", "s");
const width = fc.constantFrom("r", "w");
const relation = fc.constantFrom("==", "!=", "<", "<=", ">", ">=", "s<", "s<=", "s>", "s>=", "&");

/** One line of assembly, or a comparison whose taken side leaves out some of the lines that follow. */
type Line = string | { readonly comparison: string; readonly skipped: number };

const line: fc.Arbitrary<Line> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(width, register, register).map(([w, a, b]) => `${w}${a} = ${w}${b}`) },
  { weight: 6, arbitrary: fc.tuple(width, register, signed).map(([w, a, c]) => `${w}${a} += ${c}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(8, 16, 32), register, register)
      .map(([n, a, b]) => `r${a} = (s${n})r${b}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(width, register, register, fc.constantFrom("+=", "-="))
      .map(([w, a, b, op]) => `${w}${a} ${op} ${w}${b}`),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(width, register, fc.constantFrom(1, 15, 63, 255, 0xffff, 0xfff0, -1, 0x7fffffff))
      .map(([w, a, mask]) => `${w}${a} &= ${mask}`),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(register, fc.constantFrom(32, 48, 56, 3), sign)
      .map(([a, n, s]) => `r${a} <<= ${n}\nr${a} ${s}>>= ${n}`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(register, fc.constantFrom("<<=", ">>=", "s>>="), fc.constantFrom(1, 31, 32))
      .map(([a, op, n]) => `r${a} ${op} ${n}`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("le32", "be16", "bswap32", "bswap64"), register)
      .map(([op, a]) => `r${a} = ${op} r${a}`),
  },
  { weight: 1, arbitrary: register.map((a) => `r${a} = -r${a}`) },
  {
    weight: 3,
    arbitrary: fc.tuple(size, slot, register).map(([n, at, a]) => `*(u${n} *)(r10 -${at}) = r${a}`),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(size, slot, register, sign)
      .map(([n, at, a, s]) => `r${a} = *(${n === 64 || s === "" ? "u" : "s"}${n} *)(r10 -${at})`),
  },
  {
    weight: 8,
    arbitrary: fc
      .record({
        w: width,
        a: register,
        op: relation,
        b: fc.option(register),
        c: signed,
        skipped: fc.constantFrom(1, 2, 3, 1000),
      })
      .map(({ w, a, op, b, c, skipped }) => ({
        comparison: `if ${w}${a} ${op} ${b === null ? c : `${w}${b}`}`,
        skipped,
      })),
  },
);

/** Numbers from the context, some of them narrowed so that comparisons say something. */
const start = fc.tuple(...NUMBERS.map(() => fc.constantFrom("", "&= 255", "&= 15", "<<= 32\n>>= 32")));

function programOf(narrowing: readonly string[], lines: readonly Line[]): Program {
  const asm: string[] = [];
  NUMBERS.forEach((r, i) => {
    asm.push(`r${r} = *(u64 *)(r1 +${8 * i})`);
    for (const part of narrowing[i]?.split("\n") ?? []) if (part !== "") asm.push(`r${r} ${part}`);
  });
  asm.push("*(u64 *)(r10 -8) = r6", "*(u64 *)(r10 -16) = r7");
  lines.forEach((each, i) => {
    asm.push(`l${i}:`);
    if (typeof each === "string") asm.push(...each.split("\n"));
    else {
      const target = i + 1 + each.skipped;
      asm.push(`${each.comparison} goto ${target < lines.length ? `l${target}` : "out"}`);
    }
  });
  asm.push("out:", "r0 = 0", "exit");
  return readBundle(JSON.stringify({ name: "links", type: "kprobe", license: "GPL", asm })).program;
}

test("numbers stay inside the certificate, and what links say of them is true", () => {
  fc.assert(
    fc.property(start, fc.array(line, { minLength: 4, maxLength: 24 }), (narrowing, lines) => {
      const program = programOf(narrowing, lines);
      const verdict = verify(program);
      expect(verdict).toMatchObject({ verdict: "accept" });
      const { violations } = runProgram(program, verdict, lines.length, 24);
      expect(violations.map(({ insn, message }) => `${insn}: ${message}`)).toEqual([]);
    }),
    { numRuns, seed },
  );
});
