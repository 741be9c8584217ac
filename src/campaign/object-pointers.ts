/** Whether pointers of a run to what the kernel keeps for programs are those that an abstract register stands for: memory, objects, dynptrs. */
import {
  baseOf,
  FLAG,
  hasFlag,
  KIND,
  kindOf,
  objectOf,
  offOf,
  referenceOf,
  smallConstant,
} from "../absint/register.ts";
import type { Machine } from "../absint/transfer/machine.ts";
import type { Region } from "../vm/region.ts";

/** Memory of a size: as many bytes are there, from where the pointer began. */
export function memoryHolds(at: number, region: Region, offset: number): boolean {
  if (!region.live || region.place.kind === "context") return false;
  // How long what lies in the kernel's memory is, only its types say.
  if (region.place.kind === "kernel_memory") return !hasFlag(kindOf(at), FLAG.ringbuf);
  if (hasFlag(kindOf(at), FLAG.ringbuf) && region.place.kind !== "record") return false;
  const moved = smallConstant(at);
  if (moved === undefined) return true;
  const start = offset - offOf(at) - moved;
  return start >= region.start && start + objectOf(at) <= region.end;
}

/** Whether a pointer to an object, or to a dynptr, leads where the abstract one does; nothing for pointers of other kinds. */
export function objectHolds(m: Machine, at: number, region: Region): boolean | undefined {
  const kind = kindOf(at);
  const { place } = region;
  switch (baseOf(kind)) {
    case KIND.dynptr:
      return place.kind === "stack" || place.kind === "kept";
    case KIND.btf:
      if (hasFlag(kind, FLAG.allocated)) {
        return place.kind === "object" && place.id === objectOf(at) && (region.live || referenceOf(at) === 0);
      }
      if (place.kind === "kernel_memory") return true;
      return place.kind === "kernel_object" && m.rules.types?.structName(objectOf(at)) === place.struct;
    case KIND.buffer:
      return place.kind === "kernel_memory";
    case KIND.sockCommon:
      return place.kind === "socket" && region.live;
    case KIND.xdpSock:
      return place.kind === "element";
    case KIND.socket:
      return place.kind === "socket" && place.struct !== "bpf_tcp_sock" && region.live;
    case KIND.tcpSock:
      return place.kind === "socket" && place.struct === "bpf_tcp_sock" && region.live;
    default:
      return undefined;
  }
}
