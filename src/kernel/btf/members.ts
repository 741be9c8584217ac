/** Whether a member of a structure has room where it is, by the kind of its type. */
import { Unsupported } from "../../semantics/errors.ts";
import { EINVAL } from "../../vm/errno.ts";
import { bitsOf, isModifier, isRegular, type Member, type Resolved, type Type } from "./types.ts";

const MOST_BITS = 128;
const ENUM_BITS = 32;
const POINTER_SIZE = 8;

/** Returns 0 or a negative error number. @throws Unsupported  for members of type void behind a qualifier */
export function memberProblem(types: Resolved, structure: Type, member: Member): number {
  const named = types.type(member.type);
  const type = named !== undefined && isModifier(named) ? types.behind(member.type) : named;
  if (type?.kind === "void") throw new Unsupported("btf_load: a member of type void behind a qualifier");
  if (type === undefined) return EINVAL;
  return fits(types, structure, member, type) ? 0 : EINVAL;
}

function fits(types: Resolved, structure: Type, member: Member, type: Type): boolean {
  const { flag, size } = structure;
  if (type.kind === "int") return flag ? fitsField(size, member, type) : fitsBits(size, member, type);
  if (flag && (type.kind === "enum" || type.kind === "enum64")) return fitsEnum(size, member);
  if (member.bits !== 0) return false;
  const room = size - Math.floor(member.offset / 8);
  const whole = member.offset % 8 === 0;
  switch (type.kind) {
    case "ptr":
      return whole && room >= POINTER_SIZE;
    case "array":
      return whole && room >= (types.sized(idOf(types, member))?.size ?? 0);
    case "struct":
    case "union":
    case "enum":
    case "enum64":
      return whole && room >= type.size;
    case "float":
      return member.offset % (8 * Math.min(POINTER_SIZE, type.size)) === 0 && room >= type.size;
    default:
      return false;
  }
}

const idOf = (types: Resolved, { type }: Member): number => types.sized(type)?.id ?? 0;

/** An integer has its own bits, which may begin and end anywhere. */
function fitsBits(size: number, { offset }: Member, type: Type): boolean {
  const own = bitsOf(type);
  const start = offset + own.offset;
  return fitsFrom(size, start, own.bits);
}

/** Or the member says how many of them it has. */
function fitsField(size: number, { offset, bits }: Member, type: Type): boolean {
  if (!isRegular(type)) return false;
  const own = bitsOf(type);
  if (bits === 0 ? offset % 8 !== 0 : bits > own.bits) return false;
  return fitsFrom(size, offset, bits === 0 ? own.bits : bits);
}

function fitsFrom(size: number, start: number, bits: number): boolean {
  if (start > 0xffff_ffff) return false;
  const copied = bits + (start % 8);
  return copied <= MOST_BITS && Math.floor(start / 8) + Math.ceil(copied / 8) <= size;
}

function fitsEnum(size: number, { offset, bits }: Member): boolean {
  if (bits === 0 ? offset % 8 !== 0 : bits > ENUM_BITS) return false;
  return Math.ceil((offset + (bits === 0 ? ENUM_BITS : bits)) / 8) <= size;
}
