/** What a verifier may know of a program's own types, from its BTF. */
import type { MapField } from "../semantics/program/map-types.ts";
import { OBJECT_FIELDS, type OwnStruct, type OwnTypes } from "../semantics/program/own-types.ts";
import { type Btf, DEEPEST } from "./btf.ts";
import { kernelTypes } from "./kernel-types.ts";
import { valueFields } from "./value-fields.ts";

/** The program's structures, read as they are asked for. */
export function ownTypes(btf: Btf): OwnTypes {
  const { fieldAt } = kernelTypes(btf);
  const known = new Map<number, OwnStruct | undefined>();
  return (id) => {
    if (known.has(id)) return known.get(id);
    const type = id > 0 && id < btf.count ? btf.type(id) : undefined;
    const found: OwnStruct | undefined =
      type?.kind === "struct"
        ? {
            id,
            name: type.name,
            size: type.size,
            fields: keptFields(btf, id),
            numbers: holdsNumbers(btf, id, 0),
            owns: owned(btf, id),
            fieldAt: (offset, size) => fieldAt(id, offset, size),
          }
        : undefined;
    known.set(id, found);
    return found;
  };
}

/** What the kernel keeps in objects of the type: other fields of map values are bytes like any others there. */
function keptFields(btf: Btf, id: number): readonly MapField[] {
  const fields = valueFields(btf, id).filter(({ kind }) => OBJECT_FIELDS.has(kind));
  const { type } = btf.resolve(id);
  const members = type.kind === "struct" ? type.members : [];
  // The kernel looks for structures with such members, and finds what else is in them.
  const isLooked = members.some(
    (member) => valueFields(btf, member.type).some(isSought) && isItself(btf, member.type),
  );
  return isLooked ? fields : fields.filter(isSought);
}

const isSought = ({ kind }: MapField): boolean => OBJECT_FIELDS.has(kind) && kind !== "res_spin_lock";

/** Whether a member of the type is no more than the field in it. */
function isItself(btf: Btf, id: number): boolean {
  const type = btf.type(id);
  return type.kind === "ptr" || (type.kind === "struct" && type.name.startsWith("bpf_"));
}

function holdsNumbers(btf: Btf, id: number, depth: number): boolean {
  if (depth > DEEPEST) return false;
  const { type } = btf.resolve(id);
  switch (type.kind) {
    case "struct":
      return type.members.every((member) => holdsNumbers(btf, member.type, depth + 1));
    case "array":
      return holdsNumbers(btf, type.type, depth + 1);
    case "int":
    case "enum":
    case "enum64":
      return true;
    default:
      return false;
  }
}

/** The types of the objects that those of a type may own, directly or by others. */
function owned(btf: Btf, start: number): ReadonlySet<number> {
  const seen = new Set<number>();
  const pending = [start];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    for (const { struct, node } of keptFields(btf, id)) {
      const found = node?.struct ?? struct;
      if (found === undefined || seen.has(found)) continue;
      seen.add(found);
      pending.push(found);
    }
  }
  return seen;
}
