/** Steps that call functions of the program, or leave it for another. */
import { someNumber } from "./arithmetic.ts";
import { CONTEXT, type Emit, type Writer } from "./context.ts";
import { NOTHING, NUMBER } from "./held.ts";

/** A call of the program's static function, or of its global one, with two numbers. */
export const callFunction: Emit = (w, { a, b, c }) => {
  if (!w.isMain || w.locked) return;
  const isGlobal = c % 3 === 0;
  passNumbers(w, a, b);
  w.draft.jump("call_subprogram", w.function(isGlobal ? "global" : "callee"));
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

/** A tail call to a program that may not be there. */
export const tailCall: Emit = (w, { a, b }) => {
  const { draft } = w;
  if (!w.hasContext || !w.has("tail_call") || w.loops > 0 || w.held > 0) return;
  const index = b % 3 === 0 ? w.number(a) : undefined;
  if (index !== undefined && index !== 3) draft.emit("mov64_reg", { dst: 3, src: index });
  else draft.emit("mov64_imm", { dst: 3, imm: a % 3 });
  draft.emit("mov64_reg", { dst: 1, src: CONTEXT });
  w.loadMap(2, "programs");
  w.call("tail_call", NOTHING);
};
