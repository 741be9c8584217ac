/**
 * Pointers to objects of the kernel in map values (kptrs). Any program may take out or put in another at any time, so a load tells nothing of what the next
 * one gives. What may be done:
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
import { reject } from "./rejection.ts";
import { tnumText } from "./text.ts";

const BYTES = 8;

/** Whether the field is a pointer to an object of the kernel. */
const isKptr = ({ kind }: MapField): boolean => kind === "kptr" || isHeld(kind);
const isHeld = (kind: string): boolean => kind === "kptr_ref";

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

/** The kernel's structure that the field's pointers point to. */
function structOf(m: Machine, { type }: MapField): number {
  const struct = type === undefined ? undefined : typesOf(m).structId(type);
  if (struct === undefined) throw new Unsupported(`pointers in map values to ${type ?? "no structure"}`);
  return struct;
}

/** The kernel's types whose objects are not freed before all RCU sections have ended. */
const RCU_PROTECTED: ReadonlySet<string | undefined> = new Set([
  "task_struct",
  "cgroup",
  "bpf_cpumask",
  "bpf_crypto_ctx",
]);

export function loadKptr(m: Machine, field: MapField, destination: number): void {
  const struct = structOf(m, field);
  // Linux takes a lock for a section as well, and goes on trusting the pointer when it is unlocked.
  const inSection = sectionDepth(m.state, SECTION.rcu) > 0 || !m.program.flags.includes("sleepable");
  const safe = isHeld(field.kind) && RCU_PROTECTED.has(field.type) && inSection;
  setPointer(destination, KIND.btf | FLAG.orNull | (safe ? FLAG.rcu : FLAG.untrusted), struct);
  setId(destination, takeId(m.state));
}

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
  const types = typesOf(m);
  const wanted = structOf(m, field);
  const kind = kindOf(at);
  const storable = isHeld(field.kind) ? STORABLE & ~FLAG.untrusted : STORABLE;
  const known = baseOf(kind) === KIND.btf && (kind & ~0xff & ~storable) === 0;
  const constant = smallConstant(at);
  if (known && constant === undefined) {
    reject("EACCES", `variable ${kindName(kind)} access var_off=${tnumText(at)} disallowed`);
  }
  const off = offOf(at) + (constant ?? 0);
  if (known && off < 0) {
    reject("EACCES", `negative offset ${kindName(kind)} ptr R${number} off=${off} disallowed`);
  }
  const same =
    known &&
    (isHeld(field.kind) ? off === 0 && objectOf(at) === wanted : types.holdsAt(objectOf(at), off, wanted));
  if (same) return;
  const target = types.structName(wanted);
  const found = baseOf(kind) === KIND.btf ? types.structName(objectOf(at)) : "";
  const or = isHeld(field.kind) ? "" : ` or untrusted_ptr_${target}`;
  reject(
    "EACCES",
    `invalid kptr access, R${number} type=${kindName(kind)}${found} expected=ptr_${target}${or}`,
  );
}

/** The field that bpf_kptr_xchg is to change: it must hold a reference. */
export function exchangedField(m: Machine, { number, at }: Target): MapField {
  if (kindOf(at) !== KIND.mapValue) throw new Unsupported("pointers in objects that programs allocate");
  const map = mapAt(m, objectOf(at));
  const constant = smallConstant(at);
  if (map.btfValue === undefined && map.fields === undefined) {
    reject("EINVAL", `map '${map.name}' has to have BTF in order to use bpf_kptr_xchg`);
  }
  if (constant === undefined) {
    return reject("EINVAL", `R${number} doesn't have constant offset. kptr has to be at the constant offset`);
  }
  if (map.fields?.some(isKptr) !== true) return reject("EINVAL", `R${number} has no valid kptr`);
  const off = offOf(at) + constant;
  const field = map.fields.find((each) => isKptr(each) && each.offset === off);
  if (field === undefined) return reject("EACCES", `off=${off} doesn't point to kptr`);
  if (!isHeld(field.kind)) return reject("EACCES", `off=${off} kptr isn't referenced kptr`);
  return field;
}

/** What is put in, if it is not null: it must be of the field's type. */
export const requireExchangeable = (m: Machine, field: MapField, target: Target): void =>
  requireMatch(m, field, target);

/** What comes out: of the field's type, or null. The reference is the caller's to give. */
export function giveExchanged(m: Machine, field: MapField, at: number): void {
  setPointer(at, KIND.btf | FLAG.orNull, structOf(m, field));
}
