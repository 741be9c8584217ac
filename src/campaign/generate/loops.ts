/**
 * Loops of every kind, over the steps that follow or over functions that are called back. Loops in loops are short, and nothing is called back in them: not to
 * measure patience.
 */
import { someNumber } from "./arithmetic.ts";
import { type Emit, FRAME, immediate, slotOffset, type Writer } from "./context.ts";
import { blockLength } from "./flow.ts";
import { atMost, NOTHING, NUMBER } from "./held.ts";

/** A block that is gone through again: what is known of numbers is not known the second time, and calls in it leave nothing in r0 to r5. */
function enter(w: Writer): void {
  for (let r = 0; r <= 5; r += 1) w.drop(r);
  w.draft.forgetBounds();
  w.loops += 1;
}

/** A loop over the steps that follow, with a counter of its own: upwards or downwards, until it is equal or beyond, with a bound that is a constant or in a register. */
export const loop: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const counter = w.saved(a);
  if (counter === undefined || w.loops >= 2) return;
  const passages = 1 + (b % (w.loops === 0 ? 12 : 3));
  const down = (c >> 7) % 4 === 0;
  const escapes = c % 5 === 0;
  draft.emit("mov64_imm", { dst: counter, imm: down ? passages : 0 });
  enter(w);
  draft.set(counter, atMost(passages));
  const [head, out] = [draft.label(), draft.label()];
  draft.place(head);
  if (escapes) draft.jump("may_goto", out);
  w.reserved.add(counter);
  const before = draft.snapshot();
  w.blocks.push({
    left: blockLength(c >> 3),
    end: () => {
      const width = (c >> 6) % 2 === 0 ? 64 : 32;
      draft.emit(`${down ? "sub" : "add"}${width}_imm`, { dst: counter, imm: 1 });
      const test = down ? "jne" : (["jlt", "jne", "jslt", "jlt"] as const)[(c >> 9) % 4];
      draft.jump(`${test ?? "jlt"}${width}_imm`, head, { dst: counter, imm: down ? 0 : passages });
      if (escapes) draft.join(before);
      draft.place(out);
      draft.set(counter, atMost(passages));
      w.reserved.delete(counter);
      w.loops -= 1;
    },
  });
};

/** As often as a number says that is bounded. */
export const loopToNumber: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const counter = w.saved(a);
  if (counter === undefined || w.loops >= 2) return;
  w.reserved.add(counter);
  const bound = w.saved(b);
  if (bound === undefined) {
    w.reserved.delete(counter);
    return;
  }
  const from = someNumber(w, c);
  if (from !== bound) draft.emit("mov64_reg", { dst: bound, src: from });
  draft.emit("and64_imm", { dst: bound, imm: 7 });
  draft.emit("mov64_imm", { dst: counter, imm: 0 });
  enter(w);
  draft.set(bound, atMost(7));
  draft.set(counter, atMost(8));
  w.reserved.add(bound);
  const [head, out] = [draft.label(), draft.label()];
  draft.place(head);
  draft.jump((c >> 3) % 2 === 0 ? "jge64_reg" : "jsge64_reg", out, { dst: counter, src: bound });
  const before = draft.snapshot();
  w.blocks.push({
    left: blockLength(c >> 4),
    end: () => {
      draft.emit("add64_imm", { dst: counter, imm: 1 });
      draft.jump("goto", head);
      draft.join(before);
      draft.place(out);
      draft.set(counter, atMost(8));
      w.reserved.delete(counter);
      w.reserved.delete(bound);
      w.loops -= 1;
    },
  });
};

/** A loop whose only end is the kernel's budget of passages. */
export const mayGoto: Emit = (w, { a, b }) => {
  const { draft } = w;
  if (w.loops >= 1) return;
  enter(w);
  const [head, out] = [draft.label(), draft.label()];
  draft.place(head);
  draft.jump("may_goto", out);
  const before = draft.snapshot();
  w.blocks.push({
    left: blockLength(a),
    end: () => {
      // Not to go on for a long time.
      const tested = someNumber(w, b);
      draft.jump("jset64_imm", head, { dst: tested, imm: 1 << (b % 4) });
      draft.join(before);
      draft.place(out);
      w.loops -= 1;
    },
  });
};

/** An iterator of numbers, on the stack: the number in memory is good until the next. */
export const iterate: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (w.loops >= 1 || !w.abilities.mayCall("bpf_iter_num_new")) return;
  const slot = w.keep(1);
  if (slot === undefined) return;
  const pointTo = (): void => w.pointToSlot(1, slot);
  pointTo();
  const from = (a % 16) - 4;
  draft.emit("mov64_imm", { dst: 2, imm: from });
  draft.emit("mov64_imm", { dst: 3, imm: from + (b % 12) });
  w.callKfunc("bpf_iter_num_new", NUMBER);
  w.hold(0, () => {
    pointTo();
    w.callKfunc("bpf_iter_num_destroy", NOTHING);
    w.free(slot, 1);
  });
  enter(w);
  const [head, out] = [draft.label(), draft.label()];
  draft.place(head);
  pointTo();
  w.callKfunc("bpf_iter_num_next", NOTHING);
  draft.jump("jeq64_imm", out, { dst: 0, imm: 0 });
  const before = draft.snapshot();
  draft.set(0, { kind: "memory", size: 4, writable: false, life: draft.id(), plain: false });
  const index = w.saved(c);
  if (index !== undefined) {
    draft.emit("ldxw", { dst: index, src: 0 });
    draft.set(index, atMost(2 ** 32 - 1));
  }
  w.blocks.push({
    left: blockLength(c >> 2),
    end: () => {
      draft.jump("goto", head);
      draft.join(before);
      draft.place(out);
      w.loops -= 1;
    },
  });
};

/** An iterator over the bits of a word in memory. */
export const iterateBits: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (w.loops >= 1 || w.locked || !w.abilities.mayCall("bpf_iter_bits_new")) return;
  const slot = w.keep(2);
  if (slot === undefined) return;
  draft.emit("stdw", { dst: FRAME, off: slotOffset(a % 4), imm: immediate(b) });
  draft.know.slots[a % 4] = NUMBER;
  w.pointToSlot(2, a % 4);
  const pointTo = (): void => w.pointToSlot(1, slot);
  pointTo();
  draft.emit("mov64_imm", { dst: 3, imm: 1 });
  w.callKfunc("bpf_iter_bits_new", NUMBER);
  w.hold(0, () => {
    pointTo();
    w.callKfunc("bpf_iter_bits_destroy", NOTHING);
    w.free(slot, 2);
  });
  enter(w);
  const [head, out] = [draft.label(), draft.label()];
  draft.place(head);
  pointTo();
  w.callKfunc("bpf_iter_bits_next", NOTHING);
  draft.jump("jeq64_imm", out, { dst: 0, imm: 0 });
  const before = draft.snapshot();
  draft.emit("ldxw", { dst: 1, src: 0 });
  draft.set(1, atMost(2 ** 32 - 1));
  w.blocks.push({
    left: blockLength(c),
    end: () => {
      draft.jump("goto", head);
      draft.join(before);
      draft.place(out);
      w.loops -= 1;
    },
  });
};

/** bpf_loop calls a function of the program, which gets a slot of this one's stack. */
export const callBack: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (!w.isMain || !w.has("loop") || w.loops > 0) return;
  const slot = a % 4;
  draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: b % 16 });
  if ((c >> 5) % 2 === 0) draft.emit("mov64_imm", { dst: 1, imm: c % 20 });
  else {
    const times = someNumber(w, c >> 6);
    if (times !== 1) draft.emit("mov64_reg", { dst: 1, src: times });
    draft.emit("and64_imm", { dst: 1, imm: 15 });
  }
  draft.jump("ld_imm64_func", w.function("callback"), { dst: 2 });
  w.pointToSlot(3, slot);
  draft.emit("mov64_imm", { dst: 4, imm: 0 });
  w.call("loop", NUMBER);
  draft.know.slots[slot] = NUMBER;
};

/** A function of the program for each element of a map. */
export const forEach: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (!w.isMain || !w.has("for_each_map_elem") || w.loops > 0) return;
  const name = (["several", "table", "recent", "counters"] as const)[a % 4] ?? "table";
  const slot = b % 4;
  draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: immediate(c) });
  w.loadMap(1, name);
  draft.jump("ld_imm64_func", w.function("element"), { dst: 2 });
  w.pointToSlot(3, slot);
  draft.emit("mov64_imm", { dst: 4, imm: 0 });
  w.call("for_each_map_elem", NUMBER);
  draft.know.slots[slot] = NUMBER;
};

/** What user space has put into a ring buffer, record by record. */
export const drain: Emit = (w, { a, b }) => {
  const { draft } = w;
  if (!w.isMain || !w.has("user_ringbuf_drain") || w.loops > 0) return;
  const slot = a % 4;
  draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: b % 16 });
  w.loadMap(1, "from_user");
  draft.jump("ld_imm64_func", w.function("record"), { dst: 2 });
  w.pointToSlot(3, slot);
  draft.emit("mov64_imm", { dst: 4, imm: 0 });
  w.call("user_ringbuf_drain", NUMBER);
  draft.know.slots[slot] = NUMBER;
};
