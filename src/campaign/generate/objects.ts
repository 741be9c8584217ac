/** Steps that hold something for some steps: records of ring buffers, sockets, locks, sections. What is held is given back on every way. */
import {
  CONTEXT,
  drawer,
  type Emit,
  FRAME,
  HANDED,
  immediate,
  load,
  slip,
  slotOffset,
  type Writer,
  widthOf,
} from "./context.ts";
import { blockLength } from "./flow.ts";
import { NOTHING, NUMBER } from "./held.ts";
import { notNull } from "./memory.ts";
import { VALUE_TYPES } from "./types.ts";

/** A record reserved, written and given away at once. */
export const record: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (!w.has("ringbuf_reserve")) return;
  const size = 8 * (1 + (a % 4));
  w.loadMap(1, "records");
  draft.emit("mov64_imm", { dst: 2, imm: size });
  draft.emit("mov64_imm", { dst: 3, imm: 0 });
  w.call("ringbuf_reserve", NOTHING);
  w.giveUp("jeq64_imm", { dst: 0, imm: 0 });
  for (let at = 0; at < size; at += 8)
    draft.emit("stdw", { dst: 0, off: at + 8 * slip(b), imm: immediate(b) });
  draft.emit("mov64_reg", { dst: 1, src: 0 });
  draft.emit("mov64_imm", { dst: 2, imm: 0 });
  if (slip(c) === 0) w.call(c % 2 === 0 ? "ringbuf_submit" : "ringbuf_discard", NOTHING);
  draft.called(NOTHING);
};

/** A record that is held over some steps, in a register that keeps it. */
export const heldRecord: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const register = w.saved(b);
  if (!w.has("ringbuf_reserve") || register === undefined || w.held > 2) return;
  const size = 8 * (1 + (a % 6));
  w.loadMap(1, "records");
  draft.emit("mov64_imm", { dst: 2, imm: size });
  draft.emit("mov64_imm", { dst: 3, imm: 0 });
  w.call("ringbuf_reserve", NOTHING);
  const life = draft.id();
  draft.set(0, {
    kind: "maybe",
    id: draft.id(),
    held: { kind: "memory", size, writable: true, life, plain: true },
  });
  w.copy(register, 0);
  notNull(w, c % 2 === 0 ? 0 : register, c >> 1);
  w.reserved.add(register);
  w.hold(blockLength(c >> 4), () => {
    draft.emit("mov64_reg", { dst: 1, src: register });
    draft.emit("mov64_imm", { dst: 2, imm: 0 });
    w.call((c >> 3) % 2 === 0 ? "ringbuf_submit" : "ringbuf_discard", NOTHING);
    draft.ended(life);
    w.reserved.delete(register);
  });
};

/** A socket that is looked up and held over some steps. */
export const socket: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  const helper = (["sk_lookup_tcp", "sk_lookup_udp", "skc_lookup_tcp"] as const)[a % 3] ?? "sk_lookup_tcp";
  const register = w.saved(b);
  if (!w.has(helper) || !w.hasContext || register === undefined || w.held > 1) return;
  const draw = drawer(c);
  for (let slot = HANDED; slot < HANDED + 2; slot += 1)
    draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: draw(256) });
  w.pointToSlot(2, HANDED + 1);
  draft.emit("mov64_reg", { dst: 1, src: CONTEXT });
  draft.emit("mov64_imm", { dst: 3, imm: 12 });
  draft.emit("mov64_imm", { dst: 4, imm: -1 });
  draft.emit("mov64_imm", { dst: 5, imm: 0 });
  w.call(helper, NOTHING);
  const life = draft.id();
  draft.set(0, { kind: "maybe", id: draft.id(), held: { kind: "socket", life } });
  w.copy(register, 0);
  notNull(w, register, b >> 3);
  w.reserved.add(register);
  w.hold(blockLength(c >> 5), () => {
    draft.emit("mov64_reg", { dst: 1, src: register });
    w.call("sk_release", NUMBER);
    draft.ended(life);
    w.reserved.delete(register);
  });
};

/** Fields of `struct bpf_sock`, which sockets that are looked up show. */
const SOCKET_FIELDS = [4, 8, 12, 16, 24, 44, 72] as const;

export const socketField: Emit = (w, { a, b }) => {
  const src = w.holding(a, ({ kind }) => kind === "socket");
  const dst = w.target(b);
  if (src === undefined || (dst === src && w.reserved.has(dst))) return;
  w.draft.emit("ldxw", { dst, src, off: SOCKET_FIELDS[(b >> 4) % SOCKET_FIELDS.length] ?? 4 });
  w.draft.set(dst, NUMBER);
};

/** The only value of a map that has more in it than numbers, in a register that keeps it; undefined where there is none. */
export function special(
  w: Writer,
  name: "locked" | "guarded" | "timed" | "kept" | "roots",
  choice: number,
): number | undefined {
  const { draft } = w;
  const register = w.saved(choice);
  if (register === undefined || !w.has("map_lookup_elem") || !w.mayUse(name)) return undefined;
  draft.emit("stdw", { dst: FRAME, off: slotOffset(HANDED), imm: 0 });
  w.pointToSlot(2, HANDED);
  w.loadMap(1, name);
  w.call("map_lookup_elem", NOTHING);
  w.giveUp("jeq64_imm", { dst: 0, imm: 0 });
  draft.emit("mov64_reg", { dst: register, src: 0 });
  draft.set(register, NOTHING);
  draft.set(0, NOTHING);
  return register;
}

/** A lock in a map's value is held over some steps, none of which calls anything. */
export const lock: Emit = (w, { a, c }) => {
  const { draft } = w;
  if (w.locked || !w.abilities.mayLock || w.held > 1) return;
  const value = special(w, "locked", a);
  if (value === undefined) return;
  w.reserved.add(value);
  draft.emit("mov64_reg", { dst: 1, src: value });
  w.call("spin_lock", NOTHING);
  const { from, plain } = VALUE_TYPES.locked;
  const size = widthOf(c);
  const off = from + size * ((c >> 2) % (plain / size));
  draft.emit(load(size), { dst: 2, src: value, off });
  draft.emit("stxdw", { dst: value, src: 2, off: from });
  draft.set(2, NUMBER);
  w.locked = true;
  w.hold(blockLength(c >> 6), () => {
    w.locked = false;
    draft.emit("mov64_reg", { dst: 1, src: value });
    w.call("spin_unlock", NOTHING);
    w.reserved.delete(value);
  });
};

/** A lock that may not be had: there is a way for those who do not get it. */
export const resilientLock: Emit = (w, { a, c }) => {
  const { draft } = w;
  if (w.locked || !w.abilities.mayCall("bpf_res_spin_lock") || w.held > 1) return;
  const value = special(w, "guarded", a);
  if (value === undefined) return;
  w.reserved.add(value);
  const slot = c % 3 === 0 ? w.keep(1) : undefined;
  const call = (plain: string, saving: string): void => {
    draft.emit("mov64_reg", { dst: 1, src: value });
    if (slot !== undefined) w.pointToSlot(2, slot);
    w.callKfunc(slot === undefined ? plain : saving, NUMBER);
  };
  call("bpf_res_spin_lock", "bpf_res_spin_lock_irqsave");
  w.giveUp("jne64_imm", { dst: 0, imm: 0 });
  w.locked = true;
  w.hold(blockLength(c >> 2), () => {
    w.locked = false;
    call("bpf_res_spin_unlock", "bpf_res_spin_unlock_irqrestore");
    w.drop(0);
    w.reserved.delete(value);
    if (slot !== undefined) w.free(slot, 1);
  });
};

const SECTIONS = [
  ["bpf_rcu_read_lock", "bpf_rcu_read_unlock"],
  ["bpf_preempt_disable", "bpf_preempt_enable"],
] as const;

/** A section over some steps: of RCU, or without preemption. */
export const section: Emit = (w, { a, b }) => {
  const [enter, leave] = SECTIONS[a % 2] ?? SECTIONS[0];
  if (w.locked || w.held > 1 || !w.abilities.mayCall(enter)) return;
  w.callKfunc(enter, NOTHING);
  w.hold(blockLength(b), () => w.callKfunc(leave, NOTHING));
};

/** Interrupts are off over some steps; their state is in a slot. */
export const interrupts: Emit = (w, { b }) => {
  if (w.locked || w.held > 1 || !w.abilities.mayCall("bpf_local_irq_save")) return;
  const slot = w.keep(1);
  if (slot === undefined) return;
  w.pointToSlot(1, slot);
  w.callKfunc("bpf_local_irq_save", NOTHING);
  w.hold(blockLength(b), () => {
    w.pointToSlot(1, slot);
    w.callKfunc("bpf_local_irq_restore", NOTHING);
    w.free(slot, 1);
  });
};

/** A timer is made, told what to call, and set. */
export const timer: Emit = (w, { a, b, c }) => {
  const { draft } = w;
  if (!w.isMain || w.locked || w.held > 0 || !w.has("timer_init")) return;
  const value = special(w, "timed", a);
  if (value === undefined) return;
  draft.emit("mov64_reg", { dst: 1, src: value });
  w.loadMap(2, "timed");
  draft.emit("mov64_imm", { dst: 3, imm: [0, 1, 7][c % 3] ?? 0 });
  w.call("timer_init", NUMBER);
  draft.emit("mov64_reg", { dst: 1, src: value });
  draft.jump("ld_imm64_func", w.function("later"), { dst: 2 });
  w.call("timer_set_callback", NUMBER);
  draft.emit("mov64_reg", { dst: 1, src: value });
  if (b % 3 === 0) w.call("timer_cancel", NUMBER);
  else {
    draft.emit("mov64_imm", { dst: 2, imm: (b >> 2) % 4096 });
    draft.emit("mov64_imm", { dst: 3, imm: 0 });
    w.call("timer_start", NUMBER);
  }
};
