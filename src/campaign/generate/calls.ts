/** Steps that call helpers for numbers, read the context, and change the packet. */
import { helperId } from "../../semantics/helpers/names.ts";
import { someNumber } from "./arithmetic.ts";
import { CONTEXT, type Emit, FRAME, widthOf } from "./context.ts";
import { atMost, NUMBER } from "./draft.ts";

const GIVING = ["ktime_get_ns", "get_prandom_u32", "get_smp_processor_id", "jiffies64"] as const;

/** A number that nothing is known of. */
export const ask: Emit = (w, { a }) => {
  const name = GIVING[a % GIVING.length] ?? "ktime_get_ns";
  const usable = w.type === "socket_filter" && name === "jiffies64" ? "get_prandom_u32" : name;
  w.draft.emit("call_helper", { imm: helperId(usable) ?? 0 });
  w.draft.called(usable === "get_prandom_u32" ? atMost(2 ** 32 - 1) : NUMBER);
};

/** Fields of the contexts that are numbers. */
const FIELDS = { xdp: [12, 16, 12, 16], skb: [0, 4, 8, 12, 16, 40, 48, 60] } as const;

export const field: Emit = (w, { a, b }) => {
  if (w.draft.held(CONTEXT).kind !== "context") return;
  const fields: readonly number[] = w.type === "xdp" ? FIELDS.xdp : FIELDS.skb;
  const dst = w.target(a);
  w.draft.emit("ldxw", { dst, src: CONTEXT, off: fields[b % fields.length] ?? 12 });
  w.draft.set(dst, atMost(2 ** 32 - 1));
};

/** Bytes of the packet by a helper, to the stack. */
export const copied: Emit = (w, { a, b }) => {
  const { draft } = w;
  if (draft.held(CONTEXT).kind !== "context") return;
  const size = 8 * (1 + (b % 3));
  const slot = 3;
  draft.emit("mov64_reg", { dst: 1, src: CONTEXT });
  draft.emit("mov64_imm", { dst: 2, imm: a % 40 });
  draft.emit("mov64_reg", { dst: 3, src: FRAME });
  draft.emit("add64_imm", { dst: 3, imm: -8 * (slot + 1) });
  draft.emit("mov64_imm", { dst: 4, imm: size });
  draft.emit("call_helper", { imm: helperId(w.type === "xdp" ? "xdp_load_bytes" : "skb_load_bytes") ?? 0 });
  draft.called(NUMBER);
  for (let s = slot; s > slot - size / 8; s -= 1) draft.know.slots[s] = NUMBER;
};

/** The packet's legacy loads, and what moves it. */
export const moving: Emit = (w, { a, b }) => {
  const { draft } = w;
  if (draft.held(CONTEXT).kind !== "context" || w.loops > 0) return;
  if (w.type === "xdp") {
    draft.emit("mov64_reg", { dst: 1, src: CONTEXT });
    draft.emit("mov64_imm", { dst: 2, imm: (a % 32) - 16 });
    draft.emit("call_helper", { imm: helperId("xdp_adjust_head") ?? 0 });
    draft.called(NUMBER);
    draft.packetMoved();
    return;
  }
  const size = widthOf(a % 3);
  const letter = size === 1 ? "b" : size === 2 ? "h" : "w";
  if (b % 3 === 0) {
    const src = someNumber(w, b);
    if (src >= 1 && src <= 5) return;
    draft.emit(`ldind${letter}`, { src, imm: (b >> 2) % 20 });
  } else draft.emit(`ldabs${letter}`, { imm: (b >> 2) % 60 });
  draft.called(atMost(2 ** (8 * size) - 1));
};
