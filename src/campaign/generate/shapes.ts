/**
 * Steps on numbers of which something is known that masks alone do not give: ends that are not 0, negative ones, upper halves that are not 0, ends on both sides of a
 * border. What an operator says of a product, a quotient or a low half is wrong most often there.
 */
import { EXTENDING, operation, UNARY } from "./arithmetic.ts";
import { drawer, type Emit, immediate, pick, type Writer } from "./context.ts";
import { condition } from "./flow.ts";
import { NUMBER } from "./held.ts";
import { VALUE_SIZE } from "./maps.ts";

type Draw = (limit: number) => number;

/** A number of which nothing is known: 8 bytes of a map's value. */
function unknown(w: Writer, dst: number, draw: Draw): void {
  w.draft.emit("ld_imm64_map_value", { dst, imm: w.map("values") });
  w.draft.emit("ldxdw", { dst, src: dst, off: 8 * draw(VALUE_SIZE / 8) });
  w.draft.set(dst, NUMBER);
}

/** Upper halves: small ones, those with the sign, all bits. */
const UPPER = [1, 1, 2, 3, 0x7fffffff, -0x80000000, -1, 0xf0] as const;

/**
 * Something becomes known of a number.
 *
 * @param spare  a register for what an immediate cannot hold
 */
function shape(w: Writer, dst: number, spare: number, draw: Draw): void {
  const { draft } = w;
  const way = draw(9);
  if (way === 0) return;
  if (way === 1) {
    const least = draw(64) - 32;
    w.giveUp("jsgt64_imm", { dst, imm: least + draw(64) });
    w.giveUp("jslt64_imm", { dst, imm: least });
    return;
  }
  if (way === 2) {
    draft.emit("mov32_reg", { dst, src: dst });
    return;
  }
  draft.emit(draw(4) === 0 ? "and32_imm" : "and64_imm", { dst, imm: 2 ** draw(9) - 1 });
  if (way === 3)
    draft.emit("or64_imm", { dst, imm: draw(2) === 0 ? 2 ** draw(9) : immediate(draw(0x10000)) });
  else if (way === 4) draft.emit("add64_imm", { dst, imm: 2 + draw(32) });
  else if (way === 5) draft.emit("sub64_imm", { dst, imm: 1 + draw(300) });
  else if (way === 6) draft.emit("lsh64_imm", { dst, imm: draw(2) === 0 ? 32 : draw(64) });
  else if (way === 7) {
    const imm = draw(2) === 0 ? 0 : -1 - draw(64);
    draft.emit("ld_imm64", { dst: spare, imm, immHigh: pick(UPPER, draw(64)) ?? 1 });
    draft.emit(draw(2) === 0 ? "add64_reg" : "or64_reg", { dst, src: spare });
    draft.set(spare, NUMBER);
  }
}

/** What a number is compared with: 0, a small number, or an edge. */
function compared(draw: Draw): number {
  const way = draw(3);
  return way === 0 ? 0 : way === 1 ? draw(64) - 8 : immediate(draw(0x10000));
}

/** Two numbers of such shapes, a few operations on one of them, and at times a comparison of the two. */
export const shaped: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const draw = drawer(c);
  const free = [0, 1, 2].map((place) => w.target(a + place + (place > 0 ? b % 5 : 0)));
  const [dst = 0, src = 0, spare = 0] = free;
  if (new Set(free).size < 3) return;
  for (const register of [dst, src]) {
    if (draw(3) > 0 || draft.held(register).kind !== "number") unknown(w, register, draw);
    shape(w, register, spare, draw);
  }
  draft.set(spare, NUMBER);
  draft.emit("mov64_imm", { dst: spare, imm: immediate(b) });
  for (let i = 1 + draw(3); i > 0; i -= 1) {
    const way = draw(8);
    if (way === 0) draft.emit(pick(UNARY, draw(64)) ?? "neg64", { dst });
    else if (way === 1) draft.emit(pick(EXTENDING, draw(64)) ?? "movsx8_64", { dst, src: dst });
    else operation(w, dst, draw, way < 6 ? src : undefined);
  }
  draft.set(dst, NUMBER);
  if (draw(2) === 0) return;
  const over = draft.label();
  const name = condition(draw(0x10000));
  if (draw(2) === 0) draft.jump(`${name}_reg`, over, { dst, src });
  else draft.jump(`${name}_imm`, over, { dst, imm: compared(draw) });
  draft.emit(draw(2) === 0 ? "add64_imm" : "add32_imm", { dst, imm: 1 + draw(8) });
  draft.emit("mov64_reg", { dst: spare, src });
  draft.place(over);
};
