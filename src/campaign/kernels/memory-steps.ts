/** Steps of probes that access memory at a place that a number says, that call, and in which ways part and meet. */
import { helperId } from "../../semantics/helpers/names.ts";
import { clamp, comparison, constant, fill } from "./number-steps.ts";
import {
  CALLERS_STACK,
  CELLS,
  type Draft,
  FRAME,
  MEMORY,
  PACKET,
  SAVED,
  SLOTS,
  STACK,
  type Step,
  VALUE,
} from "./probe.ts";

/** A number of at most `most`: one that is so, or is made so. */
function bounded(draft: Draft, most: number, ...not: readonly number[]): number {
  const ready = [...draft.known].filter(
    ([register, known]) => register >= 0 && known !== undefined && known <= most && !not.includes(register),
  );
  const found = ready[draft.random.below(ready.length)];
  if (found !== undefined && !draft.once(8)) return found[0];
  if (draft.once(4)) clamp(draft);
  const dst = draft.changeable();
  const bits = 2 ** Math.floor(Math.log2(most + 1)) - 1;
  draft.emit("and64_imm", { dst, imm: bits });
  draft.known.set(dst, bits);
  return dst;
}

const SIZES = ["b", "h", "w", "dw"] as const;
const BYTES = { b: 1, h: 2, w: 4, dw: 8 } as const;

/** Now and then a program goes wrong by a little. */
const slip = (draft: Draft): number => (draft.once(40) ? 1 : 0);

function access(draft: Draft, at: number, off: number, size: (typeof SIZES)[number]): void {
  if (draft.once(2)) {
    draft.emit(`ldx${size}`, { dst: at, src: at, off });
    draft.known.set(at, size === "dw" ? undefined : 2 ** (8 * BYTES[size]) - 1);
    return;
  }
  draft.emit(`st${size}`, { dst: at, off, imm: draft.random.below(100) });
}

/** A pointer moved by a number, or a number by a pointer, which is the same; the register that it is in, which the number may be in too. */
function moved(draft: Draft, pointer: number, by: number, offset = 0): number {
  const at = draft.scratch(by);
  if (draft.once(3)) {
    draft.emit("mov64_reg", { dst: at, src: by });
    draft.emit("add64_reg", { dst: at, src: pointer });
    if (offset !== 0) draft.emit("add64_imm", { dst: at, imm: offset });
  } else {
    draft.emit("mov64_reg", { dst: at, src: pointer });
    if (offset !== 0) draft.emit("add64_imm", { dst: at, imm: offset });
    draft.emit(draft.once(10) ? "sub64_reg" : "add64_reg", { dst: at, src: by });
  }
  draft.known.delete(at);
  return at;
}

/** A size and what is left behind it of some bytes, where a number says how far in an access is. */
function placeIn(draft: Draft, bytes: number, most: number): { size: (typeof SIZES)[number]; room: number } {
  const size = draft.pick(
    SIZES.filter((each) => most + BYTES[each] <= bytes),
    "b",
  );
  return { size, room: bytes - most - BYTES[size] };
}

/** The map's value at a place that a number says; as near to its end as the number allows. */
export const element: Step = (draft) => {
  const index = bounded(draft, VALUE - 1);
  const { size, room } = placeIn(draft, VALUE, draft.known.get(index) ?? 0);
  const at = moved(draft, MEMORY, index);
  access(draft, at, (draft.once(3) ? draft.random.below(room + 1) : room) + slip(draft), size);
};

/** The stack, in the same way; single bytes, since others must lie at multiples of their size. */
export const stackElement: Step = (draft) => {
  const index = bounded(draft, STACK.bytes - 1);
  const most = draft.known.get(index) ?? 0;
  const at = moved(draft, FRAME, index, STACK.start);
  access(draft, at, draft.random.below(STACK.bytes - most), "b");
  // What is on the stack may be anything now.
  for (const off of SLOTS) draft.known.set(off, undefined);
};

/** In a function: the caller's stack. */
export const callersElement: Step = (draft) => {
  const index = bounded(draft, STACK.bytes - 1);
  const most = draft.known.get(index) ?? 0;
  const at = moved(draft, CALLERS_STACK, index);
  access(draft, at, draft.random.below(STACK.bytes - most), "b");
};

/** Eight bytes at a constant place of the stack, or of what `others` point to, by way of a number that the pointer is added to. */
export function constantPlace(...others: readonly number[]): Step {
  return (draft) => {
    const pointer = draft.pick([FRAME, ...others], FRAME);
    const at = draft.target();
    const slot = 8 * draft.random.below(STACK.bytes / 8);
    draft.emit("mov64_imm", { dst: at, imm: slot });
    draft.emit("add64_reg", { dst: at, src: pointer });
    draft.known.delete(at);
    const off = pointer === FRAME ? STACK.start : 0;
    if (draft.once(3)) {
      draft.emit("ldxdw", { dst: at, src: at, off });
      draft.known.set(at, undefined);
      return;
    }
    if (draft.once(2)) draft.emit("stdw", { dst: at, off, imm: draft.random.below(64) });
    else draft.emit("stxdw", { dst: at, src: draft.number(), off });
    if (pointer === FRAME) draft.known.set(off + slot, undefined);
  };
}

/** The packet's end compared with a place twice, with steps between, where both ways of the first comparison have met. */
export function packetTwice(steps: readonly Step[]): Step {
  return (draft) => {
    if (draft.reserved.size > 0) return;
    const [limit, end] = [7, 8] as const;
    const reach = 4 + draft.random.below(72);
    draft.emit("mov64_reg", { dst: limit, src: PACKET });
    draft.emit("add64_imm", { dst: limit, imm: reach });
    draft.emit("ldxdw", { dst: end, src: FRAME, off: SAVED.end });
    for (const register of [limit, end]) {
      draft.known.delete(register);
      draft.reserved.add(register);
    }
    const forms = [
      ["jgt64_reg", limit, end],
      ["jge64_reg", limit, end],
      ["jlt64_reg", end, limit],
      ["jle64_reg", end, limit],
      ["jle64_reg", limit, end],
      ["jlt64_reg", limit, end],
    ] as const;
    const compare = (label: number): void => {
      const [name, dst, src] = draft.pick(forms, forms[0]);
      draft.jump(name, label, { dst, src });
    };
    const [meet, over] = [draft.label(), draft.label()];
    compare(meet);
    const before = new Map(draft.known);
    for (let i = draft.random.below(2); i >= 0; i -= 1) draft.pick(steps, () => undefined)(draft);
    draft.place(meet);
    draft.join(before);
    if (draft.once(2)) draft.pick(steps, () => undefined)(draft);
    compare(over);
    const after = new Map(draft.known);
    for (let i = draft.random.below(2); i >= 0; i -= 1) draft.pick(steps, () => undefined)(draft);
    draft.place(over);
    draft.join(after);
    for (const register of [limit, end]) {
      draft.reserved.delete(register);
      draft.emit("mov64_imm", { dst: register, imm: 1 });
      draft.known.set(register, 1);
    }
  };
}

/** The packet at a place that a number says, after a comparison with its end in one of its forms. */
export const packetElement: Step = (draft) => {
  const index = bounded(draft, 63);
  const at = draft.scratch(index);
  const limit = draft.scratch(index, at);
  const end = draft.scratch(index, at, limit);
  const size = draft.pick(SIZES, "b");
  const reach = BYTES[size] + draft.random.below(12);
  draft.emit("mov64_reg", { dst: at, src: PACKET });
  draft.emit("add64_reg", { dst: at, src: index });
  draft.emit("mov64_reg", { dst: limit, src: at });
  draft.emit("add64_imm", { dst: limit, imm: reach });
  draft.emit("ldxdw", { dst: end, src: FRAME, off: SAVED.end });
  for (const register of [at, limit, end]) draft.known.delete(register);
  const forms = [
    ["jgt64_reg", limit, end, 0],
    ["jge64_reg", limit, end, 1],
    ["jlt64_reg", end, limit, 0],
    ["jle64_reg", end, limit, 1],
  ] as const;
  const [name, dst, src, more] = draft.pick(forms, forms[0]);
  if (draft.once(4)) {
    // On either side of the comparison, on a way of its own.
    const [inside, past] = [draft.label(), draft.label()];
    const flipped = {
      jgt64_reg: "jle64_reg",
      jge64_reg: "jlt64_reg",
      jlt64_reg: "jge64_reg",
      jle64_reg: "jgt64_reg",
    };
    draft.jump(flipped[name], inside, { dst, src });
    draft.emit("mov64_reg", { dst: at, src: PACKET });
    if (draft.once(2)) draft.jump("goto", past);
    draft.place(inside);
    if (draft.isUsed(past))
      draft.emit(`ldx${size}`, { dst: limit, src: at, off: reach - BYTES[size] + more });
    draft.place(past);
    draft.emit("mov64_imm", { dst: limit, imm: 0 });
    draft.known.set(limit, 0);
    return;
  }
  draft.jump(name, draft.out, { dst, src });
  draft.emit(`ldx${size}`, {
    dst: at,
    src: at,
    off: reach - BYTES[size] + more * (draft.once(2) ? 1 : 0) + slip(draft),
  });
  draft.known.set(at, size === "dw" ? undefined : 2 ** (8 * BYTES[size]) - 1);
};

/** An operation on memory in one step, that may fetch what was there. */
export const atomic: Step = (draft) => {
  const width = draft.once(2) ? "64" : "32";
  const op = draft.pick(["add", "fetch_add", "fetch_or", "fetch_and", "fetch_xor", "xchg", "cmpxchg"], "add");
  const [dst, off] = draft.once(2)
    ? [FRAME, draft.pick(SLOTS, -24)]
    : [MEMORY, 8 * draft.random.below(VALUE / 8)];
  if (op === "cmpxchg" && !draft.known.has(0)) return;
  const src = draft.changeable();
  draft.emit(`atomic_${op}${width}`, { dst, src, off });
  const result = op === "cmpxchg" ? 0 : src;
  const before = dst === FRAME && width === "64" ? draft.known.get(off) : undefined;
  if (op !== "add") draft.known.set(result, width === "32" ? 0xffffffff : before);
  if (dst === FRAME) draft.known.set(off, undefined);
};

/** A helper that is given memory on the stack and how much of it. */
export const sized: Step = (draft) => {
  if (draft.reserved.size > 0) return;
  const size = bounded(draft, STACK.bytes - 1, 1, 2);
  const name = draft.type === "sched_cls" && draft.once(2) ? "skb_load_bytes" : "csum_diff";
  if (name === "csum_diff") {
    draft.emit("mov64_reg", { dst: 2, src: size });
    draft.emit("and64_imm", { dst: 2, imm: -4 });
    draft.emit("mov64_reg", { dst: 1, src: FRAME });
    draft.emit("add64_imm", { dst: 1, imm: STACK.start });
    for (const register of [3, 4, 5]) draft.emit("mov64_imm", { dst: register, imm: 0 });
  } else {
    draft.emit("mov64_reg", { dst: 4, src: size });
    if (draft.version < 606) draft.emit("add64_imm", { dst: 4, imm: 1 });
    draft.emit("mov64_reg", { dst: 3, src: FRAME });
    draft.emit("add64_imm", { dst: 3, imm: STACK.start });
    draft.emit("mov64_imm", { dst: 2, imm: draft.random.below(8) });
    draft.emit("ldxdw", { dst: 1, src: FRAME, off: SAVED.context });
    for (const off of SLOTS) draft.known.set(off, undefined);
  }
  draft.emit("call_helper", { imm: helperId(name) ?? 0 });
  draft.called();
  draft.known.set(0, undefined);
};

/** A call of the function, which may change the stack. */
export const call: Step = (draft) => {
  if (draft.callee === undefined || draft.reserved.size > 0) return;
  const [first, second] = [draft.number(), draft.number()];
  if (second !== 2) draft.emit("mov64_reg", { dst: 2, src: second });
  draft.emit("mov64_reg", { dst: 1, src: first === 2 ? second : first });
  draft.emit("mov64_reg", { dst: 3, src: FRAME });
  draft.emit("add64_imm", { dst: 3, imm: STACK.start });
  draft.jump("call_subprogram", draft.callee, {});
  draft.called();
  draft.known.set(0, undefined);
  for (const off of SLOTS) draft.known.set(off, undefined);
  // What it has left there.
  if (draft.once(2)) fill(draft);
};

/** A way round some steps: where both meet, one of them has changed something. */
export function branch(steps: readonly Step[]): Step {
  return (draft) => {
    const label = draft.label();
    const { name, ...operands } = comparison(draft);
    draft.jump(name, label, operands);
    const before = new Map(draft.known);
    for (let i = draft.random.below(3); i >= 0; i -= 1) draft.pick(steps, () => undefined)(draft);
    if (draft.once(3)) {
      const past = draft.label();
      draft.jump("goto", past);
      draft.place(label);
      const after = draft.known;
      draft.known = before;
      for (let i = draft.random.below(2); i >= 0; i -= 1) draft.pick(steps, () => undefined)(draft);
      draft.place(past);
      draft.join(after);
      return;
    }
    draft.place(label);
    draft.join(before);
  };
}

/** A loop with a counter that no step changes, or one that may_goto ends. */
export function loop(steps: readonly Step[]): Step {
  return (draft) => {
    if (draft.reserved.size > 0) return;
    const counter = draft.pick([7, 8], 7);
    const again = draft.label();
    const end = draft.label();
    const times = 1 + draft.random.below(5);
    // What is known at the start is not known the second time round.
    for (const place of draft.known.keys()) draft.known.set(place, undefined);
    draft.emit("mov64_imm", { dst: counter, imm: 0 });
    draft.reserved.add(counter);
    draft.known.delete(counter);
    draft.place(again);
    const endless = draft.version >= 610 && draft.once(2);
    if (endless) draft.jump("may_goto", end);
    const before = new Map(draft.known);
    for (let i = draft.random.below(3); i >= 0; i -= 1) draft.pick(steps, () => undefined)(draft);
    for (const place of draft.known.keys()) draft.known.set(place, undefined);
    if (draft.once(2)) draft.emit("add64_imm", { dst: counter, imm: 1 });
    else draft.emit("add32_imm", { dst: counter, imm: 1 });
    draft.jump(draft.pick(["jlt64_imm", "jne64_imm", "jslt32_imm"], "jlt64_imm"), again, {
      dst: counter,
      imm: times,
    });
    draft.place(end);
    draft.reserved.delete(counter);
    draft.join(before);
    draft.known.set(counter, endless ? undefined : times);
  };
}

/** What the packet says goes to the map's value, where the next run finds it. */
export const keep: Step = (draft) => {
  const size = draft.pick(SIZES, "dw");
  draft.emit(`stx${size}`, {
    dst: draft.once(2) ? MEMORY : PACKET,
    src: draft.number(),
    off: 8 * draft.random.below(CELLS / 8),
  });
};

/** A number becomes another one, unless it is a certain one. */
export const exchange: Step = (draft) => {
  const dst = draft.changeable();
  const label = draft.label();
  const most = draft.known.get(dst);
  draft.jump(draft.once(2) ? "jne64_imm" : "jne32_imm", label, {
    dst,
    imm: draft.once(2) ? draft.random.below(8) : constant(draft),
  });
  const imm = draft.random.below(32);
  draft.emit("mov64_imm", { dst, imm });
  draft.place(label);
  draft.known.set(dst, most === undefined ? undefined : Math.max(most, imm));
};
