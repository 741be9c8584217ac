/** Stack traces by number: a trace's number is its hash, so that equal traces have one, and different ones mostly different ones. */
import { E2BIG, EEXIST, EINVAL, ENOENT, ENOMEM } from "../errno.ts";
import { jenkins } from "./jenkins.ts";
import { indexKey, indexOf } from "./storage.ts";
import { powerAbove } from "./table.ts";
import { UserSide } from "./user-side.ts";

/** Flags of get_stackid (linux/bpf.h). */
const BPF_F_FAST_STACK_CMP = 1n << 9n;
const BPF_F_REUSE_STACKID = 1n << 10n;

interface Trace {
  readonly hash: number;
  /** The addresses, 8 bytes each, as many as there were. */
  readonly bytes: Uint8Array;
}

export class StackTraces extends UserSide {
  readonly kind = "stacks";
  readonly #traces = new Map<number, Trace>();

  reset(): void {
    this.#traces.clear();
  }

  get #buckets(): number {
    return powerAbove(this.definition.maxEntries);
  }

  /** Keeps a trace, innermost address first, and gives its number; or a negative error number. What does not fit a value is cut off by the caller. */
  record(addresses: readonly bigint[], flags: bigint): number {
    const bytes = new Uint8Array(BigUint64Array.from(addresses).buffer);
    const hash = jenkins(bytes, 0);
    const id = (hash & (this.#buckets - 1)) >>> 0;
    const there = this.#traces.get(id);
    const same = there?.hash === hash;
    if (same && (flags & BPF_F_FAST_STACK_CMP) !== 0n) return id;
    if (same && Buffer.compare(there.bytes, bytes) === 0) return id;
    if (there !== undefined && (flags & BPF_F_REUSE_STACKID) === 0n) return EEXIST;
    if (this.#traces.size >= this.definition.maxEntries) return ENOMEM;
    this.#traces.set(id, { hash, bytes });
    return id;
  }

  protected override userLookup(key: Uint8Array): Uint8Array | number {
    const trace = this.#traces.get(indexOf(key));
    if (trace === undefined) return ENOENT;
    const value = new Uint8Array(this.definition.valueSize);
    value.set(trace.bytes.subarray(0, value.length));
    return value;
  }

  protected override userUpdate(): number {
    return EINVAL;
  }

  protected override userDelete(key: Uint8Array): number {
    if (indexOf(key) >= this.#buckets) return E2BIG;
    return this.#traces.delete(indexOf(key)) ? 0 : ENOENT;
  }

  protected override userNext(key: Uint8Array | undefined): Uint8Array | number {
    const ids = [...this.#traces.keys()].sort((a, b) => a - b);
    const last = key === undefined || !this.#traces.has(indexOf(key)) ? -1 : indexOf(key);
    const next = ids.find((id) => id > last);
    return next === undefined ? ENOENT : indexKey(next);
  }

  protected override userTake(key: Uint8Array): Uint8Array | number {
    const value = this.userLookup(key);
    this.#traces.delete(indexOf(key));
    return value;
  }
}
