/** Batch commands on maps: as many elements as the kernel gets through until something is wrong, and how many those were. */
import { EFAULT, EINVAL, ENOTSUPP, EPERM } from "../../vm/errno.ts";
import { BPF_F_LOCK } from "../../vm/maps/user-side.ts";
import type { Attribute } from "./attribute.ts";
import { type Call, mapByFd, type OpenMap } from "./call.ts";
import { lacksLock } from "./elements.ts";

type BatchCommand = `map_${"lookup" | "lookup_and_delete" | "update" | "delete"}_batch`;

/** Hash tables go bucket by bucket: where a batch begins is a bucket's number. */
const BUCKETS = new Set(["hash", "percpu_hash", "lru_hash", "lru_percpu_hash", "hash_of_maps"]);
const BUCKET_SIZE = 4;

type BatchAttribute = Pick<
  Attribute<BatchCommand>,
  "read" | "write" | "u32" | "s32" | "u64" | "writeBack" | "memory"
>;

/** The map, once every check is made that comes before the elements; or a negative error number, or 0 where there is nothing to do. */
function opened(
  { process, attr }: { readonly process: Call<BatchCommand>["process"]; readonly attr: BatchAttribute },
  reads: boolean,
  writes: boolean,
): OpenMap | number {
  const open = mapByFd(process, attr.s32("map_fd"));
  if (typeof open === "number") return open;
  if ((reads && !open.mayRead) || (writes && !open.mayWrite)) return EPERM;
  return open;
}

/** What is wrong with the flags of a batch. */
function flagProblem(attr: BatchAttribute, open: OpenMap, takesFlags: boolean): number {
  const flags = attr.u64("elem_flags");
  if ((flags & ~BPF_F_LOCK) !== 0n || lacksLock(open, flags)) return EINVAL;
  return takesFlags && attr.u64("flags") !== 0n ? EINVAL : 0;
}

function lookups(
  call: Call<"map_lookup_batch"> | Call<"map_lookup_and_delete_batch">,
  take: boolean,
): number {
  const attr: BatchAttribute = call.attr;
  const open = opened({ process: call.process, attr }, true, take);
  if (typeof open === "number") return open;
  const { storage } = open;
  if (!(take ? storage.hasBatch("take") : storage.hasBatch("lookup"))) return ENOTSUPP;
  const byBucket = BUCKETS.has(storage.definition.type);
  const problem = flagProblem(attr, open, byBucket);
  const count = attr.u32("count");
  if (problem !== 0 || count === 0) return problem;
  if (!attr.writeBack("count", 0)) return EFAULT;
  const { keySize } = storage.definition;
  const from =
    attr.u64("in_batch") === 0n ? undefined : attr.read("in_batch", byBucket ? BUCKET_SIZE : keySize);
  if (from === undefined && attr.u64("in_batch") !== 0n) return EFAULT;
  const flags = attr.u64("elem_flags");
  const batch = take
    ? storage.lookupAndDeleteBatch(from, count, flags)
    : storage.lookupBatch(from, count, flags);
  for (const [at, key] of batch.keys.entries()) {
    const value = batch.values[at];
    if (value === undefined) break;
    const keyAt = attr.u64("keys") + BigInt(at * keySize);
    const valueAt = attr.u64("values") + BigInt(at * storage.transferSize);
    if (!attr.memory.write(keyAt, key) || !attr.memory.write(valueAt, value)) return EFAULT;
  }
  const { next } = batch;
  const tellNext = (): boolean => next === undefined || attr.write("out_batch", next);
  const tellCount = (): boolean => attr.writeBack("count", batch.count);
  const told = byBucket ? tellNext() && tellCount() : tellCount() && tellNext();
  return told ? batch.error : EFAULT;
}

export const mapLookupBatch = (call: Call<"map_lookup_batch">): number => lookups(call, false);

export const mapTakeBatch = (call: Call<"map_lookup_and_delete_batch">): number => lookups(call, true);

/** Elements as far as the process's memory goes. */
function elements(
  attr: BatchAttribute,
  { storage }: OpenMap,
  hasValues: boolean,
): (readonly [Uint8Array, Uint8Array])[] {
  const { keySize } = storage.definition;
  const size = storage.transferSize;
  const found: (readonly [Uint8Array, Uint8Array])[] = [];
  for (let at = 0; at < attr.u32("count"); at += 1) {
    const key = attr.memory.read(attr.u64("keys") + BigInt(at * keySize), keySize);
    const value = hasValues
      ? attr.memory.read(attr.u64("values") + BigInt(at * size), size)
      : new Uint8Array(0);
    if (key === undefined || value === undefined) break;
    found.push([key, value]);
  }
  return found;
}

function writes(call: Call<"map_update_batch"> | Call<"map_delete_batch">, isUpdate: boolean): number {
  const attr: BatchAttribute = call.attr;
  const open = opened({ process: call.process, attr }, false, true);
  if (typeof open === "number") return open;
  const { storage } = open;
  if (!storage.hasBatch(isUpdate ? "update" : "delete")) return ENOTSUPP;
  const problem = flagProblem(attr, open, false);
  const count = attr.u32("count");
  if (problem !== 0 || count === 0) return problem;
  const found = elements(attr, open, isUpdate);
  const flags = attr.u64("elem_flags");
  const batch = isUpdate
    ? storage.updateBatch(found, flags)
    : storage.deleteBatch(
        found.map(([key]) => key),
        flags,
      );
  const error = batch.error === 0 && found.length < count ? EFAULT : batch.error;
  return attr.writeBack("count", batch.count) ? error : EFAULT;
}

export const mapUpdateBatch = (call: Call<"map_update_batch">): number => writes(call, true);

export const mapDeleteBatch = (call: Call<"map_delete_batch">): number => writes(call, false);
