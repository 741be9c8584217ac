/** Steps of control flow: branches that meet again, loops of every kind, calls of the program's own functions. */
import { helperId } from "../../semantics/helpers/names.ts";
import { someNumber } from "./arithmetic.ts";
import { CONTEXT, type Emit, FRAME, immediate, MAPS, type Writer } from "./context.ts";
import { atMost, NOTHING, NUMBER } from "./draft.ts";

const CONDITIONS = [
  "jeq",
  "jne",
  "jgt",
  "jge",
  "jlt",
  "jle",
  "jset",
  "jsgt",
  "jsge",
  "jslt",
  "jsle",
] as const;
const condition = (choice: number): string =>
  `${CONDITIONS[choice % CONDITIONS.length] ?? "jeq"}${(choice >> 4) % 2 === 0 ? 64 : 32}`;

/** How many steps a block takes in. */
const blockLength = (choice: number): number => 1 + (choice % 4);

/** Goes out of the function unless a number is small. */
export const clamp: Emit = (w, { a, b, c }) => {
  const dst = someNumber(w, a);
  const most = 1 + (b % 64);
  const width = c % 2 === 0 ? 64 : 32;
  const [name, imm] = (c >> 1) % 2 === 0 ? [`jgt${width}_imm`, most] : [`jge${width}_imm`, most + 1];
  w.draft.giveUp(name, { dst, imm });
  if (width === 64) w.draft.set(dst, atMost(most));
};

/** A branch round the steps that follow. */
export const branch: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const dst = someNumber(w, a);
  const label = draft.label();
  if (c % 3 === 0) draft.jump(`${condition(b)}_reg`, label, { dst, src: someNumber(w, c) });
  else draft.jump(`${condition(b)}_imm`, label, { dst, imm: immediate(c) });
  const before = draft.snapshot();
  w.blocks.push({
    left: blockLength(c >> 4),
    end: () => {
      draft.join(before);
      draft.place(label);
    },
  });
};

/** Two ways that leave different numbers in a register, and meet. */
export const choice: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const tested = someNumber(w, a);
  const dst = w.target(b);
  if (dst === tested) return;
  const label = draft.label();
  const [one, other] = [c % 32, (c >> 5) % 32];
  draft.emit("mov64_imm", { dst, imm: one });
  draft.jump(`${condition(b >> 4)}_imm`, label, { dst: tested, imm: immediate(b) });
  draft.emit("mov64_imm", { dst, imm: other });
  draft.place(label);
  draft.set(dst, atMost(Math.max(one, other)));
};

/** A loop over the steps that follow, with a counter of its own. */
export const loop: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const counter = w.saved(a);
  if (counter === undefined || w.loops >= 2) return;
  const passages = 1 + (b % 12);
  draft.emit("mov64_imm", { dst: counter, imm: 0 });
  draft.forgetBounds();
  draft.set(counter, atMost(passages));
  const [head, out] = [draft.label(), draft.label()];
  draft.place(head);
  if (c % 5 === 0) draft.jump("may_goto", out);
  w.reserved.add(counter);
  w.loops += 1;
  const before = draft.snapshot();
  w.blocks.push({
    left: blockLength(c >> 3),
    end: () => {
      draft.emit("add64_imm", { dst: counter, imm: 1 });
      draft.jump((c >> 6) % 2 === 0 ? "jlt64_imm" : "jlt32_imm", head, { dst: counter, imm: passages });
      if (c % 5 === 0) draft.join(before);
      draft.place(out);
      draft.set(counter, atMost(passages));
      w.reserved.delete(counter);
      w.loops -= 1;
    },
  });
};

/** A call of the program's function, with two numbers. */
export const callFunction: Emit = (w, { a, b }) => {
  if (w.callee === undefined) return;
  passNumbers(w, a, b);
  w.draft.jump("call_subprogram", w.callee);
  w.draft.called(NUMBER);
};

function passNumbers(w: Writer, a: number, b: number): void {
  const first = someNumber(w, a);
  const second = someNumber(w, b);
  if (second === 1) {
    w.draft.emit("mov64_reg", { dst: 2, src: second });
    if (first !== 1) w.draft.emit("mov64_reg", { dst: 1, src: first === 2 ? 2 : first });
    return;
  }
  if (first !== 1) w.draft.emit("mov64_reg", { dst: 1, src: first });
  if (second !== 2) w.draft.emit("mov64_reg", { dst: 2, src: second });
}

/** bpf_loop calls the program's other function, which gets a slot of this one's stack. */
export const callBack: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (w.callback === undefined) return;
  const slot = a % 4;
  draft.emit("stdw", { dst: FRAME, off: -8 * (slot + 1), imm: b % 16 });
  draft.emit("mov64_imm", { dst: 1, imm: c % 20 });
  draft.jump("ld_imm64_func", w.callback, { dst: 2 });
  draft.emit("mov64_reg", { dst: 3, src: FRAME });
  draft.emit("add64_imm", { dst: 3, imm: -8 * (slot + 1) });
  draft.emit("mov64_imm", { dst: 4, imm: 0 });
  draft.emit("call_helper", { imm: helperId("loop") ?? 0 });
  draft.called(NUMBER);
  draft.know.slots[slot] = NUMBER;
};

/** A tail call to a program that may not be there. */
export const tailCall: Emit = (w, { a }) => {
  const { draft } = w;
  if (draft.held(CONTEXT).kind !== "context" || w.loops > 0) return;
  draft.emit("mov64_reg", { dst: 1, src: CONTEXT });
  draft.emit("ld_imm64_map_fd", { dst: 2, imm: MAPS.progs });
  draft.emit("mov64_imm", { dst: 3, imm: a % 3 });
  draft.emit("call_helper", { imm: helperId("tail_call") ?? 0 });
  draft.called(NOTHING);
};
