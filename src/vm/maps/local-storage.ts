/**
 * Storage that belongs to tasks, sockets, inodes or control groups: a value for each owner, which goes with it. Programs have the owner itself, user space names it by a descriptor.
 */
import { EBADF, EEXIST, EINVAL, ENOENT, ENOTSOCK, ENOTSUPP } from "../errno.ts";
import { copyOf, indexOf, type MapValue, newValue, overwrite } from "./storage.ts";
import { BPF_EXIST, BPF_F_LOCK, BPF_NOEXIST, isUnknownUpdate, UserSide } from "./user-side.ts";

/** What owns the values of each type, as `Referent.kind` names it. */
const OWNERS: Readonly<Record<string, string>> = {
  task_storage: "task",
  sk_storage: "socket",
  cgrp_storage: "cgroup",
};

export class LocalStorage extends UserSide {
  readonly kind = "storage";
  /** By the owner's id. */
  readonly #values = new Map<bigint, MapValue>();

  reset(): void {
    this.#values.clear();
  }

  // --- A program's side: `owner` is a number that tells it from all others of its kind

  find(owner: bigint): MapValue | undefined {
    return this.#values.get(owner);
  }

  /** The owner's value, made if there is none: a copy of `initial`, or zeros. */
  findOrCreate(owner: bigint, initial?: Uint8Array): MapValue {
    let value = this.#values.get(owner);
    if (value === undefined) {
      value = newValue(this.definition, initial);
      this.#values.set(owner, value);
    }
    return value;
  }

  /** Returns 0 or -ENOENT. */
  remove(owner: bigint): number {
    return this.#values.delete(owner) ? 0 : ENOENT;
  }

  // --- User space's side

  #owner(key: Uint8Array): bigint | number {
    const held = this.held(indexOf(key));
    if (typeof held === "number") return held;
    // Whatever has a descriptor is a file.
    if (this.definition.type === "inode_storage") return held.inode ?? BigInt(held.id);
    if (held.kind === OWNERS[this.definition.type]) return BigInt(held.id);
    return this.definition.type === "sk_storage" ? ENOTSOCK : EBADF;
  }

  protected override userLookup(key: Uint8Array): Uint8Array | number {
    const owner = this.#owner(key);
    if (typeof owner === "number") return owner;
    const value = this.find(owner);
    return value === undefined ? ENOENT : copyOf(this.definition, value);
  }

  protected override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const owner = this.#owner(key);
    if (typeof owner === "number") return owner;
    if (isUnknownUpdate(flags)) return EINVAL;
    const plain = flags & ~BPF_F_LOCK;
    const existing = this.find(owner);
    if (existing !== undefined && plain === BPF_NOEXIST) return EEXIST;
    if (existing === undefined && plain === BPF_EXIST) return ENOENT;
    if (existing !== undefined && (flags & BPF_F_LOCK) !== 0n) overwrite(this.definition, existing, value);
    else this.#values.set(owner, newValue(this.definition, value));
    return 0;
  }

  protected override userDelete(key: Uint8Array): number {
    const owner = this.#owner(key);
    return typeof owner === "number" ? owner : this.remove(owner);
  }

  protected override userNext(): number {
    return ENOTSUPP;
  }
}
