/** The number that a CO-RE relocation asks for, once the access is known. Source: Documentation/bpf/llvm_reloc.rst. */
import { InputError } from "../semantics/errors.ts";
import type { Btf } from "./btf.ts";
import type { CoreKind } from "./btf-ext.ts";
import { isComposite, isEnum } from "./core-compat.ts";
import type { Access } from "./core-spec.ts";

export interface CoreValue {
  readonly value: bigint;
  /** Whether the instruction must hold the local type's value before it is changed. */
  readonly checked: boolean;
  /** Of a byte offset: the size in bytes and the type of what lies there, so that a load can follow a change of size. */
  readonly field?: { readonly size: number; readonly type: number };
}

type FieldKind = Extract<CoreKind, `field_${string}`> & Exclude<CoreKind, "field_exists">;

/** A member, and the aligned bytes that hold it. */
interface Field {
  readonly unit: { readonly offset: number; readonly size: number };
  /** Bits from the start of the root type, and how many. */
  readonly bitOffset: number;
  readonly bits: number;
  readonly bitfield: boolean;
  readonly type: number;
  readonly signed: boolean;
}

const FIELD_VALUES: { readonly [K in FieldKind]: (field: Field) => CoreValue } = {
  field_byte_offset: ({ unit, bitfield, type }) => ({
    value: BigInt(unit.offset),
    checked: !bitfield,
    ...(bitfield ? {} : { field: { size: unit.size, type } }),
  }),
  field_byte_size: ({ unit, bitfield }) => ({ value: BigInt(unit.size), checked: !bitfield }),
  field_signed: ({ signed }) => ({ value: signed ? 1n : 0n, checked: true }),
  // Counted for a little-endian machine, as the code has been turned to that order.
  field_lshift_u64: ({ unit, bitOffset, bits }) => ({
    value: BigInt(64 - (bitOffset + bits - unit.offset * 8)),
    checked: false,
  }),
  field_rshift_u64: ({ bits }) => ({ value: BigInt(64 - bits), checked: true }),
};

/** The value, or `undefined` if there is none because the kernel lacks the thing: the instruction must then never run. */
export function coreValue(btf: Btf, kind: CoreKind, access: Access | undefined): CoreValue | undefined {
  const plain = (value: bigint | number, checked = true): CoreValue => ({ value: BigInt(value), checked });
  if (access === undefined) return isFieldKind(kind) || kind === "enumval_value" ? undefined : plain(0);
  if (isFieldKind(kind)) return fieldValue(btf, kind, access);
  if (kind === "type_id_local" || kind === "type_id_target") return plain(access.root, false);
  if (kind === "type_size") return plain(btf.size(access.root));
  if (kind !== "enumval_value") return plain(1);
  const step = access.steps[0];
  const { type } = btf.resolve(access.root);
  if (step === undefined || !isEnum(type))
    throw new Error("an enumerator's access that is not of an enumeration");
  return plain(type.values[step.index]?.value ?? 0n);
}

function isFieldKind(kind: CoreKind): kind is FieldKind {
  return kind in FIELD_VALUES;
}

function fieldValue(btf: Btf, kind: FieldKind, access: Access): CoreValue {
  const step = access.steps.at(-1);
  if (step === undefined) throw new Error("an access without a step");
  const { bitOffset } = access;
  if (step.name === undefined) {
    const size = btf.size(step.type);
    if (kind !== "field_byte_offset" && kind !== "field_byte_size") {
      throw new InputError(`CO-RE relocation ${kind} of an array element`);
    }
    const unit = { offset: bitOffset / 8, size };
    return FIELD_VALUES[kind]({
      unit,
      bitOffset,
      bits: size * 8,
      bitfield: false,
      type: step.type,
      signed: false,
    });
  }
  const struct = btf.type(step.type);
  const member = isComposite(struct) ? struct.members[step.index] : undefined;
  if (member === undefined) throw new Error("a step to a member that its structure does not have");
  const { type } = btf.resolve(member.type);
  const unit = unitOf(btf, bitOffset, member.bitSize, member.type);
  const bitfield = member.bitSize !== 0;
  return FIELD_VALUES[kind]({
    unit,
    bitOffset,
    bits: bitfield ? member.bitSize : unit.size * 8,
    bitfield,
    type: member.type,
    signed: (isEnum(type) || type.kind === "int") && type.signed,
  });
}

/** The aligned bytes that hold a member: those of its type, or as many more as its bitfield reaches into. */
function unitOf(
  btf: Btf,
  bitOffset: number,
  bitSize: number,
  type: number,
): { readonly offset: number; readonly size: number } {
  let size = btf.size(type);
  if (bitSize === 0) return { offset: Math.floor(bitOffset / 8), size };
  const start = (): number => Math.floor(bitOffset / 8 / size) * size;
  while (bitOffset + bitSize - start() * 8 > size * 8) {
    if (size >= 8) throw new InputError(`CO-RE relocation of a bitfield that does not fit 8 bytes`);
    size *= 2;
  }
  return { offset: start(), size };
}
