/**
 * Stores to objects of the kernel, which callbacks (`struct_ops`) may make to some fields of some structures. What lies in such a field is any number of
 * its size to whoever loads it, so a store leaves the state as it is.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { Size } from "../../semantics/isa/instruction.ts";
import { fieldAt, says } from "../../semantics/profile/lookup.ts";
import type { Context, ContextField } from "../../semantics/profile/profile.ts";
import type { ProgramType } from "../../semantics/program/program-types.ts";
import { FLAG, hasFlag, kindOf, objectOf, referenceOf } from "../register.ts";
import { placeInObject, typesOf } from "./kernel-object.ts";
import type { Machine, Target } from "./machine.ts";
import { reject } from "./rejection.ts";

/** Flags of pointers that may point elsewhere by now, or never pointed to memory of the kernel. */
const DOUBTS = FLAG.untrusted | FLAG.user | FLAG.perCpu | FLAG.orNull;

/** Types for which kernels have fields that programs may write (those of tracked connections), if the module is there; without it none. */
const WRITERS: ReadonlySet<ProgramType> = new Set(["sched_cls", "sched_act", "xdp"]);

/**
 * Stores `size` bytes through a pointer of base `btf` that is not null.
 *
 * @throws Unsupported  for pointers that the kernel takes at their word: an object that nobody vouches for may be gone
 */
export function storeKernelObject(m: Machine, target: Target, size: Size): void {
  const { at } = target;
  const start = placeInObject(m, target);
  const { writes } = m.facts;
  const types = typesOf(m);
  const struct = objectOf(at);
  const name = types.structName(struct);
  const fields = m.profile.contexts[writes?.[name] ?? ""];
  if (writes === undefined || fields === undefined || types.structId(name) !== struct) {
    const place = `R${target.number} cannot write into ptr_${name} at off=${start} size=${size}`;
    const isTold = WRITERS.has(m.program.type) && says(m.profile, "object_stores");
    return reject("EACCES", isTold ? place : "only read is supported");
  }
  const field = fieldAt(fields, "write", start, size) ?? refuse(fields, name, start, size);
  const found = types.fieldAt(struct, start, 1);
  // A place means what it did when the kernel was asked only if its types are still the same.
  if (found.kind === "none" || found.name !== field.name) {
    throw new Unsupported(`stores to ${name}, which is laid out in another way than in the profile's kernel`);
  }
  const kind = kindOf(at);
  const vouched = hasFlag(kind, FLAG.trusted | FLAG.rcu) || referenceOf(at) !== 0;
  if (!vouched || hasFlag(kind, DOUBTS)) throw new Unsupported("stores to kernel objects that may be gone");
}

function refuse(context: Context, name: string, start: number, size: number): never {
  const { fields } = context;
  if (start + size > context.size) {
    return reject("EACCES", `write access at off ${start} with size ${size} beyond the end of ${name}`);
  }
  const at = (place: number): ContextField | undefined =>
    fields.find(({ offset, size: bytes, writes }) => {
      return writes.length > 0 && place >= offset && place < offset + bytes;
    });
  const field = at(start);
  const aligned = start % size === 0;
  if (field === undefined || (aligned && start !== field.offset)) {
    return reject("EACCES", `no write support to ${name} at off ${start}`);
  }
  const end = field.offset + field.size;
  // Kernels may take what is not aligned and has only such bytes: those stores were asked for that are aligned to their size.
  const maybe = !aligned && (start + size <= end || at(end) !== undefined);
  if (maybe) throw new Unsupported("stores to kernel objects that are not aligned");
  const beyond = `beyond the member of ${name} ended at ${end}`;
  return reject("EACCES", `write access at off ${start} with size ${size} ${beyond}`);
}
