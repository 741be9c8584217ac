/**
 * Each kind of fault, by programs that the kernel's documentation calls invalid (Documentation/bpf/verifier.rst) or that RFC 9669 leaves without
 * meaning. What is expected is where the program goes wrong, from reading it.
 */
import { describe, expect, it } from "vitest";
import type { MapDefinition } from "../semantics/program/map-types.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";
import { FAULT_KINDS, type Fault, type FaultKind } from "./fault.ts";
import { map, run } from "./testing.ts";

interface Case {
  readonly name: string;
  readonly type?: ProgramType;
  readonly maps?: readonly MapDefinition[];
  readonly asm: string;
  readonly kind: FaultKind;
  readonly insn: number;
  /** What else the fault must say. */
  readonly says?: Partial<Fault>;
  readonly message?: RegExp;
}

const DATA = "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\n";
const END = "\nr0 = 0\nexit";
const LOOKUP = "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map[m]\ncall bpf_map_lookup_elem\n";

const RING = map("ringbuf", { name: "ring", keySize: 0, valueSize: 0, maxEntries: 4096 });
const LOCKED = map("array", { fields: [{ kind: "spin_lock", offset: 0 }] });

const CASES: readonly Case[] = [
  // Packets
  {
    name: "a load past the packet's end",
    asm: `${DATA}r0 = *(u8 *)(r2 +64)${END}`,
    kind: "out_of_bounds",
    insn: 2,
    says: { region: { kind: "packet" }, offset: 64, size: 1 },
  },
  {
    name: "a load across the packet's end",
    asm: `${DATA}r0 = *(u32 *)(r2 +61)${END}`,
    kind: "out_of_bounds",
    insn: 2,
    says: { offset: 61, size: 4 },
  },
  {
    name: "a load at packet end",
    asm: `${DATA}r0 = *(u8 *)(r3 +0)${END}`,
    kind: "out_of_bounds",
    insn: 2,
    says: { region: { kind: "packet" }, offset: 64 },
  },
  {
    name: "a store before the packet",
    asm: `${DATA}*(u8 *)(r2 -1) = 0${END}`,
    kind: "out_of_bounds",
    insn: 2,
    says: { offset: -1 },
  },
  {
    name: "a pointer that goes around the address space",
    asm: `${DATA}r4 = 0x8000000000000000 ll\nr2 += r4\nr0 = *(u8 *)(r2 +0)${END}`,
    kind: "out_of_bounds",
    insn: 5,
  },
  {
    name: "a packet pointer after adjust_head",
    asm: `r6 = r1\n${DATA}r7 = r2\nr2 = 4\ncall bpf_xdp_adjust_head\nr0 = *(u8 *)(r7 +20)${END}`,
    kind: "stale_pointer",
    insn: 6,
    says: { region: { kind: "packet" } },
  },
  {
    name: "a write to a packet that may only be read",
    type: "cgroup_skb",
    asm: `r2 = *(u32 *)(r1 +76)\n*(u8 *)(r2 +0) = 1${END}`,
    kind: "read_only",
    insn: 1,
  },
  // The stack
  {
    name: "a load of stack never written",
    asm: `r0 = *(u64 *)(r10 -8)${END}`,
    kind: "uninitialised_stack",
    insn: 0,
    says: { region: { kind: "stack", frame: 0 }, offset: -8, size: 8 },
  },
  {
    name: "a load of stack half written",
    asm: `*(u32 *)(r10 -8) = 1\nr0 = *(u64 *)(r10 -8)${END}`,
    kind: "uninitialised_stack",
    insn: 1,
    message: /byte -4/,
  },
  {
    name: "a store above the frame",
    asm: `*(u8 *)(r10 +0) = 1${END}`,
    kind: "out_of_bounds",
    insn: 0,
    says: { offset: 0 },
  },
  { name: "a store below the frame", asm: `*(u8 *)(r10 -513) = 1${END}`, kind: "out_of_bounds", insn: 0 },
  { name: "a misaligned store to the stack", asm: `*(u32 *)(r10 -6) = 1${END}`, kind: "misaligned", insn: 0 },
  {
    name: "a subprogram's frame after it returned",
    asm: "call inner\nr0 = *(u64 *)(r0 -8)\nexit\ninner:\n*(u64 *)(r10 -8) = 1\nr0 = r10\nexit",
    kind: "stale_pointer",
    insn: 1,
    says: { region: { kind: "stack", frame: 1 } },
  },
  {
    name: "a helper that reads stack never written",
    maps: [map("hash")],
    asm: `r2 = r10\nr2 += -4\nr1 = map[m]\ncall bpf_map_lookup_elem${END}`,
    kind: "uninitialised_stack",
    insn: 4,
    message: /map_lookup_elem: argument 2 \(key\)/,
  },
  // Registers
  {
    name: "a register never written",
    asm: "r0 = r3\nexit",
    kind: "uninitialised_register",
    insn: 0,
    message: /r3/,
  },
  { name: "no result", asm: "exit", kind: "uninitialised_register", insn: 0, message: /r0/ },
  {
    name: "a scratched argument",
    asm: "r2 = 0\ncall bpf_get_prandom_u32\nr0 = r2\nexit",
    kind: "uninitialised_register",
    insn: 2,
  },
  {
    name: "a caller's register in a subprogram",
    asm: "r6 = 1\ncall inner\nexit\ninner:\nr0 = r6\nexit",
    kind: "uninitialised_register",
    insn: 3,
  },
  {
    name: "a write to the frame pointer",
    asm: "r10 += 8\nr0 = 0\nexit",
    kind: "frame_pointer_write",
    insn: 0,
  },
  {
    name: "a load into the frame pointer",
    asm: "r10 = *(u32 *)(r1 +0)\nr0 = 0\nexit",
    kind: "frame_pointer_write",
    insn: 0,
  },
  // Pointers that are none
  {
    name: "a look-up that failed",
    maps: [map("hash")],
    asm: `${LOOKUP}r0 = *(u64 *)(r0 +0)\nexit`,
    kind: "null_pointer",
    insn: 6,
  },
  { name: "a number", asm: "r1 = 0x123456789 ll\nr0 = *(u8 *)(r1 +0)\nexit", kind: "not_a_pointer", insn: 2 },
  {
    name: "a pointer cut to 32 bits",
    asm: `${DATA}w2 = w2\nr0 = *(u8 *)(r2 +0)${END}`,
    kind: "not_a_pointer",
    insn: 3,
  },
  {
    name: "a spilled pointer partly overwritten",
    asm: `${DATA}*(u64 *)(r10 -8) = r2\n*(u8 *)(r10 -8) = 0\nr2 = *(u64 *)(r10 -8)\nr0 = *(u8 *)(r2 +0)${END}`,
    kind: "not_a_pointer",
    insn: 5,
  },
  {
    name: "the sum of two pointers",
    asm: `${DATA}r2 += r3\nr0 = *(u8 *)(r2 +0)${END}`,
    kind: "not_a_pointer",
    insn: 3,
  },
  {
    name: "a map as memory",
    maps: [map("hash")],
    asm: `r1 = map[m]\n*(u8 *)(r1 +0) = 1${END}`,
    kind: "opaque_pointer",
    insn: 2,
  },
  // Maps
  {
    name: "a load past a map's value",
    maps: [map("array")],
    asm: `${LOOKUP}if r0 == 0 goto end\nr0 = *(u64 *)(r0 +8)\nend:\nexit`,
    kind: "out_of_bounds",
    insn: 7,
    says: { region: { kind: "map_value", map: "m", key: "00000000" }, offset: 8 },
  },
  {
    name: "a store to read-only data",
    maps: [map("array", { maxEntries: 1, flags: 128 })],
    asm: `r1 = map_value[m]+0\n*(u64 *)(r1 +0) = 1${END}`,
    kind: "read_only",
    insn: 2,
  },
  {
    name: "a load from a map that is write-only for programs",
    maps: [map("array", { maxEntries: 1, flags: 256 })],
    asm: `r1 = map_value[m]+0\nr0 = *(u64 *)(r1 +0)${END}`,
    kind: "write_only",
    insn: 2,
  },
  {
    name: "an update of a map that is read-only for programs",
    maps: [map("array", { flags: 128 })],
    asm: `*(u32 *)(r10 -4) = 0\n*(u64 *)(r10 -16) = 0\nr1 = map[m]\nr2 = r10\nr2 += -4\nr3 = r10\nr3 += -16\nr4 = 0\ncall bpf_map_update_elem\nexit`,
    kind: "read_only",
    insn: 9,
  },
  {
    name: "a look-up in a map of programs",
    maps: [map("prog_array", { valueSize: 4 })],
    asm: `${LOOKUP}exit`,
    kind: "helper_argument",
    insn: 5,
  },
  {
    name: "a misaligned atomic",
    maps: [map("array", { maxEntries: 1, valueSize: 16 })],
    asm: `r1 = map_value[m]+0\nr2 = 1\nlock *(u64 *)(r1 +4) += r2${END}`,
    kind: "misaligned",
    insn: 3,
  },
  // The context
  {
    name: "a context field that is none",
    asm: `r0 = *(u32 *)(r1 +24)\nexit`,
    kind: "context_access",
    insn: 0,
  },
  { name: "a context field in part", asm: `r0 = *(u16 *)(r1 +12)\nexit`, kind: "context_access", insn: 0 },
  {
    name: "a context field that may not be written",
    asm: `*(u32 *)(r1 +12) = 1${END}`,
    kind: "context_access",
    insn: 0,
  },
  {
    name: "an atomic on the context",
    type: "sched_cls",
    asm: `r2 = 1\nlock *(u32 *)(r1 +48) += r2${END}`,
    kind: "context_access",
    insn: 1,
  },
  // Control
  { name: "falling off the end", asm: "r0 = 0", kind: "invalid_jump", insn: 1 },
  { name: "a jump before the start", asm: "r0 = 0\ngoto pc-3\nexit", kind: "invalid_jump", insn: -1 },
  { name: "a jump into a 16-byte load", asm: "goto pc+1\nr0 = 1 ll\nexit", kind: "invalid_jump", insn: 2 },
  { name: "nine frames", asm: "f:\ncall f\nexit", kind: "call_depth", insn: 0 },
  { name: "an endless loop", asm: "r0 = 0\nagain:\ngoto again", kind: "budget", insn: 1 },
  // Helpers
  {
    name: "a helper argument that is no pointer",
    maps: [map("hash")],
    asm: `r2 = 5\nr1 = map[m]\ncall bpf_map_lookup_elem\nexit`,
    kind: "null_pointer",
    insn: 3,
    message: /argument 2 \(key\)/,
  },
  {
    name: "a map argument that is none",
    asm: `*(u32 *)(r10 -4) = 0\nr1 = r10\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem\nexit`,
    kind: "helper_argument",
    insn: 4,
    message: /argument 1 \(map\)/,
  },
  {
    name: "a helper that writes past the stack",
    type: "sched_cls",
    asm: `r2 = 0\nr3 = r10\nr3 += -8\nr4 = 16\ncall bpf_skb_load_bytes\nexit`,
    kind: "out_of_bounds",
    insn: 4,
    message: /argument 3 \(to\)/,
  },
  {
    name: "a negative size",
    type: "sched_cls",
    asm: `r2 = 0\nr3 = r10\nr3 += -8\nr4 = -1\ncall bpf_skb_load_bytes\nexit`,
    kind: "helper_argument",
    insn: 4,
    message: /-1 bytes/,
  },
  {
    name: "a moved context as argument",
    asm: "r1 += 8\nr2 = 0\ncall bpf_xdp_adjust_head\nexit",
    kind: "context_access",
    insn: 2,
  },
  {
    name: "a helper of other program types",
    asm: "r2 = 0\ncall bpf_skb_pull_data\nexit",
    kind: "forbidden_helper",
    insn: 1,
  },
  {
    name: "legacy packet access in an XDP program",
    asm: "r6 = r1\nr0 = *(u8 *)skb[0]\nexit",
    kind: "invalid_instruction",
    insn: 1,
  },
  {
    name: "legacy packet access without the context",
    type: "socket_filter",
    asm: "r6 = 0\nr0 = *(u8 *)skb[0]\nexit",
    kind: "invalid_instruction",
    insn: 1,
  },

  // What programs hold: more of it in properties/machine/objects.test.ts
  {
    name: "a record that is not given back",
    maps: [RING],
    asm: `r1 = map[ring]\nr2 = 8\nr3 = 0\ncall bpf_ringbuf_reserve${END}`,
    kind: "reference_leak",
    insn: 6,
    message: /a record of map ring/,
  },
  {
    name: "a lock that is not left",
    maps: [LOCKED],
    asm: `${LOOKUP}r1 = r0\ncall bpf_spin_lock${END}`,
    kind: "reference_leak",
    insn: 9,
  },
  {
    name: "a record that is given back twice",
    maps: [RING],
    asm: `r1 = map[ring]\nr2 = 8\nr3 = 0\ncall bpf_ringbuf_reserve\nr6 = r0\nr1 = r6\nr2 = 0\ncall bpf_ringbuf_submit\nr1 = r6\nr2 = 0\ncall bpf_ringbuf_submit${END}`,
    kind: "not_held",
    insn: 11,
  },
  {
    name: "a lock that is taken twice",
    maps: [LOCKED],
    asm: `${LOOKUP}r6 = r0\nr1 = r6\ncall bpf_spin_lock\nr1 = r6\ncall bpf_spin_lock${END}`,
    kind: "deadlock",
    insn: 10,
  },
  {
    name: "a lock that is read as a number",
    maps: [LOCKED],
    asm: `${LOOKUP}r0 = *(u32 *)(r0 +0)\nexit`,
    kind: "kept_bytes",
    insn: 6,
    says: { offset: 0, size: 4 },
  },
];

describe("faults", () => {
  it.each(CASES)("$name", ({ type = "xdp", asm, maps = [], kind, insn, says = {}, message = /./ }) => {
    const ended = run(type, asm, { definitions: maps, budget: 1000 });
    if (ended.outcome !== "fault") throw new Error(`ended with ${ended.r0}`);
    expect(ended.fault).toMatchObject({ kind, insn, program: "test", ...says });
    expect(ended.fault.message).toMatch(message);
  });

  it("every kind has a case", () => {
    expect(new Set(CASES.map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS));
  });

  it("reading uninitialised stack may be allowed", () => {
    const ended = run("xdp", "r0 = *(u64 *)(r10 -8)\nexit", { uninitialisedStack: "allow" });
    expect(ended).toMatchObject({ outcome: "exit", r0: 0n });
  });
});
