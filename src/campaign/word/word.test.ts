/** Z3's word on rejected programs: each of its answers, on programs of which it can be worked out by hand. */
import { afterAll, expect, test } from "vitest";
import { FROM_SOURCE } from "../../proof/testing.ts";
import { z3Process } from "../../proof/z3-process.ts";
import { assemble } from "../../semantics/isa/assemble.ts";
import { DEFAULT_RULES } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { verify } from "../../verifier/verify.ts";
import { type Word, wordOn } from "./word.ts";

const solver = z3Process(FROM_SOURCE);
afterAll(() => solver.stop());

/** A byte of the packet in r1, and a pointer to a map's value of 8 bytes in r6. */
const START = [
  "r2 = *(u32 *)(r1 +0)",
  "r3 = *(u32 *)(r1 +4)",
  "r4 = r2",
  "r4 += 14",
  "if r4 > r3 goto out",
  "r1 = *(u8 *)(r2 +12)",
  "r6 = map_value[0]+0",
];
const END = ["out:", "r0 = 2", "exit"];

const programOf = (body: readonly string[]): Program => ({
  name: "word",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble([...START, ...body, ...END]),
  maps: [{ name: "values", type: "array", keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 }],
  lines: [],
  functions: [],
});

async function wordOf(...body: readonly string[]): Promise<Word> {
  const program = programOf(body);
  const verdict = verify(program);
  if (verdict.verdict !== "reject") throw new Error(`the program is no example: ${verdict.verdict}`);
  return wordOn(program, verdict, 1, DEFAULT_RULES, { solver, timeoutMs: 20_000, runs: 64 });
}

// (x & 7) + (7 - (x & 7)) is 7, and two intervals know only that it is at most 14.
const SEVEN = ["r1 &= 7", "r2 = 7", "r2 -= r1", "r2 += r1"];

test("an access whose place our verifier does not know closely enough is proved to be inside", async () => {
  expect(await wordOf(...SEVEN, "r2 ^= r1", "r2 ^= r1", "r6 += r2", "r0 = *(u8 *)(r6 +0)")).toEqual({
    kind: "harmless",
    because: "the access is inside",
  });
});

test("one byte further the same access leaves the value, which a run shows", async () => {
  const word = await wordOf(...SEVEN, "r2 ^= r1", "r2 ^= r1", "r6 += r2", "r0 = *(u8 *)(r6 +1)");
  expect(word).toMatchObject({ kind: "can fault" });
});

test("numbers keep what they are on the stack", async () => {
  const word = await wordOf(
    ...SEVEN,
    "*(u64 *)(r10 -8) = r2",
    "r2 ^= r1",
    "r2 ^= r1",
    "r3 = *(u32 *)(r10 -8)",
    "r3 ^= r1",
    "r3 ^= r1",
    "r6 += r3",
    "r0 = *(u8 *)(r6 +0)",
  );
  expect(word).toEqual({ kind: "harmless", because: "the access is inside" });
});

test("a way that no run goes is told, whatever is refused at its end", async () => {
  const word = await wordOf(...SEVEN, "r2 ^= r1", "r2 ^= r1", "if r2 == 7 goto out", "r0 = *(u8 *)(r2 +0)");
  expect(word).toEqual({ kind: "harmless", because: "no run goes there" });
});

test("what may be null is outside whatever its offset", async () => {
  const word = await wordOf(
    "*(u32 *)(r10 -4) = 9",
    "r1 = map[0]",
    "r2 = r10",
    "r2 += -4",
    "call 1",
    "r0 = *(u8 *)(r0 +0)",
  );
  expect(word).toMatchObject({ kind: "can fault" });
});

test("of a refused calculation that some run comes to nothing is said", async () => {
  const word = await wordOf("r6 *= 2");
  expect(word).toMatchObject({ kind: "not known" });
});

test("an access that is inside, and refused because it is not aligned, is not called harmless", async () => {
  const program = { ...programOf(["r0 = *(u32 *)(r2 +1)"]), flags: ["strict_alignment"] as const };
  const verdict = verify(program);
  if (verdict.verdict !== "reject") throw new Error("it is aligned");
  expect(verdict.message).toContain("misaligned");
  const word = await wordOn(program, verdict, 1, DEFAULT_RULES, { solver, timeoutMs: 20_000, runs: 4 });
  expect(word.kind).not.toBe("harmless");
});
