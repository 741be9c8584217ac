/**
 * Pointers to the kernel's objects, by their BTF types: what a load through one gives, and how far what was loaded may be trusted. A load itself
 * never faults: the kernel guards those that may. What may be written through them says object-writes.ts.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { Size } from "../../semantics/isa/instruction.ts";
import type { ArgumentPointer, TypeFlag } from "../../semantics/profile/profile.ts";
import type { Field, KernelTypes, PointerTag, TypedValue } from "../../semantics/program/kernel-types.ts";
import { isGplCompatible } from "../../semantics/program/license.ts";
import {
  FLAG,
  hasFlag,
  KIND,
  kindName,
  kindOf,
  mayBeNull,
  objectOf,
  offOf,
  referenceOf,
  setConstant,
  setId,
  setPointer,
  setUnknown,
  smallConstant,
} from "../register.ts";
import { branchOperators, synchronise, unknownScalarAt } from "../scalar/operators.ts";
import { takeId } from "../state.ts";
import { type Machine, mapAt, SCRATCH, type Target } from "./machine.ts";
import { requireMayLook } from "./privileges.ts";
import { reject } from "./rejection.ts";
import { isUnderRcu } from "./sections.ts";
import { tnumText } from "./text.ts";

/** How the names end of what is not modelled where no kernel has told its types. */
export const WITHOUT_TYPES = "without the kernel's types";

/** @throws Unsupported  if the kernel's types are not at hand */
export function typesOf(m: Machine): KernelTypes {
  const { types } = m.rules;
  if (types === undefined) throw new Unsupported(`pointers to kernel objects ${WITHOUT_TYPES}`);
  return types;
}

/** Loads through a pointer of base `btf` that is not null. */
export function loadKernelObject(m: Machine, target: Target, size: Size, destination: number): void {
  const { at } = target;
  const kind = kindOf(at);
  const start = placeInObject(m, target);
  const field = typesOf(m).fieldAt(objectOf(at), start, size);
  if (field.kind === "none") reject(field.errno, field.message);
  const vouched = hasFlag(kind, FLAG.trusted | FLAG.rcu) || referenceOf(at) !== 0;
  give(m, field.value, size, destination, trustFlags(m, kind, vouched, objectOf(at), field));
}

/** `size` bytes of a trusted object that a helper reads by itself, so without what guards a program's loads. */
export function requireObjectBytes(m: Machine, target: Target, size: number): void {
  const { at, number } = target;
  const constant = smallConstant(at);
  if (constant === undefined) {
    return reject("EACCES", `variable ${kindName(kindOf(at))} access var_off=${tnumText(at)} disallowed`);
  }
  const off = offOf(at) + constant;
  if (off < 0)
    reject("EACCES", `negative offset ${kindName(kindOf(at))} ptr R${number} off=${off} disallowed`);
  requireMayLook(m, () => typesOf(m).structName(objectOf(at)));
  const start = placeInObject(m, target);
  if (size === 0) {
    reject("EINVAL", `struct ${typesOf(m).structName(objectOf(at))} doesn't have field at offset ${start}`);
  }
  const field = typesOf(m).fieldAt(objectOf(at), start, size);
  if (field.kind === "none") reject(field.errno, field.message);
  // How many elements there are nobody knows.
  if (field.beyond === true) throw new Unsupported("an array of no fixed length as memory of a helper");
}

/**
 * Loads through a pointer to a map: from the kernel's structure that it points to, of which the profile tells. What is found there nobody vouches for.
 */
export function loadMapObject(m: Machine, target: Target, size: Size, destination: number): void {
  const name = structOfMap(m, target.at);
  const start = offOf(target.at) + target.off;
  if (start < 0) reject("EACCES", `R${target.number} is ${name} invalid negative access: off=${start}`);
  const types = typesOf(m);
  const struct = types.structId(name);
  if (struct === undefined) throw new Unsupported(`kernel objects of type ${name}`);
  const field = types.fieldAt(struct, start, size);
  if (field.kind === "none") reject(field.errno, field.message);
  give(m, field.value, size, destination, field.value.kind === "scalar" ? 0 : FLAG.untrusted);
}

/** The name of the structure that a pointer to a map points to, if the program may look into it. */
export function structOfMap(m: Machine, at: number): string {
  const { type } = mapAt(m, objectOf(at));
  const struct = m.profile.maps.find((map) => map.type === type)?.struct;
  if (struct === undefined) throw new Unsupported(`loads through pointers to maps of type ${type}`);
  requireMayLook(m, () => struct);
  return struct;
}

/** The offset in the object that an access is about, if programs such as this may look into objects such as that. */
export function placeInObject(m: Machine, target: Target): number {
  const { at, number } = target;
  const kind = kindOf(at);
  if (hasFlag(kind, FLAG.allocated)) throw new Unsupported("objects that programs allocate");
  const name = typesOf(m).structName(objectOf(at));
  if (!isGplCompatible(m.program.license)) {
    reject("EINVAL", `Cannot access kernel 'struct ${name}' from non-GPL compatible program`);
  }
  const pointer = `R${number} is ptr_${name}`;
  const constant = smallConstant(at);
  const off = offOf(at) + target.off;
  if (constant === undefined) {
    if (off < 0) reject("EACCES", `${pointer} invalid negative access: off=${off}`);
    reject("EACCES", `${pointer} invalid variable offset: off=${off}, var_off=${tnumText(at)}`);
  }
  const start = off + constant;
  if (start < 0) reject("EACCES", `${pointer} invalid negative access: off=${start}`);
  if (hasFlag(kind, FLAG.user)) reject("EACCES", `${pointer} access user memory: off=${start}`);
  if (hasFlag(kind, FLAG.perCpu)) reject("EACCES", `${pointer} access percpu memory: off=${start}`);
  return start;
}

/** What is known of a pointer that was loaded from a field of an object of the kind, which is valid if it is vouched for. */
function trustFlags(
  m: Machine,
  kind: number,
  vouched: boolean,
  struct: number,
  { name, value }: Extract<Field, { kind: "found" }>,
): number {
  if (value.kind === "scalar") return 0;
  if (hasFlag(kind, FLAG.untrusted)) return FLAG.untrusted;
  const tags = tagFlags(value.tags);
  // What was never vouched for is as it always was: neither trusted nor not.
  if (!vouched) return tags & (FLAG.user | FLAG.perCpu);
  const trust = typesOf(m).trustOf(struct, name);
  if (trust === "trusted") return FLAG.trusted | tags;
  if (trust === "trusted_or_null") return FLAG.trusted | FLAG.orNull | tags;
  if (!isUnderRcu(m) || mayBeNull(kind)) return FLAG.untrusted;
  if (trust === "rcu") return FLAG.rcu | tags;
  if (trust === "rcu_or_null" || value.tags.includes("rcu")) return FLAG.rcu | FLAG.orNull | tags;
  return tags & (FLAG.user | FLAG.perCpu);
}

const TAG_FLAGS: Readonly<Record<PointerTag, number>> = {
  user: FLAG.user,
  percpu: FLAG.perCpu,
  rcu: FLAG.rcu,
};
const tagFlags = (tags: readonly PointerTag[]): number =>
  tags.reduce((flags, tag) => flags | TAG_FLAGS[tag], 0);

function give(m: Machine, value: TypedValue, size: Size, destination: number, flags: number): void {
  if (value.kind === "scalar") {
    setUnknown(destination);
    unknownScalarAt(destination, size * 8);
    return;
  }
  setPointer(destination, KIND.btf | flags, value.struct);
  if (mayBeNull(flags)) setId(destination, takeId(m.state));
}

/** Attach types of which some arguments may be null, or are no objects, or nobody vouches for them. */
const ONE_BY_ONE: ReadonlySet<string> = new Set(["trace_raw_tp", "trace_iter", "lsm_mac", "lsm_cgroup"]);

/** Loads an argument of what the program attaches to. */
export function loadFunctionArgument(m: Machine, off: number, size: Size, destination: number): void {
  const { program } = m;
  const args = typesOf(m).argumentsOf(program);
  if (args === undefined)
    throw new Unsupported(`${program.type} programs for ${program.target ?? "no target"}`);
  const access = `invalid bpf_context access off=${off} size=${size}`;
  if (off < 0 || off % size !== 0 || off + size > MOST_ARGUMENTS * 8) reject("EACCES", access);
  const refuse = (line: string): never => reject("EACCES", `${line}\n${access}`);
  if (off % 8 !== 0) return refuse(`func '${args.name}' offset ${off} is not multiple of 8`);
  const index = off / 8;
  const value = args.values[index];
  if (value === undefined) return refuse(`func '${args.name}' doesn't have ${index + 1}-th argument`);
  if (typeof value === "string") return refuse(value);
  if (value.kind === "pointer" && size !== 8) return refuse(`func '${args.name}' size ${size} must be 8`);
  const known = argumentPointer(m, index);
  if (known?.value === "buffer") return giveBuffer(m, known, destination);
  if (value.kind === "scalar") {
    give(m, value, size, destination, 0);
    if (index === args.result && off % 8 === 0 && size >= 4) boundResult(m, destination);
    return;
  }
  give(m, value, size, destination, argumentFlags(known) | (tagFlags(value.tags) & ~FLAG.rcu));
}

/**
 * What a security hook's program before this one returned is in the range of results of the hook. That is checked of an int: the upper half may be anything,
 * also where Linux takes the number for a negative one of 64 bits.
 */
function boundResult(m: Machine, at: number): void {
  const range = m.facts.returns;
  if (m.program.attach !== "lsm_mac" || range === undefined) return;
  const [least, greatest] = range;
  setConstant(SCRATCH.operand, least, least >> 31);
  branchOperators("jsge", 32).taken(at, SCRATCH.operand);
  setConstant(SCRATCH.operand, greatest, greatest >> 31);
  branchOperators("jsle", 32).taken(at, SCRATCH.operand);
  synchronise(at);
}

/** What the profile says of a pointer among the arguments. */
function argumentPointer({ program, profile }: Machine, index: number): ArgumentPointer | undefined {
  const { attach, target } = program;
  const facts = attach === undefined ? undefined : profile.targets?.[attach];
  if (facts === undefined && ONE_BY_ONE.has(attach ?? "")) {
    throw new Unsupported(`arguments of ${attach} programs on Linux ${profile.kernel}`);
  }
  return facts?.others[target ?? ""]?.[index] ?? facts?.usual;
}

function argumentFlags(known: ArgumentPointer | undefined): number {
  const has = (flag: TypeFlag): boolean => known?.flags?.includes(flag) === true;
  return (
    (has("ptr_trusted") ? FLAG.trusted : 0) |
    (has("ptr_untrusted") ? FLAG.untrusted : 0) |
    (has("mem_rcu") ? FLAG.rcu : 0) |
    (has("mem_rdonly") ? FLAG.readOnly : 0) |
    (has("ptr_maybe_null") ? FLAG.orNull : 0)
  );
}

/** Bytes of which the kernel finds out how many there are when the program is attached. */
function giveBuffer(m: Machine, known: ArgumentPointer, destination: number): void {
  const flags = argumentFlags(known);
  setPointer(destination, KIND.buffer | flags, 0);
  if (mayBeNull(flags)) setId(destination, takeId(m.state));
}

/** The kernel's limit on a function's arguments, the result included (MAX_BPF_FUNC_ARGS). */
const MOST_ARGUMENTS = 12;
