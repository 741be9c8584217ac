/** Writes programs that hold objects, piece by piece (`object-programs.ts`). */
import type { Random } from "../../src/campaign/random.ts";

/** Ids of the bundle's types. */
export const TYPE = { leaf: 50, item: 51, both: 54, plain: 20, kept: 35, less: 18, main: 7, key: 6 } as const;
/** Where the lock, lists and trees are in a value, and links in objects. */
export const VALUE = { items: 8, leaves: 24, bothList: 40, bothTree: 56 } as const;
export const LINK = { item: 8, leaf: 8, bothList: 16, bothTree: 40 } as const;
export const KEPT = { plain: 8, item: 24 } as const;
/** Writes a program piece by piece. */
export class Writer {
  readonly random: Random;
  readonly calls: string[] = [];
  text = "";
  /** Where in `out` the operation has its record. */
  at = 0;
  #labels = 0;

  constructor(random: Random) {
    this.random = random;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.random.below(list.length)];
    if (found === undefined) throw new Error("nothing to choose from");
    return found;
  }

  line(...lines: readonly string[]): void {
    for (const line of lines) this.text += `${line}\n`;
  }

  label(): string {
    this.#labels += 1;
    return `l${this.#labels}`;
  }

  call(name: string): void {
    this.calls.push(name.replace(/_impl$/, ""));
    this.line(`call ${name}`);
  }

  /** Writes a register to place `index` of the record. */
  out(register: string, index = 0): void {
    this.line(`*(u64 *)(r7 +${this.at + 8 * index}) = ${register}`);
  }

  /** Overwrites the only element of a map, which takes everything away that lies in it. */
  overwrite(map: string, size: number): void {
    const start = OVERWRITTEN - size;
    for (let at = 0; at < size; at += 8) this.line(`*(u64 *)(r10 ${start + at}) = 0`);
    this.line("*(u32 *)(r10 -4) = 0", `r1 = map[${map}]`, "r2 = r10", "r2 += -4");
    this.pointer(3, "r10", start);
    this.line("r4 = 0");
    this.call("bpf_map_update_elem");
    this.out("r0");
  }

  lock(): void {
    this.line("r1 = r6");
    this.call("bpf_spin_lock");
  }

  unlock(): void {
    this.line("r1 = r6");
    this.call("bpf_spin_unlock");
  }

  pointer(register: number, base: string, offset: number): void {
    this.line(`r${register} = ${base}`);
    if (offset !== 0) this.line(`r${register} += ${offset}`);
  }

  /** r9 is a new object with a number in it; goes to `end` if there is no memory. */
  make(type: number, end: string): void {
    this.line(`r1 = ${type}`, "r2 = 0");
    this.call("bpf_obj_new_impl");
    this.line(`if r0 == 0 goto ${end}`, "r9 = r0", `*(u64 *)(r9 +0) = ${this.random.below(8)}`);
  }

  drop(register: string): void {
    this.line(`r1 = ${register}`, "r2 = 0");
    this.call("bpf_obj_drop_impl");
  }

  /** The number of the object that r9 owns, by a link, is written down, and the object dropped. */
  tell(link: number, end: string): void {
    this.line(`if r9 == 0 goto ${end}`);
    if (link !== 0) this.line(`r9 += -${link}`);
    this.line("r2 = *(u64 *)(r9 +0)");
    this.out("r2", 1);
    this.drop("r9");
  }
}

/** Below this lies a value on the stack with which another is overwritten. */
const OVERWRITTEN = -128;

/** Writes one operation, which leaves r6 to r8 as they are. */
export type Operation = (w: Writer) => void;
