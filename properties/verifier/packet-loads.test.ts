/**
 * Legacy packet loads in functions that a program calls: such a load is the end of its function, with 0, where the packet is too short. No kernel is asked, since
 * there are some that programs of this shape crash; it is the machine that runs along the certificates, on packets that are too short and on others.
 */
import { expect, test } from "vitest";
import { runProgram } from "../../src/campaign/run-program.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { FunctionInfo, Program } from "../../src/semantics/program/program.ts";
import type { Parameter } from "../../src/semantics/program/prototype.ts";
import { verify } from "../../src/verifier/verify.ts";

const CONTEXT: Parameter = {
  type: { kind: "pointer", to: { kind: "STRUCT", name: "__sk_buff", size: 192 } },
  tags: [],
};

const RING: MapDefinition = {
  name: "ring",
  type: "ringbuf",
  keySize: 0,
  valueSize: 0,
  maxEntries: 4096,
  flags: 0,
};

/** The main function, then others, which return numbers: those of `linkage` that are not static. */
function program(
  asm: readonly string[],
  linkage: Readonly<Record<string, FunctionInfo["linkage"]>> = {},
): Program {
  const functions: FunctionInfo[] = [{ insn: 0, name: "main", typeId: 1, linkage: "global" }];
  let insn = 0;
  for (const line of asm) {
    const name = /^(sub|deep):$/.exec(line)?.[1];
    if (name !== undefined) {
      const prototype = { parameters: [CONTEXT], returns: "scalar" as const };
      functions.push({ insn, name, typeId: 2, linkage: linkage[name] ?? "static", prototype });
    }
    if (!line.endsWith(":")) insn += / = (?:func|map\[)/.test(line) ? 2 : 1;
  }
  return {
    name: "main",
    type: "sched_cls",
    license: "GPL",
    flags: [],
    insns: assemble(asm.join("\n"), { maps: [{ name: "ring" }] }),
    maps: asm.some((line) => line.includes("map[ring]")) ? [RING] : [],
    lines: [],
    btf: new Uint8Array(),
    functions,
  };
}

/** Reads r9, which nobody has written, where the function has returned 0. */
const FAULTS_ON_ZERO = ["if r0 != 0 goto ok", "r0 = r9", "ok:", "r0 = 0", "exit"];
const LOADS = ["sub:", "r6 = r1", "r0 = *(u8 *)skb[60]"];

test("the caller goes on with 0", () => {
  const found = verify(program(["call sub", ...FAULTS_ON_ZERO, ...LOADS, "r0 |= 1", "exit"]));
  expect(found).toMatchObject({ verdict: "reject", message: "R9 !read_ok" });
});

test("what the function holds then is lost", () => {
  const reserve = ["r1 = map[ring]", "r2 = 8", "r3 = 0", "call bpf_ringbuf_reserve", "r7 = r0"];
  const submit = ["if r7 == 0 goto none", "r1 = r7", "r2 = 0", "call bpf_ringbuf_submit", "none:"];
  const asm = ["call sub", "r0 = 0", "exit", "sub:", "r6 = r1", ...reserve, "r0 = *(u8 *)skb[60]"];
  expect(verify(program([...asm, ...submit, "r0 = 0", "exit"]))).toMatchObject({
    verdict: "reject",
    message: expect.stringContaining("Unreleased reference"),
  });
});

/** Without the byte that is loaded, and with it. */
const [SHORT, LONG] = [new Uint8Array(20), new Uint8Array(100).fill(1)];
/** Both ways are gone, by some of the runs. */
const MAIN = ["call sub", "if r0 == 0 goto short", "r0 = 1", "exit", "short:", "r0 = 2", "exit"];
const BY_REGISTER = ["sub:", "r6 = r1", "r2 = 49", "r0 = *(u16 *)skb[r2 + 11]"];
const DEEP = ["sub:", "call deep", "exit", "deep:", "r6 = r1", "r0 = *(u32 *)skb[60]", "exit"];
/** bpf_loop, whose callback gets the context and a counter from the stack, and goes on where the packet is too short. */
const CALLBACK = [
  "*(u64 *)(r10 -8) = r1",
  "*(u64 *)(r10 -16) = 0",
  "r1 = 3",
  "r2 = func sub",
  "r3 = r10",
  "r3 += -16",
  "r4 = 0",
  "call bpf_loop",
  "r0 = *(u64 *)(r10 -16)",
  "exit",
  "sub:",
  "r6 = *(u64 *)(r2 +8)",
  "r1 = *(u64 *)(r2 +0)",
  "r1 += 1",
  "*(u64 *)(r2 +0) = r1",
  "r0 = *(u8 *)skb[60]",
  "r0 = 1",
  "exit",
];

test.each([
  ["in a static function", program([...MAIN, ...LOADS, "r0 += 1", "exit"])],
  ["at a place in a register", program([...MAIN, ...BY_REGISTER, "r0 += 1", "exit"])],
  ["in a function of a function", program([...MAIN, ...DEEP])],
  ["in a global function", program([...MAIN, ...LOADS, "r0 += 1", "exit"], { sub: "global" })],
  ["in a callback", program(CALLBACK)],
])("%s, every run stays inside of the certificate", (_, p) => {
  const verdict = verify(p);
  if (verdict.verdict !== "accept") throw new Error(JSON.stringify({ ...verdict, statistics: undefined }));
  const { violations, coverage } = runProgram(p, verdict, 1, 20, [SHORT, LONG]);
  expect(violations).toEqual([]);
  expect(coverage.executed).toBe(coverage.total);
});
