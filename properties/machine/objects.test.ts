/** What programs hold must be given back, once, and not used afterwards. Expectations follow from what a reference is; what each call does is held against the kernel in `properties/machine`. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readPrograms } from "../../src/object/read.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { Machine, type RunResult } from "../../src/vm/machine.ts";
import { FRAME, map } from "../../src/vm/testing.ts";

/** A program of the corpus whose types are those of the programs here: 51 is an item of the list at 8 in a value, beside a lock at 0. */
const [SAMPLE] = readPrograms(
  "sample.prog.json",
  readFileSync(new URL("../../corpus/verifier/list-an-object-put-at-its-back.prog.json", import.meta.url)),
).programs;
const ITEM = 51;

function run(asm: string): RunResult {
  if (SAMPLE === undefined) throw new Error("the corpus has no such program");
  const maps = [
    ...SAMPLE.maps.filter(({ name }) => name === "values"),
    map("ringbuf", { name: "ring", keySize: 0, valueSize: 0, maxEntries: 4096 }),
  ];
  const kfuncs = [
    ...new Set(
      [...asm.matchAll(/call (bpf_(?:obj|list|refcount|rcu|iter|throw|dynptr_clone|task)\w*)/g)].map(
        ([, name = ""]) => name,
      ),
    ),
  ];
  const insns = assemble(asm, { maps, kfuncs });
  const calls = insns.flatMap((insn, at) => {
    const operation = insn?.row.operation;
    if (insn === undefined || operation?.kind !== "call" || operation.callee !== "kfunc") return [];
    return [{ insn: at, name: kfuncs[insn.imm] ?? "" }];
  });
  const program: Program = { ...SAMPLE, name: "test", insns, maps, functions: [], lines: [], kfuncs: calls };
  return new Machine(program).run({ packet: FRAME });
}

/** How a program ended: its result, or the kind of its fault. */
function ending(asm: string): bigint | string {
  const ended = run(asm);
  return ended.outcome === "exit" ? ended.r0 : ended.fault.kind;
}

const END = "r0 = 0\nexit\n";
const NEW = `r1 = ${ITEM}\nr2 = 0\ncall bpf_obj_new_impl\nr6 = r0\n`;
const DROP = "r1 = r6\nr2 = 0\ncall bpf_obj_drop_impl\n";
const VALUE =
  "*(u32 *)(r10 -4) = 0\nr1 = map[values]\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem\nr9 = r0\n";
const LOCK = "r1 = r9\ncall bpf_spin_lock\n";
const UNLOCK = "r1 = r9\ncall bpf_spin_unlock\n";
const PUSH = "r1 = r9\nr1 += 8\nr2 = r6\nr2 += 8\nr3 = 0\nr4 = 0\ncall bpf_list_push_back_impl\n";
const RESERVE = "r1 = map[ring]\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve\nr6 = r0\n";
const SUBMIT = "r1 = r6\nr2 = 0\ncall bpf_ringbuf_submit\n";
const RECORD_DYNPTR =
  "r1 = map[ring]\nr2 = 16\nr3 = 0\nr4 = r10\nr4 += -16\ncall bpf_ringbuf_reserve_dynptr\n";
const ITERATE = "r1 = r10\nr1 += -8\nr2 = 0\nr3 = 3\ncall bpf_iter_num_new\n";

describe("what is held", () => {
  it.each([
    ["an object", NEW + DROP],
    ["an object in a list", VALUE + NEW + LOCK + PUSH + UNLOCK],
    ["a record", RESERVE + SUBMIT],
    [
      "a record of a dynptr",
      `${RECORD_DYNPTR}r1 = r10\nr1 += -16\nr2 = 0\ncall bpf_ringbuf_discard_dynptr\n`,
    ],
    ["an iterator", `${ITERATE}r1 = r10\nr1 += -8\ncall bpf_iter_num_destroy\n`],
    ["a section", "call bpf_rcu_read_lock\ncall bpf_rcu_read_unlock\n"],
  ])("%s is given back", (_, asm) => {
    expect(ending(asm + END)).toBe(0n);
  });

  it.each([
    ["an object", NEW],
    [
      "an object that came out of a list",
      `${VALUE + NEW + LOCK + PUSH}r1 = r9\nr1 += 8\ncall bpf_list_pop_front\n${UNLOCK}`,
    ],
    ["a record", RESERVE],
    ["a record of a dynptr that is overwritten", `${RECORD_DYNPTR}*(u64 *)(r10 -16) = 0\n`],
    ["a lock", VALUE + LOCK],
    ["an iterator", ITERATE],
    ["a section", "call bpf_rcu_read_lock\n"],
    ["an object when an exception is thrown", `${NEW}r1 = 0\ncall bpf_throw\n`],
  ])("%s that is kept to the end is a fault", (_, asm) => {
    expect(ending(asm + END)).toBe("reference_leak");
  });

  it.each([
    ["an object that was dropped is dropped", NEW + DROP + DROP, "not_held"],
    ["an object that was put into a list is dropped", VALUE + NEW + LOCK + PUSH + UNLOCK + DROP, "not_held"],
    ["a lock is left that was not taken", VALUE + UNLOCK, "not_held"],
    ["a section is left that was not entered", "call bpf_rcu_read_unlock\n", "not_held"],
    ["a record is submitted twice", RESERVE + SUBMIT + SUBMIT, "not_held"],
    ["a lock is taken twice", VALUE + LOCK + LOCK, "deadlock"],
  ])("%s: a fault", (_, asm, kind) => {
    expect(ending(asm + END)).toBe(kind);
  });
});

describe("what was given back", () => {
  it("is not read: an object", () => {
    expect(ending(`${NEW + DROP}r0 = *(u64 *)(r6 +0)\nexit`)).toBe("stale_pointer");
  });

  it("is not written: a record", () => {
    expect(ending(`${RESERVE + SUBMIT}*(u64 *)(r6 +0) = 1\n${END}`)).toBe("stale_pointer");
  });

  it("is not read through a copy of its dynptr", () => {
    const copy = "r1 = r10\nr1 += -16\nr2 = r10\nr2 += -32\ncall bpf_dynptr_clone\n";
    const submit = "r1 = r10\nr1 += -16\nr2 = 0\ncall bpf_ringbuf_submit_dynptr\n";
    const read = "r1 = r10\nr1 += -40\nr2 = 8\nr3 = r10\nr3 += -32\nr4 = 0\nr5 = 0\ncall bpf_dynptr_read\n";
    expect(ending(RECORD_DYNPTR + copy + submit + read + END)).toBe("stale_pointer");
  });
});

describe("what the kernel keeps", () => {
  it.each([
    ["a lock in a value, read", `${VALUE}r0 = *(u32 *)(r9 +0)\nexit`],
    ["a list in a value, written", `${VALUE}*(u64 *)(r9 +8) = 0\n${END}`],
    ["a link in an object, read", `${NEW}r0 = *(u64 *)(r6 +8)\nexit`],
    ["a dynptr on the stack, read", `${RECORD_DYNPTR}r0 = *(u64 *)(r10 -16)\nexit`],
    ["an iterator on the stack, read in part", `${ITERATE}r0 = *(u8 *)(r10 -5)\nexit`],
  ])("%s, is a fault", (_, asm) => {
    expect(ending(asm)).toBe("kept_bytes");
  });
});
