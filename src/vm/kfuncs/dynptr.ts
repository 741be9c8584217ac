/** Kernel functions on dynptrs: of packets, slices, copies, and what they say of themselves. */
import { Unsupported } from "../../semantics/errors.ts";
import { E2BIG, EINVAL } from "../errno.ts";
import type { Call } from "../helpers/call.ts";
import type { HelperTable } from "../helpers/helper.ts";
import { mayWritePacket } from "../input.ts";
import { Dynptr, dynptrAt } from "../objects/dynptr.ts";
import { putInSlots } from "../objects/in-slots.ts";

function fromPacket(call: Call, kind: "skb" | "xdp" | "skb_meta"): number {
  const packet = call.packet(1);
  if (packet.fragments.length > 0) throw new Unsupported("dynptrs of a packet in several buffers");
  const error = call.u64(2, "flags") === 0n ? 0 : EINVAL;
  const length = kind === "skb_meta" ? -packet.region.start : packet.length;
  const readOnly = kind !== "xdp" && !mayWritePacket(call.state.loaded.program);
  const made = error === 0 ? new Dynptr({ kind, packet }, length, readOnly) : new Dynptr(undefined, 0);
  putInSlots(call, 3, "ptr__uninit", made);
  return error;
}

/**
 * A pointer to the bytes where they lie: packets here are in one piece. Where a packet has become shorter than the dynptr says, nothing is there and the buffer stays
 * as it is.
 */
function slice(call: Call, writable: boolean): number | undefined {
  const dynptr = dynptrAt(call, 1, "p");
  const offset = call.offset(2, "offset");
  const hasBuffer = call.u64(3, "buffer__opt") !== 0n;
  // Without a buffer any length may be asked for.
  const size = hasBuffer ? call.size(4, "buffer__szk", "zero") : call.u32(4, "buffer__szk");
  if (hasBuffer) call.writable(3, size, "buffer__opt");
  if (dynptr.memory === undefined || !dynptr.covers(offset, size)) return 0;
  if (writable && dynptr.readOnly) return 0;
  const place = dynptr.place(offset, size);
  if (place === undefined) return 0;
  call.state.setPointer(0, place.region, place.offset);
  return undefined;
}

function clone(call: Call): number {
  const dynptr = dynptrAt(call, 1, "p");
  putInSlots(call, 2, "clone__uninit", dynptr.clone());
  return dynptr.memory === undefined ? EINVAL : 0;
}

/** Whether a pointer to the bytes can be had. */
const reaches = (dynptr: Dynptr, offset: number, size: number): boolean =>
  dynptr.memory !== undefined && dynptr.covers(offset, size);

function copy(call: Call): number {
  const [to, toOffset] = [dynptrAt(call, 1, "dst_ptr"), call.offset(2, "dst_off")];
  const [from, fromOffset] = [dynptrAt(call, 3, "src_ptr"), call.offset(4, "src_off")];
  const size = call.offset(5, "size");
  const readable = reaches(from, fromOffset, size);
  const writable = reaches(to, toOffset, size) && !to.readOnly;
  // Where neither can be pointed to, the kernel looks at lengths alone.
  if (!readable && !writable && !(to.covers(toOffset, size) && from.covers(fromOffset, size))) return E2BIG;
  if (!readable && !writable && size === 0) return 0;
  if (!readable && from.memory === undefined) return EINVAL;
  if (!readable) return E2BIG;
  const bytes = new Uint8Array(size);
  return from.read(bytes, fromOffset) || to.write(bytes, toOffset, 0n);
}

function fill(call: Call): number {
  const dynptr = dynptrAt(call, 1, "p");
  const [offset, size] = [call.offset(2, "offset"), call.offset(3, "size")];
  if (dynptr.readOnly) return EINVAL;
  if (!dynptr.covers(offset, size)) return E2BIG;
  if (size === 0) return 0;
  return dynptr.write(new Uint8Array(size).fill(call.u32(4, "val")), offset, 0n);
}

const isEmpty = ({ memory }: Dynptr): boolean => memory === undefined;

export const DYNPTR_FUNCTIONS: HelperTable = {
  bpf_dynptr_from_skb: (call) => fromPacket(call, "skb"),
  bpf_dynptr_from_xdp: (call) => fromPacket(call, "xdp"),
  bpf_dynptr_from_skb_meta: (call) => fromPacket(call, "skb_meta"),
  bpf_dynptr_slice: (call) => slice(call, false),
  bpf_dynptr_slice_rdwr: (call) => slice(call, true),
  bpf_dynptr_clone: clone,
  bpf_dynptr_copy: copy,
  bpf_dynptr_memset: fill,
  bpf_dynptr_adjust: (call) => dynptrAt(call, 1, "p").adjust(call.offset(2, "start"), call.offset(3, "end")),
  bpf_dynptr_is_null: (call) => Number(isEmpty(dynptrAt(call, 1, "p"))),
  bpf_dynptr_is_rdonly: (call) => {
    const dynptr = dynptrAt(call, 1, "p");
    return Number(!isEmpty(dynptr) && dynptr.readOnly);
  },
  bpf_dynptr_size: (call) => {
    const dynptr = dynptrAt(call, 1, "p");
    return isEmpty(dynptr) ? EINVAL : dynptr.length;
  },
};
