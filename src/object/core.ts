/**
 * CO-RE, "compile once, run everywhere": a program refers to fields, types and enumerators of the kernel by name, and each reference is
 * settled against the BTF of the kernel that is to run it. A reference that this kernel lacks poisons its instruction: a call of helper
 * 0xbad2310, which every verifier refuses if a path reaches it. Source: libbpf's rules (Documentation/bpf/libbpf/libbpf_overview.rst,
 * Documentation/bpf/llvm_reloc.rst).
 */
import { InputError } from "../semantics/errors.ts";
import type { Btf } from "./btf.ts";
import { CORE_KINDS, type CoreRecord } from "./btf-ext.ts";
import { essentialName } from "./btf-types.ts";
import { nameOf, Pair, sameKind } from "./core-compat.ts";
import { type Access, localAccess, targetAccess } from "./core-spec.ts";
import { type CoreValue, coreValue } from "./core-value.ts";
import { type ObjectFunction, SLOT } from "./functions.ts";

/** What libbpf puts into a poisoned call: the id of a helper that never was ("bad relo"). */
const POISON = 0xbad2310;
const CALL = 0x85;
const LD_IMM64 = 0x18;

/** The instruction classes of RFC 9669 section 3 that a relocation may change. */
const CLASS = { ldx: 1, st: 2, stx: 3, alu: 4, alu64: 7 } as const;
/** The size bits of load and store opcodes, by bytes. */
const SIZE_BITS: ReadonlyMap<number, number> = new Map([
  [4, 0x00],
  [2, 0x08],
  [1, 0x10],
  [8, 0x18],
]);

/** Settles the relocations of one object against one kernel. */
export class CoreRelocator {
  readonly #local: Btf;
  readonly #target: Btf | undefined;
  readonly #pair: Pair | undefined;
  readonly #candidates = new Map<string, readonly number[]>();
  readonly #values = new Map<string, Settled>();

  constructor(local: Btf, target: Btf | undefined) {
    this.#local = local;
    this.#target = target;
    this.#pair = target === undefined ? undefined : new Pair(local, target);
  }

  /** The function's code with its relocations applied, in a copy. */
  apply(from: ObjectFunction): Uint8Array {
    const code = new Uint8Array(from.code);
    const view = new DataView(code.buffer);
    for (const record of from.core) {
      const where = `section ${from.section.name}, offset 0x${record.offset.toString(16)}`;
      const at = record.offset - from.offset;
      if (at % SLOT !== 0) throw new InputError(`${where}: a CO-RE relocation inside an instruction`);
      patch(view, at, this.#settle(record, where), where);
    }
    return code;
  }

  #settle(record: CoreRecord, where: string): Settled {
    const key = `${record.type} ${record.access} ${CORE_KINDS.indexOf(record.kind)}`;
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const access = localAccess(this.#local, record);
    const before = coreValue(this.#local, record.kind, access);
    if (before === undefined) throw new InputError(`${where}: a CO-RE relocation without a local value`);
    const settled = {
      before,
      after: record.kind === "type_id_local" ? before : this.#find(record, access, where),
      mayResize: true,
    };
    const checked = { ...settled, mayResize: this.#mayResize(settled) };
    this.#values.set(key, checked);
    return checked;
  }

  /** The value in the kernel; all types of the name that fit must agree on it. */
  #find(record: CoreRecord, access: Access, where: string): CoreValue | undefined {
    const name = nameOf(this.#local.type(record.type));
    const pair = this.#pair;
    if (pair === undefined) {
      throw new InputError(`${where}: needs the BTF of a kernel, for ${record.kind} of ${name}`);
    }
    if (name === "") throw new InputError(`${where}: a CO-RE relocation of a type without a name`);
    const { target } = pair;
    let found: { readonly access: Access; readonly value: CoreValue | undefined } | undefined;
    for (const candidate of this.#candidatesFor(target, record.type, essentialName(name))) {
      const there = targetAccess(pair, access, record.kind, candidate);
      if (there === undefined) continue;
      const value = coreValue(target, record.kind, there);
      if (
        found !== undefined &&
        (found.access.bitOffset !== there.bitOffset || found.value?.value !== value?.value)
      ) {
        throw new InputError(
          `${where}: the kernel has several types ${name} that disagree on ${record.access}`,
        );
      }
      found = { access: there, value };
    }
    return found === undefined ? coreValue(target, record.kind, undefined) : found.value;
  }

  #candidatesFor(target: Btf, local: number, name: string): readonly number[] {
    const kind = this.#local.kind(local);
    const key = `${kind} ${name}`;
    let candidates = this.#candidates.get(key);
    if (candidates === undefined) {
      candidates = target.find(name, true).filter((id) => sameKind(target.kind(id), kind));
      this.#candidates.set(key, candidates);
    }
    return candidates;
  }

  /** A load may follow a field to another size if nothing is lost: pointers, and unsigned integers. */
  #mayResize({ before, after }: Omit<Settled, "mayResize">): boolean {
    if (before.field === undefined || after?.field === undefined || this.#target === undefined) return true;
    if (before.field.size === after.field.size) return true;
    const a = this.#local.resolve(before.field.type).type;
    const b = this.#target.resolve(after.field.type).type;
    if (a.kind === "ptr" && b.kind === "ptr") return true;
    return a.kind === "int" && b.kind === "int" && !a.signed && !b.signed;
  }
}

interface Settled {
  readonly before: CoreValue;
  /** `undefined` if the kernel lacks what is asked for. */
  readonly after: CoreValue | undefined;
  readonly mayResize: boolean;
}

function patch(view: DataView, at: number, settled: Settled, where: string): void {
  const opcode = view.getUint8(at);
  const { before, after } = settled;
  if (after === undefined) {
    poison(view, at);
    if (opcode === LD_IMM64 && at + SLOT < view.byteLength) poison(view, at + SLOT);
    return;
  }
  const expectValue = (held: bigint): void => {
    if (before.checked && held !== before.value) {
      throw new InputError(`${where}: holds ${held}, where its CO-RE relocation says ${before.value}`);
    }
  };
  if (opcode === LD_IMM64) {
    if (at + 2 * SLOT > view.byteLength) throw new InputError(`${where}: the instruction is cut off`);
    const high = BigInt.asUintN(32, BigInt(view.getInt32(at + SLOT + 4, true)));
    const held = (high << 32n) | BigInt(view.getUint32(at + 4, true));
    expectValue(before.value < 0n ? BigInt.asIntN(64, held) : held);
    view.setUint32(at + 4, Number(BigInt.asUintN(32, after.value)), true);
    view.setUint32(at + SLOT + 4, Number(BigInt.asUintN(32, after.value >> 32n)), true);
    return;
  }
  switch (opcode & 7) {
    case CLASS.alu:
    case CLASS.alu64:
      if ((opcode & 8) !== 0) throw new InputError(`${where}: a CO-RE relocation of a register operand`);
      expectValue(BigInt(view.getInt32(at + 4, true)));
      view.setUint32(at + 4, Number(BigInt.asUintN(32, after.value)), true);
      return;
    case CLASS.ldx:
    case CLASS.st:
    case CLASS.stx:
      expectValue(BigInt(view.getInt16(at + 2, true)));
      patchOffset(view, at, settled, after, where);
      return;
    default:
      throw new InputError(
        `${where}: a CO-RE relocation of an instruction with opcode 0x${opcode.toString(16)}`,
      );
  }
}

function patchOffset(view: DataView, at: number, settled: Settled, after: CoreValue, where: string): void {
  if (after.value > 0x7fffn)
    throw new InputError(`${where}: the offset ${after.value} does not fit the instruction`);
  if (!settled.mayResize) {
    throw new InputError(
      `${where}: the field has another size in the kernel, and its type does not allow for that`,
    );
  }
  view.setInt16(at + 2, Number(after.value), true);
  const wanted = after.field?.size;
  if (wanted === undefined || wanted === settled.before.field?.size) return;
  const bits = SIZE_BITS.get(wanted);
  if (bits === undefined) throw new InputError(`${where}: no instruction loads ${wanted} bytes`);
  view.setUint8(at, (view.getUint8(at) & ~0x18) | bits);
}

function poison(view: DataView, at: number): void {
  view.setUint32(at, CALL, true);
  view.setUint32(at + 4, POISON, true);
}
