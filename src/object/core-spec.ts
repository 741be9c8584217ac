/**
 * A CO-RE access, first in the program's types, then found again in the kernel's: the path `0:1:2` from a type through members and array
 * elements, or one enumerator, or the type itself. Source: Documentation/bpf/llvm_reloc.rst, "CO-RE Relocations".
 */
import { InputError } from "../semantics/errors.ts";
import { type Btf, DEEPEST } from "./btf.ts";
import type { CoreKind, CoreRecord } from "./btf-ext.ts";
import { type BtfOf, essentialName } from "./btf-types.ts";
import { isComposite, isEnum, type Pair } from "./core-compat.ts";

/** One step of the path. */
export interface Step {
  /** The structure that has the member; the type of the element, for a step into an array. */
  readonly type: number;
  /** Of the member, the element or the enumerator. */
  readonly index: number;
  /** Of the member or the enumerator; absent for an array element. */
  readonly name?: string;
}

export interface Access {
  /** The type that the path starts from. */
  readonly root: number;
  /** Never empty for a field or an enumerator. */
  readonly steps: readonly Step[];
  /** Bits from the start of the root type. */
  readonly bitOffset: number;
}

function isTypeKind(kind: CoreKind): boolean {
  return kind.startsWith("type_");
}

function isEnumKind(kind: CoreKind): boolean {
  return kind.startsWith("enumval_");
}

/** Reads a record's path; an `InputError` says what does not fit the types. */
export function localAccess(btf: Btf, record: CoreRecord): Access {
  const bad = (problem: string): never => {
    throw new InputError(`CO-RE relocation of type ${record.type}, access ${record.access}: ${problem}`);
  };
  if (!/^\d+(:\d+)*$/.test(record.access)) bad("is no path");
  const path = record.access.split(":").map(Number);
  const [first = 0, ...rest] = path;
  if (path.length > DEEPEST) bad("is too long");
  if (isTypeKind(record.kind)) return { root: record.type, steps: [], bitOffset: 0 };
  if (isEnumKind(record.kind)) {
    const { type } = btf.resolve(record.type);
    const name = isEnum(type) ? type.values[first]?.name : bad(`a ${type.kind} has no enumerators`);
    if (name === undefined) return bad("there is no such enumerator");
    return { root: record.type, steps: [{ type: record.type, index: first, name }], bitOffset: 0 };
  }
  const steps: Step[] = [{ type: record.type, index: first }];
  let bitOffset = first * btf.size(record.type) * 8;
  let at = record.type;
  let last: { readonly members: number; readonly index: number } | undefined;
  for (const index of rest) {
    const { type, id } = btf.resolve(at);
    if (isComposite(type)) {
      const member = type.members[index] ?? bad("there is no such member");
      bitOffset += member.bitOffset;
      // Members without a name are only passed through: the kernel may have nested them otherwise.
      if (member.name !== "") steps.push({ type: id, index, name: member.name });
      at = member.type;
      last = { members: type.members.length, index };
    } else if (type.kind === "array") {
      if (!flexible(type, last) && index >= type.length) bad("there is no such element");
      at = type.type;
      steps.push({ type: at, index });
      bitOffset += index * btf.size(at) * 8;
      last = undefined;
    } else bad(`a ${type.kind} has no parts`);
  }
  return { root: record.type, steps, bitOffset };
}

/** An array without a length at the end of a structure may have any number of elements. */
function flexible(
  array: BtfOf<"array">,
  last: { readonly members: number; readonly index: number } | undefined,
): boolean {
  return array.length <= 1 && last !== undefined && last.index === last.members - 1;
}

/** The same access in the kernel's type `candidate`, or `undefined` if that type has no such thing. */
export function targetAccess(
  pair: Pair,
  access: Access,
  kind: CoreKind,
  candidate: number,
): Access | undefined {
  const { target } = pair;
  if (isTypeKind(kind)) {
    const fits =
      kind === "type_matches"
        ? pair.typesMatch(access.root, candidate)
        : pair.typesCompatible(access.root, candidate);
    return fits ? { root: candidate, steps: [], bitOffset: 0 } : undefined;
  }
  const [first, ...rest] = access.steps;
  if (first === undefined) throw new Error("an access without a step");
  if (isEnumKind(kind)) {
    const { type } = target.resolve(candidate);
    if (!isEnum(type)) return undefined;
    const name = essentialName(first.name ?? "");
    const index = type.values.findIndex((value) => essentialName(value.name) === name);
    if (index < 0) return undefined;
    return { root: candidate, steps: [{ type: candidate, index, name }], bitOffset: 0 };
  }
  const steps: Step[] = [{ type: candidate, index: first.index }];
  let bitOffset = first.index === 0 ? 0 : first.index * target.size(candidate) * 8;
  let at = candidate;
  let last: { readonly members: number; readonly index: number } | undefined;
  for (const step of rest) {
    if (step.name === undefined) {
      const { type } = target.resolve(at);
      if (type.kind !== "array" || (!flexible(type, last) && step.index >= type.length)) return undefined;
      at = type.type;
      steps.push({ type: at, index: step.index });
      bitOffset += step.index * target.size(at) * 8;
      last = undefined;
      continue;
    }
    const found = findMember(pair, step, step.name, at, 0);
    if (found === undefined) return undefined;
    steps.push({ type: found.struct, index: found.index, name: step.name });
    bitOffset += found.bitOffset;
    at = found.type;
    last = { members: found.members, index: found.index };
  }
  return { root: candidate, steps, bitOffset };
}

interface FoundMember {
  readonly struct: number;
  readonly members: number;
  readonly index: number;
  readonly type: number;
  /** From the start of the structure that the search began in. */
  readonly bitOffset: number;
}

/** The member called `name`, also inside members without a name, if its type is compatible. */
function findMember(
  pair: Pair,
  step: Step,
  name: string,
  at: number,
  depth: number,
): FoundMember | undefined {
  const { type, id } = pair.target.resolve(at);
  if (!isComposite(type) || depth > DEEPEST) return undefined;
  for (const [index, member] of type.members.entries()) {
    if (member.name === "") {
      const inside = findMember(pair, step, name, member.type, depth + 1);
      if (inside !== undefined) return { ...inside, bitOffset: inside.bitOffset + member.bitOffset };
    } else if (member.name === name) {
      const local = pair.local.type(step.type);
      const wanted = isComposite(local) ? local.members[step.index]?.type : undefined;
      if (wanted === undefined || !pair.fieldsCompatible(wanted, member.type)) return undefined;
      const { bitOffset } = member;
      return { struct: id, members: type.members.length, index, type: member.type, bitOffset };
    }
  }
  return undefined;
}
