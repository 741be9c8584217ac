/** Queues and stacks: values without keys, taken out oldest first or newest first. */
import { E2BIG, EINVAL, ENOENT } from "../errno.ts";
import { BPF_EXIST, BPF_NOEXIST, UserSide } from "./user-side.ts";

export class QueueMap extends UserSide {
  readonly kind = "queue";
  /** Oldest first. */
  readonly #values: Uint8Array[] = [];

  reset(): void {
    this.#values.length = 0;
  }

  /** With BPF_EXIST the oldest value makes room in a full map. Returns 0 or a negative error number, as all of these. */
  push(value: Uint8Array, flags: bigint): number {
    if ((flags & BPF_NOEXIST) !== 0n || flags > BPF_EXIST) return EINVAL;
    if (this.#values.length >= this.definition.maxEntries) {
      if (flags !== BPF_EXIST) return E2BIG;
      this.#values.shift();
    }
    this.#values.push(value.slice());
    return 0;
  }

  /** The next value, which stays; without one the map answers -ENOENT. */
  peek(): Uint8Array | number {
    return this.#values.at(this.definition.type === "queue" ? 0 : -1)?.slice() ?? ENOENT;
  }

  pop(): Uint8Array | number {
    return (this.definition.type === "queue" ? this.#values.shift() : this.#values.pop()) ?? ENOENT;
  }

  override entries(): readonly (readonly [Uint8Array, Uint8Array])[] {
    return this.#values.map((value) => [new Uint8Array(0), value.slice()]);
  }

  protected override userLookup(): Uint8Array | number {
    return this.peek();
  }

  protected override userUpdate(_key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.push(value, flags);
  }

  protected override userDelete(): number {
    return EINVAL;
  }

  protected override userNext(): number {
    return EINVAL;
  }

  protected override userTake(): Uint8Array | number {
    return this.pop();
  }
}
