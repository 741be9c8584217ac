/**
 * Commands on single elements of maps, with the kernel's checks in the kernel's order up to where the map itself answers (`src/vm/maps`).
 */
import { EFAULT, EINVAL, ENOTSUPP, EPERM } from "../../vm/errno.ts";
import { BPF_F_LOCK } from "../../vm/maps/user-side.ts";
import type { Attribute } from "./attribute.ts";
import { type Call, mapByFd, type OpenMap } from "./call.ts";

type ElementCommand =
  | "map_lookup_elem"
  | "map_update_elem"
  | "map_delete_elem"
  | "map_lookup_and_delete_elem";

/** The key that the attribute points to, as long as the map's keys are; a map without keys wants no address. */
function keyOf(
  attr: Pick<Attribute<ElementCommand | "map_get_next_key">, "read" | "u64">,
  { storage }: OpenMap,
): Uint8Array | number {
  const { keySize } = storage.definition;
  if (keySize === 0) return attr.u64("key") === 0n ? new Uint8Array(0) : EINVAL;
  return attr.read("key", keySize) ?? EFAULT;
}

/** Whether a lock is asked for that the map's values do not have. */
export const lacksLock = ({ storage }: OpenMap, flags: bigint): boolean =>
  (flags & BPF_F_LOCK) !== 0n &&
  !(storage.definition.fields ?? []).some(({ kind }) => kind === "spin_lock" || kind === "res_spin_lock");

export function mapLookup({ process, attr }: Call<"map_lookup_elem">): number {
  const flags = attr.u64("flags");
  if ((flags & ~BPF_F_LOCK) !== 0n) return EINVAL;
  const open = mapByFd(process, attr.s32("map_fd"));
  if (typeof open === "number") return open;
  if (!open.mayRead) return EPERM;
  if (lacksLock(open, flags)) return EINVAL;
  const key = keyOf(attr, open);
  if (typeof key === "number") return key;
  const { storage } = open;
  let given: Uint8Array | undefined;
  if (storage.kind === "bloom") {
    // The value is what is looked for.
    given = attr.read("value", storage.transferSize);
    if (given === undefined) return EFAULT;
  }
  const value = storage.lookup(key, flags, given);
  if (typeof value === "number") return value;
  return attr.write("value", value) ? 0 : EFAULT;
}

export function mapUpdate({ process, attr }: Call<"map_update_elem">): number {
  const open = mapByFd(process, attr.s32("map_fd"));
  if (typeof open === "number") return open;
  const flags = attr.u64("flags");
  if (!open.mayWrite) return EPERM;
  if (lacksLock(open, flags)) return EINVAL;
  const key = keyOf(attr, open);
  if (typeof key === "number") return key;
  const value = attr.read("value", open.storage.transferSize);
  return value === undefined ? EFAULT : open.storage.update(key, value, flags);
}

export function mapDelete({ process, attr }: Call<"map_delete_elem">): number {
  const open = mapByFd(process, attr.s32("map_fd"));
  if (typeof open === "number") return open;
  if (!open.mayWrite) return EPERM;
  const key = keyOf(attr, open);
  return typeof key === "number" ? key : open.storage.delete(key);
}

export function mapNextKey({ process, attr }: Call<"map_get_next_key">): number {
  const open = mapByFd(process, attr.s32("map_fd"));
  if (typeof open === "number") return open;
  if (!open.mayRead) return EPERM;
  const key = attr.u64("key") === 0n ? undefined : keyOf(attr, open);
  if (typeof key === "number") return key;
  const next = open.storage.nextKey(key);
  if (typeof next === "number") return next;
  return attr.write("next_key", next) ? 0 : EFAULT;
}

export function mapTake({ process, attr }: Call<"map_lookup_and_delete_elem">): number {
  const flags = attr.u64("flags");
  if ((flags & ~BPF_F_LOCK) !== 0n) return EINVAL;
  const open = mapByFd(process, attr.s32("map_fd"));
  if (typeof open === "number") return open;
  if (!open.mayRead || !open.mayWrite) return EPERM;
  const { type } = open.storage.definition;
  if (flags !== 0n && (type === "queue" || type === "stack")) return EINVAL;
  if (lacksLock(open, flags)) return EINVAL;
  const key = keyOf(attr, open);
  if (typeof key === "number") return key;
  const value = open.storage.lookupAndDelete(key, flags);
  if (typeof value === "number") return value;
  return attr.write("value", value) ? 0 : EFAULT;
}

export function mapFreeze({ process, attr }: Call<"map_freeze">): number {
  const open = mapByFd(process, attr.s32("map_fd"));
  if (typeof open === "number") return open;
  if ((open.storage.definition.fields ?? []).length > 0) return ENOTSUPP;
  return open.mayWrite ? open.storage.freeze() : EPERM;
}
