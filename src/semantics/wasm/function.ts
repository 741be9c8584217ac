/** Function bodies, instruction by instruction: what the encodings in the core specification, sections 5.3 and 5.4, look like. */
import { Bytes } from "./bytes.ts";
import {
  alignmentOf,
  type BinaryInstruction,
  LOADS,
  type LoadName,
  STORES,
  type StoreName,
  type UnaryInstruction,
  type ValueType,
} from "./instructions.ts";

const TYPE_BYTES = { i32: 0x7f, i64: 0x7e } as const;

export const typeByte = (type: ValueType): number => TYPE_BYTES[type];

export class FunctionBuilder {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  /** Locals that nobody uses any more. */
  readonly #spare: Record<ValueType, number[]> = { i32: [], i64: [] };
  readonly #taken: number[] = [];
  readonly #code = new Bytes();

  constructor(name: string, parameters: readonly ValueType[], results: readonly ValueType[]) {
    this.name = name;
    this.parameters = parameters;
    this.results = results;
  }

  /** A local for the caller alone until its scope ends; it may hold anything. Returns its index. */
  local(type: ValueType): number {
    const spare = this.#spare[type].pop();
    const index = spare ?? this.parameters.length + this.#locals.push(type) - 1;
    this.#taken.push(index);
    return index;
  }

  /** What is written by `body` has the locals that it takes for itself alone. */
  scope(body: () => void): void {
    const before = this.#taken.length;
    body();
    for (const local of this.#taken.splice(before)) this.#spare[this.typeOf(local)].push(local);
  }

  /** The type of a parameter or local. */
  typeOf(index: number): ValueType {
    const type = this.parameters[index] ?? this.#locals[index - this.parameters.length];
    if (type === undefined) throw new Error(`${this.name} has no local ${index}`);
    return type;
  }

  #withIndex(opcode: number, index: number): void {
    this.#code.byte(opcode);
    this.#code.unsigned(index);
  }

  get(local: number): void {
    this.#withIndex(0x20, local);
  }
  set(local: number): void {
    this.#withIndex(0x21, local);
  }
  tee(local: number): void {
    this.#withIndex(0x22, local);
  }

  constant(type: ValueType, value: bigint): void {
    this.#code.byte(type === "i32" ? 0x41 : 0x42);
    if (type === "i32") this.#code.signed(Number(BigInt.asIntN(32, value)));
    else this.#code.signedLong(value);
  }

  /** An instruction on numbers. */
  numeric({ opcode }: UnaryInstruction | BinaryInstruction): void {
    this.#code.byte(opcode);
  }
  /** Takes two values and a condition (i32); leaves the first if the condition is not zero. */
  select(): void {
    this.#code.byte(0x1b);
  }

  /** Takes the address, an i32, from the stack. */
  load(name: LoadName, offset: number): void {
    this.#memory(LOADS[name], name, offset);
  }
  /** Takes the address, an i32, and above it the value from the stack. */
  store(name: StoreName, offset: number): void {
    this.#memory(STORES[name], name, offset);
  }
  #memory(opcode: number, name: LoadName | StoreName, offset: number): void {
    this.#code.byte(opcode);
    this.#code.unsigned(alignmentOf(name));
    this.#code.unsigned(offset);
  }

  /** Takes where to, where from and how many bytes, each an i32, from the stack: core specification 2.0, section 4.4.7. */
  memoryCopy(): void {
    this.#code.bytes(Uint8Array.of(0xfc, 0x0a, 0x00, 0x00));
  }

  /** Opens a block without a result; a branch to it leaves it. */
  block(): void {
    this.#code.byte(0x02);
    this.#code.byte(0x40);
  }
  /** Opens a block without a result; a branch to it starts it again. */
  loop(): void {
    this.#code.byte(0x03);
    this.#code.byte(0x40);
  }
  if(result: ValueType): void {
    this.#code.byte(0x04);
    this.#code.byte(typeByte(result));
  }
  else(): void {
    this.#code.byte(0x05);
  }
  end(): void {
    this.#code.byte(0x0b);
  }
  /** Takes a condition (i32) and branches to the `depth`-th enclosing block, 0 being the innermost, if it is not zero. */
  brIf(depth: number): void {
    this.#withIndex(0x0d, depth);
  }
  /** Branches to the `depth`-th enclosing block. */
  br(depth: number): void {
    this.#withIndex(0x0c, depth);
  }
  /** Takes a number (i32) and branches to the block of that position in `depths`, or to `otherwise`. */
  brTable(depths: readonly number[], otherwise: number): void {
    this.#withIndex(0x0e, depths.length);
    for (const depth of depths) this.#code.unsigned(depth);
    this.#code.unsigned(otherwise);
  }

  /** The entry of the code section: local declarations (runs of equal types) and instructions. */
  finish(): Uint8Array {
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count += 1;
      else runs.push({ type, count: 1 });
    }
    const out = new Bytes();
    out.unsigned(runs.length);
    for (const { type, count } of runs) {
      out.unsigned(count);
      out.byte(typeByte(type));
    }
    out.bytes(this.#code.finish());
    out.byte(0x0b);
    return out.finish();
  }
}
