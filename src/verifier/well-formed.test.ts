/** What a state must not say, each by one change of a state that is well formed. The rules are those of well-formed.ts' opening. */
import { expect, test } from "vitest";
import { allocate, arena, reset } from "../absint/arena.ts";
import {
  FLAG,
  KIND,
  setId,
  setKind,
  setLink,
  setOff,
  setPointer,
  setRange,
  setUnknown,
} from "../absint/register.ts";
import { LAYOUT } from "../absint/scalar/operators.ts";
import {
  BYTE,
  fromBytes,
  registerAt,
  setLastId,
  setReferenceCount,
  setSectionDepth,
  setSlotByte,
  slotAt,
  spilledAt,
  toBytes,
} from "../absint/state.ts";
import { createMachine } from "../absint/transfer/machine.ts";
import { assemble } from "../semantics/isa/assemble.ts";
import type { Program } from "../semantics/program/program.ts";
import type { CertificateNode } from "./certificate.ts";
import { checkCertificate } from "./check-certificate.ts";
import { verify } from "./verify.ts";
import { callsOf, nodeFlaw } from "./well-formed.ts";

/** In the function: two frames, a slot with a spilled number in the caller's frame. */
const PROGRAM: Program = {
  name: "test",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble([
    "r6 = *(u32 *)(r1 +12)",
    "*(u64 *)(r10 -8) = r6",
    "r1 = r6",
    "call f",
    "r0 = *(u64 *)(r10 -8)",
    "exit",
    "f:",
    "r0 = 3",
    "if r1 > 5 goto done",
    "r0 = 4",
    "done:",
    "exit",
  ]),
  maps: [{ name: "m", type: "array", keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 }],
  lines: [],
  functions: [],
};

const WORD = { frames: 0, frame1: 168, returnTo1: 176, function1: 180 };

function node(): CertificateNode {
  const verdict = verify(PROGRAM);
  if (verdict.verdict !== "accept") throw new Error("accepted");
  const inner = verdict.certificate.nodes.findLast(({ pc }) => pc >= 6);
  if (inner === undefined) throw new Error("a node in the function");
  return inner;
}

/** What is found in the node's state after `change`, given where the state is. */
function flawAfter(change: (at: number) => void, field: Partial<CertificateNode> = {}): string | undefined {
  const original = node();
  reset();
  const at = allocate(original.state.length);
  fromBytes(original.state, at);
  setUnknown(registerAt(at, 1, 1));
  change(at);
  const changed = { ...original, ...field };
  return nodeFlaw(changed, at, createMachine(PROGRAM), callsOf(PROGRAM.insns, [0]));
}

const setWord = (offset: number, value: number) => (at: number) => {
  arena.i32[(at + offset) >> 2] = value;
};
const r1 = (change: (register: number) => void) => (at: number) => change(registerAt(at, 1, 1));
const component = (name: keyof typeof LAYOUT, value: bigint) =>
  r1((at) => {
    if (LAYOUT[name] >= LAYOUT.umin32) arena.i32[(at + LAYOUT[name]) >> 2] = Number(BigInt.asIntN(32, value));
    else arena.u64[(at + LAYOUT[name]) >> 3] = BigInt.asUintN(64, value);
  });
const both = (first: (at: number) => void, second: (at: number) => void) => (at: number) => {
  first(at);
  second(at);
};
const pointer = (kind: number, object: number) => r1((at) => setPointer(at, kind, object));
const slot = (change: (at: number) => void) => (at: number) => change(slotAt(at, 0, 0));

test("the state of a node is well formed", () => {
  expect(flawAfter(() => undefined)).toBeUndefined();
});

const changes: readonly (readonly [string, (at: number) => void, string])[] = [
  ["no frames", setWord(WORD.frames, 0), "not laid out"],
  ["too many frames", setWord(WORD.frames, 9), "not laid out"],
  ["a frame elsewhere", setWord(WORD.frame1, 8), "not laid out"],
  ["a depth below 0", setWord(WORD.frame1 + 4, -1), "not laid out"],
  ["a function that is none", setWord(WORD.function1, 7), "insn 7 begins no function"],
  ["a return to what follows no call", setWord(WORD.returnTo1, 5), "follows no call"],
  ["a return of another function", setWord(WORD.function1, 0), "follows a call of something else"],
  ["bits that are known and unknown", component("value", 1n), "known and unknown"],
  ["an empty unsigned interval", both(component("umin", 2n ** 63n), component("umax", 5n)), "empty interval"],
  ["an empty signed interval", both(component("smin", 0n), component("smax", -1n)), "empty interval"],
  [
    "an empty signed interval of great numbers",
    both(component("smin", 2n ** 62n + 1n), component("smax", 2n ** 62n)),
    "empty interval",
  ],
  [
    "an empty 32-bit interval",
    both(component("umin32", 2n ** 31n), component("umax32", 1n)),
    "empty interval",
  ],
  [
    "an empty signed 32-bit interval",
    both(component("smin32", 0n), component("smax32", -1n)),
    "empty interval",
  ],
  ["a kind that is none", r1((at) => setKind(at, 0xff)), "of no kind"],
  ["a flag that is none", pointer(KIND.context | (1 << 30), 0), "of no kind"],
  ["a number with flags", r1((at) => setKind(at, KIND.scalar | FLAG.orNull)), "a number with flags"],
  ["an id that comes later", r1((at) => setLink(at, 99, 0, 64)), "has id 99"],
  ["a negative id", r1((at) => setLink(at, -1, 0, 64)), "has id -1"],
  ["a link without a class", r1((at) => setLink(at, 0, 4, 64)), "linked to nothing"],
  ["a link of no form", r1((at) => setLink(at, 1, 0, 0)), "a link of form 0"],
  ["a number with a range", r1((at) => setRange(at, 4)), "a number with a range"],
  ["a pointer into a frame that is not there", pointer(KIND.stack, 2), "points to object 2"],
  ["a pointer to a map that is not there", pointer(KIND.mapValue, 1), "points to object 1"],
  ["a pointer to a map before the first", pointer(KIND.map, -1), "points to object -1"],
  [
    "a pointer beyond what offsets may be",
    both(
      pointer(KIND.packet, 0),
      r1((r) => setOff(r, 2 ** 29)),
    ),
    "offset",
  ],
  [
    "a packet's range below 0",
    both(
      pointer(KIND.packet, 0),
      r1((r) => setRange(r, -1)),
    ),
    "range or reference",
  ],
  [
    "a reference that comes later",
    both(
      pointer(KIND.socket, 0),
      r1((r) => setRange(r, 99)),
    ),
    "range or reference",
  ],
  ["another frame pointer", (at) => setOff(registerAt(at, 1, 10), -8), "R10 is not the frame's pointer"],
  ["a frame pointer with an id", (at) => setId(registerAt(at, 0, 10), 1), "R10 is not the frame's pointer"],
  ["a spilled byte above one that is not", slot((at) => setSlotByte(at, 3, BYTE.misc)), "not the lowest"],
  ["a byte of no kind", slot((at) => setSlotByte(at, 7, 9)), "a byte of kind 9"],
  ["a part of an object", slot((at) => setSlotByte(at, 7, BYTE.object)), "a part of an object"],
  ["nothing spilled", slot((at) => setKind(spilledAt(at), KIND.none)), "nothing spilled"],
  ["ids that ran out", (at) => setLastId(at, 2 ** 30 + 1), "last id"],
  ["a reference of no kind", (at) => setReferenceCount(at, 1), "reference 0 is of no kind"],
  ["sections below 0", (at) => (setSectionDepth(at, 12, 255), setWord(12, -1)(at)), "unknown section"],
];

test.each(changes)("%s", (_, change, words) => {
  expect(flawAfter(change)).toContain(words);
});

test("part of a pointer is not spilled", () => {
  const part = (at: number): void => {
    setPointer(spilledAt(slotAt(at, 0, 0)), KIND.context, 0);
    for (let i = 4; i < 8; i += 1) setSlotByte(slotAt(at, 0, 0), i, BYTE.misc);
  };
  expect(flawAfter(part)).toContain("a part of a pointer");
});

test("a node stands at an instruction, and leads to nodes", () => {
  expect(flawAfter(() => undefined, { pc: 99 })).toContain("insn 99");
  expect(flawAfter(() => undefined, { edges: [0.5] })).toContain("no node");
  expect(flawAfter(() => undefined, { state: new Uint8Array(7) })).toContain("not laid out");
});

test("the checker looks at no state that is not well formed", () => {
  const verdict = verify(PROGRAM);
  if (verdict.verdict !== "accept") throw new Error("accepted");
  const { nodes } = verdict.certificate;
  const broken = nodes.map(({ state, ...rest }, i) => {
    if (i !== 0) return { ...rest, state };
    reset();
    const at = allocate(state.length);
    fromBytes(state, at);
    setKind(registerAt(at, 0, 0), 0xff);
    return { ...rest, state: toBytes(at) };
  });
  expect(checkCertificate(PROGRAM, { nodes: broken, roots: [] })).toMatchObject({
    ok: false,
    node: 0,
    reason: expect.stringContaining("not well formed"),
  });
});
