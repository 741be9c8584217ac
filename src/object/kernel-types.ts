/** What programs may know of a kernel's types, from its BTF. */
import type {
  Arguments,
  Attached,
  Field,
  KernelTypes,
  PointerTag,
  Trust,
  TypedValue,
} from "../semantics/program/kernel-types.ts";
import { attachTarget } from "./attach-target.ts";
import { type Btf, DEEPEST } from "./btf.ts";
import { type BtfMember, type BtfOf, isModifier } from "./btf-types.ts";
import { isPlain, kernelAddress, sizeUnlessStruct } from "./kernel-variables.ts";

type Aggregate = BtfOf<"struct" | "union">;

const SCALAR: TypedValue = { kind: "scalar" };

/** The lists by which the kernel says what to trust: structures with those fields, named after the structure that is meant. */
const TRUST_LISTS: readonly (readonly [string, Trust])[] = [
  ["__safe_trusted", "trusted"],
  ["__safe_trusted_or_null", "trusted_or_null"],
  ["__safe_rcu", "rcu"],
  ["__safe_rcu_or_null", "rcu_or_null"],
];

const TAGS: readonly PointerTag[] = ["user", "percpu", "rcu"];

/** A structure with a member for the context of each type of programs, as they see it and as the kernel does. */
const CONTEXTS = "bpf_ctx_convert";

export function kernelTypes(btf: Btf): KernelTypes {
  const structId = (name: string): number | undefined => btf.findKind(name, "struct", "union");
  const aggregate = (id: number): Aggregate | undefined => {
    const { type } = btf.resolve(id);
    return type.kind === "struct" || type.kind === "union" ? type : undefined;
  };
  return {
    structId,
    structName: (id) => btf.name(id),
    kindOf: (id) => {
      const kind = id < btf.count ? btf.kind(id) : undefined;
      return kind === undefined || kind === "void" || kind === "struct" || kind === "union" ? kind : "other";
    },
    kernelContext: (type) => {
      const contexts = structId(CONTEXTS);
      const name = `BPF_PROG_TYPE_${type.toUpperCase()}_kern`;
      const members = contexts === undefined ? undefined : aggregate(contexts)?.members;
      return members?.find((each) => each.name === name)?.type;
    },
    namesakes: (kind, name) => btf.find(name, true).filter((id) => btf.kind(id).toUpperCase() === kind),
    fieldAt: (id, offset, size) => fieldAt(btf, id, offset, size),
    trustOf: (id, field) => {
      for (const [suffix, trust] of TRUST_LISTS) {
        const list = structId(btf.name(id) + suffix);
        if (list !== undefined && aggregate(list)?.members.some(({ name }) => name === field)) return trust;
      }
      return "none";
    },
    holdsAt: (outer, offset, inner) => holdsAt(btf, outer, offset, inner),
    argumentsOf: (program) => argumentsOf(btf, program),
    sizeUnlessStruct: (id) => sizeUnlessStruct(btf, id),
    isPlain: (id) => isPlain(btf, id),
    addressOf: (name) => kernelAddress(btf, name),
  };
}

// --- Fields

const none = (message: string, errno: "EACCES" | "EINVAL" = "EACCES"): Field => ({
  kind: "none",
  errno,
  message,
});

/** Walks into nested structures and arrays to the member that an access touches. */
function fieldAt(btf: Btf, id: number, offset: number, size: number): Field {
  let [at, off, past] = [btf.resolve(id).id, offset, false];
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    const { type } = btf.resolve(at);
    if (type.kind !== "struct" && type.kind !== "union")
      return none(`Type '${btf.name(at)}' is not a struct`);
    const inside = type.members.find((member) => contains(btf, member, off, size));
    const beyond = off + size > type.size;
    const member = beyond ? flexibleArray(btf, type, off) : inside;
    if (member === undefined) {
      return beyond
        ? none(`access beyond struct ${type.name} at off ${off} size ${size}`)
        : none(`struct ${type.name} doesn't have field at offset ${off}`, "EINVAL");
    }
    past ||= beyond;
    const start = member.bitOffset >>> 3;
    const step = stepInto(btf, member, off - start);
    if (step === undefined) {
      const field = valueOf(btf, type, member, off, size);
      return past && field.kind === "found" ? { ...field, beyond: true } : field;
    }
    at = step.id;
    off = step.off;
  }
  return none("access beyond the deepest member");
}

/** Whether the first byte of an access is in the member. */
function contains(btf: Btf, { type, bitOffset, bitSize }: BtfMember, off: number, size: number): boolean {
  if (bitSize > 0) {
    // Numbers that hold part of a bit field, or several, may be read.
    const [first, last] = [bitOffset >>> 3, (bitOffset + bitSize + 7) >>> 3];
    return off < last && off + size > first;
  }
  const start = bitOffset >>> 3;
  return off >= start && off < start + btf.size(type);
}

/** A last member of no fixed length: it goes on behind the structure. */
function flexibleArray(btf: Btf, { members, size }: Aggregate, off: number): BtfMember | undefined {
  const last = members.at(-1);
  if (last === undefined || off < size) return undefined;
  const { type } = btf.resolve(last.type);
  return type.kind === "array" && type.length === 0 && off >= last.bitOffset >>> 3 ? last : undefined;
}

/** Where to go on if the member is a structure, or an array of such. */
function stepInto(
  btf: Btf,
  member: BtfMember,
  off: number,
): { readonly id: number; readonly off: number } | undefined {
  if (member.bitSize > 0) return undefined;
  let [{ id, type }, at] = [btf.resolve(member.type), off];
  for (let depth = 0; type.kind === "array" && depth < DEEPEST; depth += 1) {
    const element = btf.resolve(type.type);
    const size = btf.size(element.id);
    if (size === 0) return undefined;
    at %= size;
    ({ id, type } = element);
  }
  return type.kind === "struct" || type.kind === "union" ? { id, off: at } : undefined;
}

/** The member itself: a pointer has to be read whole. */
function valueOf(btf: Btf, struct: Aggregate, member: BtfMember, off: number, size: number): Field {
  const { name } = member;
  const start = member.bitOffset >>> 3;
  if (member.bitSize > 0) return { kind: "found", value: SCALAR, name };
  const element = elementOf(btf, member.type);
  const end = start + (btf.size(member.type) || Number.MAX_SAFE_INTEGER);
  if (btf.resolve(element).type.kind === "ptr") {
    if (size !== 8 || (off - start) % 8 !== 0) {
      return none(
        `cannot access ptr member ${name} with moff ${start} in struct ${struct.name} with off ${off} size ${size}`,
      );
    }
    return { kind: "found", value: pointerValue(btf, element), name };
  }
  if (off + size > end) {
    return none(
      `access beyond the end of member ${name} (mend:${end}) in struct ${struct.name} with off ${off} size ${size}`,
    );
  }
  return { kind: "found", value: SCALAR, name };
}

/** The innermost element type of an array, or the type itself. */
function elementOf(btf: Btf, id: number): number {
  let at = btf.resolve(id);
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    if (at.type.kind !== "array") break;
    at = btf.resolve(at.type.type);
  }
  return at.id;
}

/** What a pointer is to a program: a pointer to a structure, or a number. */
function pointerValue(btf: Btf, id: number): TypedValue {
  const { type } = btf.resolve(id);
  if (type.kind !== "ptr") return SCALAR;
  const target = btf.resolve(type.type);
  if (target.type.kind !== "struct" && target.type.kind !== "union") return SCALAR;
  return { kind: "pointer", struct: target.id, tags: tagsOf(btf, type.type) };
}

function tagsOf(btf: Btf, id: number): PointerTag[] {
  const tags: PointerTag[] = [];
  let type = btf.type(id);
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    if (!isModifier(type)) break;
    const tag = type.kind === "type_tag" ? type.name : "";
    tags.push(...TAGS.filter((known) => known === tag));
    type = btf.type(type.type);
  }
  return tags;
}

function holdsAt(btf: Btf, outer: number, offset: number, inner: number): boolean {
  let [at, off] = [btf.resolve(outer).id, offset];
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    if (off === 0 && at === inner) return true;
    const { type } = btf.resolve(at);
    if (type.kind !== "struct" && type.kind !== "union") return false;
    const member = type.members.find((each) => each.bitSize === 0 && contains(btf, each, off, 1));
    if (member === undefined) return false;
    const step = stepInto(btf, member, off - (member.bitOffset >>> 3));
    if (step === undefined) return false;
    at = step.id;
    off = step.off;
  }
  return false;
}

// --- Arguments

/** Attach types whose programs find behind the arguments what the function, or the program before, returned. */
const WITH_RESULT: ReadonlySet<string> = new Set(["trace_fexit", "modify_return", "lsm_mac", "lsm_cgroup"]);

function argumentsOf(btf: Btf, program: Attached): Arguments | undefined {
  const target = attachTarget(program, btf);
  if (target === undefined || "missing" in target) return undefined;
  const { id } = target;
  const proto = prototypeOf(btf, id);
  if (proto === undefined) return undefined;
  const tracepoint = btf.kind(id) === "typedef";
  // The kernel's log calls a tracepoint by the name that it has there.
  const name = tracepoint ? btf.name(id).replace(/^btf_trace_/, "") : btf.name(id);
  // The first parameter of a tracepoint's function is not the program's.
  const params = tracepoint ? proto.params.slice(1) : proto.params;
  const values = params.map(({ type }, index) => argumentValue(btf, type, name, index));
  if (!WITH_RESULT.has(program.attach ?? "")) return { name, values };
  const isVoid = btf.resolve(proto.type).type.kind === "void";
  return {
    name,
    values: [...values, isVoid ? SCALAR : argumentValue(btf, proto.type, name, params.length)],
    result: values.length,
  };
}

function prototypeOf(btf: Btf, id: number): BtfOf<"func_proto"> | undefined {
  let { type } = btf.resolve(id);
  if (type.kind === "func" || type.kind === "ptr") ({ type } = btf.resolve(type.type));
  return type.kind === "func_proto" ? type : undefined;
}

function argumentValue(btf: Btf, id: number, name: string, index: number): TypedValue | string {
  const { type } = btf.resolve(id);
  switch (type.kind) {
    case "int":
    case "enum":
    case "enum64":
      return SCALAR;
    case "ptr": {
      const target = btf.resolve(type.type).type;
      if (target.kind === "void" || target.kind === "int") return SCALAR;
      const value = pointerValue(btf, id);
      if (value.kind === "pointer") return value;
      return `func '${name}' arg${index} type ${target.kind.toUpperCase()} is not a struct`;
    }
    default:
      return `func '${name}' arg${index} has btf_id ${id} type ${type.kind.toUpperCase()} that is not supported`;
  }
}
