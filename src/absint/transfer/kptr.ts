/**
 * Pointers in map values and in objects of the program's own (kptrs), to objects of the kernel or to such of the program's own. Any program may take out or put in
 * another at any time, so a load tells nothing of what the next one gives. What may be done:
 * - one that holds a reference is exchanged for another, by bpf_kptr_xchg alone: what is put in was held by the program, what comes out is;
 * - a load gives a pointer that is null or that nobody vouches for, or one that is valid as long as the RCU section lasts;
 * - one that holds none ("untrusted") may be stored to.
 */
import { Unsupported } from "../../semantics/errors.ts";
import { MAP_FIELDS, MAP_FLAGS, type MapField } from "../../semantics/program/map-types.ts";
import { demand } from "../origins.ts";
import {
  baseOf,
  FLAG,
  hasFlag,
  isConstant,
  KIND,
  kindName,
  kindOf,
  objectOf,
  offOf,
  setId,
  setPointer,
  smallConstant,
  smaxOf,
  sminOf,
} from "../register.ts";
import { REGISTERS, SECTION, sectionDepth, takeId } from "../state.ts";
import { typesOf } from "./kernel-object.ts";
import { type Machine, mapAt, register, type Target } from "./machine.ts";
import { isOwnObject, ownStruct, requireNoChain } from "./own-object.ts";
import { reject } from "./rejection.ts";
import { maySleep } from "./sections.ts";
import { tnumText } from "./text.ts";

const BYTES = 8;

/** Whether the field is a pointer to an object of the kernel. */
const isKptr = ({ kind }: MapField): boolean => kind === "kptr" || isHeld(kind);
const isHeld = (kind: string): boolean => kind === "kptr_ref" || kind === "kptr_percpu";

/** The pointer that an access of `size` bytes to a map's value goes to; undefined if it touches none. Bounds are for the caller to check. */
export function kptrIn(m: Machine, { at, off }: Target, size: number): MapField | undefined {
  const map = mapAt(m, objectOf(at));
  const base = offOf(at) + off;
  const field = map.fields?.find(
    (each) =>
      isKptr(each) && base + sminOf(at) < each.offset + BYTES && base + smaxOf(at) + size > each.offset,
  );
  if (field === undefined) return undefined;
  const name = MAP_FIELDS.get(field.kind)?.name ?? field.kind;
  const constant = smallConstant(at);
  if (constant === undefined) return reject("EACCES", `${name} access cannot have variable offset`);
  if (base + constant !== field.offset) {
    reject("EACCES", `${name} access misaligned expected=${field.offset} off=${base + constant}`);
  }
  if (size !== BYTES) reject("EACCES", `${name} access size must be BPF_DW`);
  // No kernel makes such maps.
  if ((map.flags & (MAP_FLAGS.rdonly_prog | MAP_FLAGS.wronly_prog)) !== 0) {
    throw new Unsupported(`map ${map.name}: ${name} in values that programs may not read and write`);
  }
  return field;
}

/** A structure that pointers point to, the kernel's or the program's own, and what flags these pointers have. */
interface Pointee {
  readonly struct: number;
  readonly name: string;
  readonly flags: number;
}

/** What the field's pointers point to: the kernel's structure of that name, or the program's own where the kernel has none. */
function pointeeOf(m: Machine, { kind, type, struct }: MapField): Pointee {
  const perCpu = kind === "kptr_percpu" ? FLAG.perCpu : 0;
  const kernels = type === undefined ? undefined : typesOf(m).structId(type);
  if (kernels !== undefined && perCpu !== 0)
    throw new Unsupported("per-CPU objects of the kernel in map values");
  if (kernels !== undefined) return { struct: kernels, name: typesOf(m).structName(kernels), flags: 0 };
  if (struct === undefined) throw new Unsupported(`pointers in map values to ${type ?? "no structure"}`);
  const { name } = ownStruct(m, struct);
  return { struct, name, flags: FLAG.allocated | perCpu };
}

/** The kernel's types whose objects are not freed before all RCU sections have ended. */
const RCU_PROTECTED: ReadonlySet<string | undefined> = new Set([
  "task_struct",
  "cgroup",
  "bpf_cpumask",
  "bpf_crypto_ctx",
]);

export function loadKptr(m: Machine, field: MapField, destination: number): void {
  const { struct, flags: own } = pointeeOf(m, field);
  // Linux takes a lock for a section as well, and goes on trusting the pointer when it is unlocked.
  const inSection = sectionDepth(m.state, SECTION.rcu) > 0 || !maySleep(m);
  const safe = isHeld(field.kind) && (own !== 0 || RCU_PROTECTED.has(field.type)) && inSection;
  const trust = safe ? FLAG.rcu : FLAG.untrusted;
  setPointer(destination, KIND.btf | FLAG.orNull | trust | own | linkFlag(m, own, struct, safe), struct);
  setId(destination, takeId(m.state));
}

/** What may be in a list or tree counts as what is in one: it goes with the next lock that is left. */
function linkFlag(m: Machine, own: number, struct: number, safe: boolean): number {
  if (own === 0 || !safe) return 0;
  return ownStruct(m, struct).fields.some(({ kind }) => LINKS.has(kind)) ? FLAG.nonOwning : 0;
}

const LINKS: ReadonlySet<string> = new Set(["list_node", "rb_node"]);

/** Flags of pointers that may be stored where nothing is vouched for. */
const STORABLE = FLAG.orNull | FLAG.trusted | FLAG.rcu | FLAG.untrusted;

/** Checks a store of the register at `value`. */
export function storeKptr(m: Machine, field: MapField, value: number): void {
  if (isHeld(field.kind)) reject("EACCES", "store to referenced kptr disallowed");
  if (kindOf(value) === KIND.scalar) {
    demand(m.marks, value);
    if (isConstant(value) && smallConstant(value) === 0) return;
  }
  const number = numberOf(m, value);
  if (number === undefined)
    return reject("EACCES", `BPF_ST imm must be 0 when storing to kptr at off=${field.offset}`);
  requireMatch(m, field, { number, at: value, off: 0 });
}

/** The register at an address; undefined if it is none of the current frame. */
function numberOf(m: Machine, at: number): number | undefined {
  for (let number = 0; number < REGISTERS; number += 1) if (register(m, number) === at) return number;
  return undefined;
}

/** The pointer leads to what the field's pointers lead to. */
function requireMatch(m: Machine, field: MapField, { number, at }: Target): void {
  const wanted = pointeeOf(m, field);
  const kind = kindOf(at);
  const kernels = isHeld(field.kind) ? STORABLE & ~FLAG.untrusted : STORABLE;
  const storable = wanted.flags === 0 ? kernels : FLAG.orNull | wanted.flags;
  // Linux takes an object that is one for all processors where there should be one for each.
  const isOf = (kind & (FLAG.allocated | FLAG.perCpu)) === wanted.flags;
  const known = baseOf(kind) === KIND.btf && (kind & ~0xff & ~storable) === 0 && isOf;
  const constant = smallConstant(at);
  if (known && constant === undefined) {
    reject("EACCES", `variable ${kindName(kind)} access var_off=${tnumText(at)} disallowed`);
  }
  const off = offOf(at) + (constant ?? 0);
  if (known && off < 0) {
    reject("EACCES", `negative offset ${kindName(kind)} ptr R${number} off=${off} disallowed`);
  }
  const isSame = (): boolean => off === 0 && objectOf(at) === wanted.struct;
  const holds = (): boolean => typesOf(m).holdsAt(objectOf(at), off, wanted.struct);
  if (known && (isHeld(field.kind) || wanted.flags !== 0 ? isSame() : holds())) return;
  const or = isHeld(field.kind) ? "" : ` or untrusted_ptr_${wanted.name}`;
  const found = `${kindName(kind)}${objectName(m, at)}`;
  reject("EACCES", `invalid kptr access, R${number} type=${found} expected=ptr_${wanted.name}${or}`);
}

/** The name of the type of the object that a pointer leads to, if it leads to one. */
function objectName(m: Machine, at: number): string {
  const kind = kindOf(at);
  if (baseOf(kind) !== KIND.btf) return "";
  return isOwnObject(kind) ? ownStruct(m, objectOf(at)).name : typesOf(m).structName(objectOf(at));
}

/** The field that bpf_kptr_xchg is to change: it must hold a reference. */
export function exchangedField(m: Machine, { number, at }: Target): MapField {
  const { name, fields } = fieldsAt(m, at);
  const constant = smallConstant(at);
  if (fields === undefined) {
    reject("EINVAL", `map '${name}' has to have BTF in order to use bpf_kptr_xchg`);
  }
  if (constant === undefined) {
    return reject("EINVAL", `R${number} doesn't have constant offset. kptr has to be at the constant offset`);
  }
  if (!fields.some(isKptr)) return reject("EINVAL", `R${number} has no valid kptr`);
  const off = offOf(at) + constant;
  const field = fields.find((each) => isKptr(each) && each.offset === off);
  if (field === undefined) return reject("EACCES", `off=${off} doesn't point to kptr`);
  if (!isHeld(field.kind)) return reject("EACCES", `off=${off} kptr isn't referenced kptr`);
  return field;
}

/** The fields of the map's value or object that a pointer leads to; none at all where no type is known. */
function fieldsAt(
  m: Machine,
  at: number,
): { readonly name: string; readonly fields: readonly MapField[] | undefined } {
  const kind = kindOf(at);
  if (kind === KIND.mapValue) {
    const { name, btfValue, fields } = mapAt(m, objectOf(at));
    return { name, fields: fields ?? (btfValue === undefined ? undefined : []) };
  }
  if (kind === (KIND.btf | FLAG.allocated)) return ownStruct(m, objectOf(at));
  throw new Unsupported("pointers in objects that the program does not own");
}

/** What is put in, if it is not null: it must be of the field's type. */
export function requireExchangeable(m: Machine, field: MapField, target: Target): void {
  requireMatch(m, field, target);
  const { struct, flags } = pointeeOf(m, field);
  if (hasFlag(flags, FLAG.allocated)) requireNoChain(m, register(m, 1), struct);
}

/** What comes out: of the field's type, or null. The reference is the caller's to give. */
export function giveExchanged(m: Machine, field: MapField, at: number): void {
  const { struct, flags } = pointeeOf(m, field);
  setPointer(at, KIND.btf | FLAG.orNull | flags, struct);
}
