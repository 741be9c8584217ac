/**
 * When a type of the program and a type of the kernel count as the same for CO-RE: loosely for fields and for "does this type exist", by
 * names and members for "does this type match". Source: libbpf's rules, as Documentation/bpf/libbpf/libbpf_overview.rst and the macros of
 * bpf_core_read.h describe them, and as the running kernel's own libbpf users rely on them.
 */
import { type Btf, DEEPEST } from "./btf.ts";
import { type BtfKind, type BtfMember, type BtfOf, type BtfType, essentialName } from "./btf-types.ts";

export function nameOf(type: BtfType): string {
  return "name" in type ? type.name : "";
}

export function isComposite(type: BtfType): type is BtfOf<"struct" | "union"> {
  return type.kind === "struct" || type.kind === "union";
}

export function isEnum(type: BtfType): type is BtfOf<"enum" | "enum64"> {
  return type.kind === "enum" || type.kind === "enum64";
}

/** Both widths of enumeration are one kind here. */
export function sameKind(a: BtfKind, b: BtfKind): boolean {
  const one = (kind: BtfKind): BtfKind => (kind === "enum64" ? "enum" : kind);
  return one(a) === one(b);
}

/** Two types, each in its own BTF. */
export class Pair {
  readonly local: Btf;
  readonly target: Btf;
  readonly #answers = new Map<string, boolean>();

  constructor(local: Btf, target: Btf) {
    this.local = local;
    this.target = target;
  }

  /** Whether a member of the one type may be read as a member of the other: structures always, numbers whatever their size. */
  fieldsCompatible(local: number, target: number, depth = 0): boolean {
    if (depth > DEEPEST) return false;
    const a = this.local.resolve(local).type;
    const b = this.target.resolve(target).type;
    if (isComposite(a) && isComposite(b)) return true;
    if (!sameKind(a.kind, b.kind)) return false;
    if (a.kind === "ptr" || a.kind === "float") return true;
    if (a.kind === "int" && b.kind === "int") return a.bitOffset === 0 && b.bitOffset === 0;
    if (a.kind === "array" && b.kind === "array") return this.fieldsCompatible(a.type, b.type, depth + 1);
    if (isEnum(a) || a.kind === "fwd") return sameNameOrNone(nameOf(a), nameOf(b));
    return false;
  }

  /** Whether the kernel has such a type: the same kinds all the way, whatever the members. Names have been compared before. */
  typesCompatible(local: number, target: number, depth = 0): boolean {
    return this.#once(`compatible ${local} ${target}`, () => this.#typesCompatible(local, target, depth));
  }

  #typesCompatible(local: number, target: number, depth: number): boolean {
    if (depth === 0 && !sameKind(this.local.kind(local), this.target.kind(target))) return false;
    if (depth > DEEPEST) return false;
    const a = this.local.resolve(local).type;
    const b = this.target.resolve(target).type;
    if (!sameKind(a.kind, b.kind)) return false;
    if (a.kind === "int" && b.kind === "int") return a.bitOffset === 0 && b.bitOffset === 0;
    if (a.kind === "ptr" && b.kind === "ptr") return this.typesCompatible(a.type, b.type, depth + 1);
    if (a.kind === "array" && b.kind === "array") return this.typesCompatible(a.type, b.type, depth + 1);
    if (a.kind === "func_proto" && b.kind === "func_proto") {
      return this.#prototypes(a, b, (one, other) => this.typesCompatible(one, other, depth + 1));
    }
    return isComposite(a) || isEnum(a) || a.kind === "fwd" || a.kind === "void";
  }

  /** Whether the kernel's type has all that the local one has: names, members and their types; behind a pointer, names alone. */
  typesMatch(local: number, target: number, behindPointer = false, depth = 0): boolean {
    const key = `match ${local} ${target} ${behindPointer}`;
    return this.#once(key, () => this.#typesMatch(local, target, behindPointer, depth));
  }

  #typesMatch(local: number, target: number, behindPointer: boolean, depth: number): boolean {
    if (depth > DEEPEST) return false;
    const a = this.local.resolve(local).type;
    const b = this.target.resolve(target).type;
    if (!sameEssentialName(nameOf(a), nameOf(b))) return false;
    if (a.kind === "fwd") {
      if (b.kind === "fwd") return a.union === b.union;
      return behindPointer && b.kind === (a.union ? "union" : "struct");
    }
    if (isEnum(a)) return isEnum(b) && a.values.length <= b.values.length && everyNameOf(a.values, b.values);
    if (isComposite(a)) {
      if (behindPointer && b.kind === "fwd") return b.union === (a.kind === "union");
      if (!isComposite(b) || a.kind !== b.kind) return false;
      return behindPointer || this.#members(a.members, b.members, depth);
    }
    if (a.kind === "int" && b.kind === "int") return a.size === b.size && a.signed === b.signed;
    if (a.kind === "ptr" && b.kind === "ptr") return this.typesMatch(a.type, b.type, true, depth + 1);
    if (a.kind === "array" && b.kind === "array") {
      return a.length === b.length && this.typesMatch(a.type, b.type, behindPointer, depth + 1);
    }
    if (a.kind === "func_proto" && b.kind === "func_proto") {
      return this.#prototypes(a, b, (one, other) => this.typesMatch(one, other, false, depth + 1));
    }
    return a.kind === "void" && b.kind === "void";
  }

  /** Types share parts, so that comparing them anew each time could take forever. */
  #once(key: string, compare: () => boolean): boolean {
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = compare();
    this.#answers.set(key, answer);
    return answer;
  }

  #members(local: readonly BtfMember[], target: readonly BtfMember[], depth: number): boolean {
    if (local.length > target.length) return false;
    return local.every((member) =>
      target.some(
        (other) =>
          sameEssentialName(member.name, other.name) &&
          this.typesMatch(member.type, other.type, false, depth + 1),
      ),
    );
  }

  #prototypes(
    a: BtfOf<"func_proto">,
    b: BtfOf<"func_proto">,
    same: (one: number, other: number) => boolean,
  ): boolean {
    if (a.params.length !== b.params.length) return false;
    return (
      a.params.every((param, index) => same(param.type, b.params[index]?.type ?? 0)) && same(a.type, b.type)
    );
  }
}

function sameEssentialName(local: string, target: string): boolean {
  return essentialName(local) === essentialName(target);
}

function sameNameOrNone(local: string, target: string): boolean {
  return local === "" || target === "" || sameEssentialName(local, target);
}

function everyNameOf(
  local: readonly { readonly name: string }[],
  target: readonly { readonly name: string }[],
): boolean {
  const names = new Set(target.map(({ name }) => essentialName(name)));
  return local.every(({ name }) => names.has(essentialName(name)));
}
