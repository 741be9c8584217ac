/**
 * What types of BTF come to: the kernel's walk over all types, in its order, with a stack of those that wait for others. A type that is waited for by itself is a loop; pointers end the
 * walk from structures, and structures the walk from pointers.
 */
import { Unsupported } from "../../semantics/errors.ts";
import { E2BIG, EEXIST, EINVAL } from "../../vm/errno.ts";
import type { Names } from "./form.ts";
import { memberProblem } from "./members.ts";
import {
  hasOwnSize,
  isComposite,
  isModifier,
  isNoValueType,
  isRegular,
  isTagged,
  isWithoutSize,
  memberOf,
  needsResolution,
  type Resolved,
  type Sized,
  type Type,
  VOID,
} from "./types.ts";

const MOST_WAITING = 32;
const POINTER_SIZE = 8;
const MOST_SIZE = 0xffff_ffff;
/** A tag that is about the whole of its target. */
const WHOLE = 0xffff_ffff;

interface Waiting {
  readonly id: number;
  readonly type: Type;
  /** The next member to look at. */
  next: number;
}

/** What a look at a type comes to: it waits for another one, is resolved, or is wrong. */
type Outcome = { readonly wait: number; readonly next?: number } | "done" | number;

export class Resolution implements Resolved {
  readonly #types: readonly Type[];
  readonly #names: Names;
  readonly #visited = new Set<number>();
  readonly #resolved = new Map<number, { readonly to: number; readonly size: number }>();
  #stack: Waiting[] = [];
  #mode: "open" | "pointer" | "structure" = "open";

  /** @param types  by id from 1 on, of which each is in form */
  constructor(types: readonly Type[], names: Names) {
    this.#types = types;
    this.#names = names;
  }

  /** The type of an id; void for 0. */
  type(id: number): Type | undefined {
    return id === 0 ? VOID : this.#types[id - 1];
  }

  hasName(at: number): boolean {
    return this.#names.exists(at);
  }

  /** The type that has a size, behind names and qualifiers. */
  sized(id: number): Sized | undefined {
    const first = this.#sizedItself(id);
    if (first !== "elsewhere") return first;
    const behind = this.#sizedItself(this.#behind(id));
    return behind === "elsewhere" ? undefined : behind;
  }

  #sizedItself(id: number): Sized | undefined | "elsewhere" {
    const type = this.type(id);
    if (type === undefined || isWithoutSize(type)) return undefined;
    if (hasOwnSize(type)) return { id, type, size: type.size };
    if (type.kind === "ptr") return { id, type, size: POINTER_SIZE };
    if (type.kind === "array") return { id, type, size: this.#resolved.get(id)?.size ?? 0 };
    return "elsewhere";
  }

  /** What a type was resolved to: void where it has not been. */
  #behind(id: number): number {
    return this.#resolved.get(id)?.to ?? 0;
  }

  /** The type behind a name or qualifier that has been resolved. */
  behind(id: number): Type | undefined {
    return this.type(this.#behind(id));
  }

  /** Looks at all types. Returns 0 or a negative error number. */
  check(): number {
    for (const [index, type] of this.#types.entries()) {
      const id = index + 1;
      const wrong = this.#resolveOnce(id, type);
      if (wrong !== 0) return wrong;
      if (type.kind === "func_proto" && !this.#isPrototype(type)) return this.#wrong;
    }
    return this.#types.some((type) => this.#hasLateTag(type)) ? EINVAL : 0;
  }

  #resolveOnce(id: number, type: Type): number {
    return needsResolution(type) && !this.#resolved.has(id) ? this.#resolve(id, type) : 0;
  }

  #resolve(id: number, type: Type): number {
    this.#mode = "open";
    // What waited when something was wrong ends the whole.
    this.#stack = [];
    let wrong = this.#push(id, type);
    for (let top = this.#stack.at(-1); wrong === 0 && top !== undefined; top = this.#stack.at(-1)) {
      const outcome = this.#look(top);
      if (typeof outcome === "number") wrong = outcome;
      else if (outcome === "done") this.#stack.pop();
      else {
        if (outcome.next !== undefined) top.next = outcome.next;
        wrong = this.#push(outcome.wait, this.type(outcome.wait) ?? VOID);
      }
    }
    if (wrong !== 0) return wrong;
    return this.#endsWell(id, type) ? 0 : EINVAL;
  }

  #push(id: number, type: Type): number {
    if (this.#stack.length === MOST_WAITING) return E2BIG;
    if (this.#visited.has(id)) return EEXIST;
    this.#visited.add(id);
    this.#stack.push({ id, type, next: 0 });
    if (this.#mode === "open") {
      if (type.kind === "ptr") this.#mode = "pointer";
      else if (isComposite(type) || type.kind === "array") this.#mode = "structure";
    }
    return 0;
  }

  /** Whether the walk goes no further at such a type. */
  #isEnd(type: Type): boolean {
    switch (this.#mode) {
      case "open":
        return !needsResolution(type);
      case "pointer":
        return !isModifier(type) && type.kind !== "ptr";
      case "structure":
        return !isModifier(type) && type.kind !== "array" && !isComposite(type);
    }
  }

  #mustWait(id: number, type: Type): boolean {
    return !this.#isEnd(type) && !this.#resolved.has(id);
  }

  #done(id: number, to: number, size = 0): "done" {
    this.#resolved.set(id, { to, size });
    return "done";
  }

  #look(waiting: Waiting): Outcome {
    const { type, id } = waiting;
    switch (type.kind) {
      case "struct":
      case "union":
        return this.#lookAtMembers(waiting);
      case "array":
        return this.#lookAtArray(id, type);
      case "datasec":
        return this.#lookAtVariables(waiting);
      case "func":
        return this.#isFunction(type) ? this.#done(id, type.size) : EINVAL;
      case "decl_tag":
        return this.#lookAtTag(id, type);
      default:
        return this.#lookAtReference(id, type);
    }
  }

  /** Names, qualifiers, pointers and variables. */
  #lookAtReference(id: number, { kind, size: to }: Type): Outcome {
    const next = this.type(to);
    if (next === undefined || isNoValueType(next)) return EINVAL;
    if (this.#mustWait(to, next)) return { wait: to };
    if ((kind === "ptr" || kind === "var") && isModifier(next)) {
      // It may have been resolved from a structure, where pointers end the walk.
      const further = this.#behind(to);
      const pointer = this.type(further);
      if (pointer?.kind === "ptr" && this.#mustWait(further, pointer)) return { wait: further };
    }
    const sized = this.sized(to);
    if (kind === "var") return sized === undefined ? EINVAL : this.#done(id, sized.id, sized.size);
    if (sized !== undefined) return this.#done(id, sized.id);
    const behind = this.#resolved.has(to) ? this.#behind(to) : to;
    const last = this.type(behind);
    const mayBeWithout = last?.kind === "void" || last?.kind === "fwd" || last?.kind === "func_proto";
    return mayBeWithout ? this.#done(id, behind) : EINVAL;
  }

  #lookAtArray(id: number, { words: [element = 0, index = 0, count = 0] }: Type): Outcome {
    for (const part of [index, element]) {
      const type = this.type(part);
      if (type === undefined || isWithoutSize(type) || isNoValueType(type)) return EINVAL;
      if (this.#mustWait(part, type)) return { wait: part };
      const sized = this.sized(part);
      if (sized === undefined) return EINVAL;
      const { kind } = sized.type;
      if (part === index && kind !== "int") return EINVAL;
      if (kind === "int" && !isRegular(sized.type)) return EINVAL;
    }
    const sized = this.sized(element);
    if (sized === undefined || sized.size * count > MOST_SIZE) return EINVAL;
    return this.#done(id, sized.id, sized.size * count);
  }

  #lookAtMembers(waiting: Waiting): Outcome {
    const { id, type, next } = waiting;
    if (next > 0) {
      const wrong = memberProblem(this, type, memberOf(type, next - 1));
      if (wrong !== 0) return wrong;
    }
    for (let index = next; index < type.count; index += 1) {
      const member = memberOf(type, index);
      const of = this.type(member.type);
      if (of === undefined || isWithoutSize(of) || isNoValueType(of)) return EINVAL;
      if (this.#mustWait(member.type, of)) return { wait: member.type, next: index + 1 };
      const wrong = memberProblem(this, type, member);
      if (wrong !== 0) return wrong;
    }
    return this.#done(id, 0);
  }

  #lookAtVariables({ id, type, next }: Waiting): Outcome {
    this.#mode = "open";
    for (let index = next; index < type.count; index += 1) {
      const [variable = 0, , length = 0] = type.words.slice(3 * index, 3 * index + 3);
      const of = this.type(variable);
      if (of?.kind !== "var") return EINVAL;
      if (this.#mustWait(variable, of)) return { wait: variable, next: index + 1 };
      const sized = this.sized(of.size);
      if (sized === undefined || length < sized.size) return EINVAL;
    }
    return this.#done(id, 0);
  }

  #lookAtTag(id: number, { size: to, words: [component = 0] }: Type): Outcome {
    const target = this.type(to);
    if (target === undefined || !isTagged(target)) return EINVAL;
    if (this.#mustWait(to, target)) return { wait: to };
    if (component === WHOLE) return this.#done(id, to);
    if (target.kind === "var" || target.kind === "typedef") return EINVAL;
    const parts = target.kind === "func" ? this.type(target.size) : target;
    return component < (parts?.count ?? 0) ? this.#done(id, to) : EINVAL;
  }

  /** A function's prototype names all its parameters, but for what stands for further ones. */
  #isFunction({ size }: Type): boolean {
    const prototype = this.type(size);
    if (prototype?.kind !== "func_proto") return false;
    return parameters(prototype).every(({ name, type }) => name !== 0 || type === 0);
  }

  /** What was wrong with a prototype. */
  #wrong: number = EINVAL;

  #isPrototype(type: Type): boolean {
    const { size: result } = type;
    this.#wrong = EINVAL;
    if (result !== 0 && !this.#isValue(result)) return false;
    const given = parameters(type);
    const last = given.at(-1);
    if (last?.type === 0) {
      if (last.name !== 0) return false;
      given.pop();
    }
    for (const { name, type: of } of given) {
      const target = this.type(of);
      if (target === undefined || isNoValueType(target)) return false;
      if (name !== 0 && !(this.#names.exists(name) && this.#names.isIdentifier(name))) return false;
      if (!this.#isValue(of)) return false;
    }
    return true;
  }

  #isValue(id: number): boolean {
    const type = this.type(id);
    if (type === undefined || isNoValueType(type)) return false;
    this.#wrong = this.#resolveOnce(id, type);
    if (this.#wrong !== 0) return false;
    this.#wrong = EINVAL;
    return this.sized(id) !== undefined;
  }

  /** What Linux looks at again when a type has been resolved. */
  #endsWell(id: number, type: Type): boolean {
    if (!this.#resolved.has(id)) return false;
    if (type.kind === "func" || type.kind === "decl_tag") return this.#behind(id) !== 0;
    if (isModifier(type) || type.kind === "ptr" || type.kind === "var") {
      const behind = this.behind(id);
      return (
        behind !== undefined && !isModifier(behind) && behind.kind !== "var" && behind.kind !== "datasec"
      );
    }
    return true;
  }

  /** Tags of types come before qualifiers and names. */
  #hasLateTag(first: Type): boolean {
    let tagging = first.kind === "type_tag";
    let type: Type | undefined = first;
    while (type !== undefined && isModifier(type)) {
      if (type.kind !== "type_tag") tagging = false;
      else if (!tagging) return true;
      type = this.type(type.size);
    }
    return false;
  }
}

function parameters({ words, count }: Type): { readonly name: number; readonly type: number }[] {
  return Array.from({ length: count }, (_, index) => ({
    name: words[2 * index] ?? 0,
    type: words[2 * index + 1] ?? 0,
  }));
}

/** Structures that mean something to the kernel where a map's value has them, and pointers that a value keeps. */
const SPECIAL = /^bpf_/;
const KEPT = ["kptr_untrusted", "kptr", "percpu_kptr", "uptr"];

/** @throws Unsupported  for types that the kernel notes for more than their form */
export function refuseSpecial(types: readonly Type[], names: Names): void {
  for (const { kind, name } of types) {
    const text = names.at(name);
    if (kind === "struct" && SPECIAL.test(text)) throw new Unsupported(`btf_load: struct ${text}`);
    if (kind === "type_tag" && KEPT.includes(text)) throw new Unsupported(`btf_load: the tag ${text}`);
  }
}
