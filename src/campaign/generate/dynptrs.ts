/** Steps on dynptrs: of a map's value, of a record, of a packet; read, written, sliced, cloned, moved. */
import { CONTEXT, drawer, type Emit, FRAME, HANDED, immediate, slotOffset, type Writer } from "./context.ts";
import { blockLength } from "./flow.ts";
import { atMost, NOTHING, NUMBER } from "./held.ts";
import { VALUE_SIZE } from "./maps.ts";
import { found } from "./memory.ts";

type Draw = (limit: number) => number;

/** Something that is done with the dynptr in a slot. `life` is what its slices go with. */
type Use = (w: Writer, slot: number, draw: Draw, life: number, readOnly: boolean) => void;

const BUFFER = 32;

function buffer(w: Writer, dst: number, draw: Draw): void {
  for (let slot = HANDED; slot < HANDED + BUFFER / 8; slot += 1)
    w.draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: immediate(draw(0x10000)) });
  w.pointToSlot(dst, HANDED + BUFFER / 8 - 1);
}

const number = (w: Writer, dst: number, value: number): void =>
  w.draft.emit("mov64_imm", { dst, imm: value });

const USES: readonly Use[] = [
  function read(w, slot, draw) {
    if (!w.has("dynptr_read")) return;
    buffer(w, 1, draw);
    number(w, 2, draw(BUFFER + 1));
    w.pointToSlot(3, slot);
    number(w, 4, draw(48));
    number(w, 5, 0);
    w.call("dynptr_read", NUMBER);
  },
  function write(w, slot, draw, _life, readOnly) {
    if (!w.has("dynptr_write") || readOnly) return;
    buffer(w, 3, draw);
    w.pointToSlot(1, slot);
    number(w, 2, draw(48));
    number(w, 4, draw(BUFFER + 1));
    number(w, 5, 0);
    w.call("dynptr_write", NUMBER);
    // It may have been the packet's.
    w.draft.packetMoved();
  },
  function data(w, slot, draw, life, readOnly) {
    if (!w.has("dynptr_data") || readOnly) return;
    const size = 8 * (1 + draw(3));
    w.pointToSlot(1, slot);
    number(w, 2, draw(32));
    number(w, 3, size);
    w.call("dynptr_data", NOTHING);
    found(w, { kind: "memory", size, writable: true, life, plain: false }, draw(0x10000));
  },
  function slice(w, slot, draw, life) {
    if (!w.abilities.mayCall("bpf_dynptr_slice")) return;
    const size = 8 * (1 + draw(3));
    if (draw(2) === 0) number(w, 3, 0);
    else buffer(w, 3, draw);
    w.pointToSlot(1, slot);
    number(w, 2, draw(48));
    number(w, 4, size);
    w.callKfunc("bpf_dynptr_slice", NOTHING);
    found(w, { kind: "memory", size, writable: false, life, plain: false }, draw(0x10000));
  },
  function sliceToWrite(w, slot, draw, life) {
    // Whatever the dynptr is of, the program must be one that may write packets.
    if (w.abilities.facts.packet !== "write" || !w.abilities.mayCall("bpf_dynptr_slice_rdwr")) return;
    const size = 8 * (1 + draw(3));
    buffer(w, 3, draw);
    w.pointToSlot(1, slot);
    number(w, 2, draw(48));
    number(w, 4, size);
    w.callKfunc("bpf_dynptr_slice_rdwr", NOTHING);
    found(w, { kind: "memory", size, writable: true, life, plain: false }, draw(0x10000));
  },
  function set(w, slot, draw, _life, readOnly) {
    if (readOnly || !w.abilities.mayCall("bpf_dynptr_memset")) return;
    w.pointToSlot(1, slot);
    number(w, 2, draw(48));
    number(w, 3, draw(32));
    number(w, 4, draw(256));
    w.callKfunc("bpf_dynptr_memset", NUMBER);
    w.draft.packetMoved();
  },
  function ask(w, slot, draw) {
    const name =
      ["bpf_dynptr_size", "bpf_dynptr_is_null", "bpf_dynptr_is_rdonly"][draw(3)] ?? "bpf_dynptr_size";
    if (!w.abilities.mayCall(name)) return;
    w.pointToSlot(1, slot);
    w.callKfunc(name, NUMBER);
    if (name === "bpf_dynptr_size") return;
    w.draft.emit("and64_imm", { dst: 0, imm: 1 });
    w.draft.set(0, atMost(1));
  },
  function adjust(w, slot, draw) {
    if (!w.abilities.mayCall("bpf_dynptr_adjust")) return;
    w.pointToSlot(1, slot);
    number(w, 2, draw(16));
    number(w, 3, draw(64));
    w.callKfunc("bpf_dynptr_adjust", NUMBER);
  },
  function clone(w, slot, draw) {
    if (!w.abilities.mayCall("bpf_dynptr_clone")) return;
    const other = w.keep(2);
    if (other === undefined) return;
    w.pointToSlot(1, slot);
    w.pointToSlot(2, other);
    w.callKfunc("bpf_dynptr_clone", NUMBER);
    w.pointToSlot(1, other);
    w.callKfunc("bpf_dynptr_size", NUMBER);
    if (draw(2) === 0) return;
    w.pointToSlot(1, slot);
    number(w, 2, draw(32));
    w.pointToSlot(3, other);
    number(w, 4, draw(32));
    number(w, 5, draw(32));
    if (!w.abilities.mayCall("bpf_dynptr_copy")) return;
    w.callKfunc("bpf_dynptr_copy", NUMBER);
    w.draft.packetMoved();
  },
];

/** Something is done now and then with a dynptr, while there is one. */
function uses(w: Writer, slot: number, draw: Draw, life: number, readOnly: boolean): void {
  for (let i = 1 + draw(2); i > 0; i -= 1) USES[draw(USES.length)]?.(w, slot, draw, life, readOnly);
}

/** A dynptr of a map's value. */
export const ofValue: Emit = (w, { a, b, c }) => {
  if (!w.has("dynptr_from_mem")) return;
  const slot = w.keep(2);
  if (slot === undefined) return;
  w.draft.emit("ld_imm64_map_value", { dst: 1, imm: w.map("values") });
  number(w, 2, 8 * (a % (VALUE_SIZE / 8 + 1)));
  number(w, 3, 0);
  w.pointToSlot(4, slot);
  w.call("dynptr_from_mem", NUMBER);
  uses(w, slot, drawer(c), 0, false);
  if (b % 2 === 0) w.free(slot, 2);
};

/** A dynptr of a record, which is given away some steps later. */
export const ofRecord: Emit = (w, { a, b, c }) => {
  if (!w.has("ringbuf_reserve_dynptr") || w.held > 1) return;
  const slot = w.keep(2);
  if (slot === undefined) return;
  w.loadMap(1, "records");
  number(w, 2, 8 * (a % 12));
  number(w, 3, 0);
  w.pointToSlot(4, slot);
  w.call("ringbuf_reserve_dynptr", NUMBER);
  const life = w.draft.id();
  w.hold(blockLength(b), () => {
    w.pointToSlot(1, slot);
    number(w, 2, 0);
    w.call(b % 2 === 0 ? "ringbuf_submit_dynptr" : "ringbuf_discard_dynptr", NOTHING);
    w.draft.ended(life);
    w.free(slot, 2);
  });
  uses(w, slot, drawer(c), life, false);
};

/** A dynptr of the packet. */
export const ofPacket: Emit = (w, { a, c }) => {
  const name = w.kind.type === "xdp" ? "bpf_dynptr_from_xdp" : "bpf_dynptr_from_skb";
  const struct = w.abilities.context?.struct;
  if (w.locked || !w.hasContext || !w.abilities.mayCall(name)) return;
  if (struct !== "__sk_buff" && struct !== "xdp_md") return;
  const slot = w.keep(2);
  if (slot === undefined) return;
  w.draft.emit("mov64_reg", { dst: 1, src: CONTEXT });
  number(w, 2, 0);
  w.pointToSlot(3, slot);
  w.callKfunc(name, NUMBER);
  uses(w, slot, drawer(c), 0, w.abilities.facts.packet !== "write");
  if (a % 2 === 0) w.free(slot, 2);
};
