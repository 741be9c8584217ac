/** The prototypes of a program's functions, from its BTF. */
import { InputError } from "../semantics/errors.ts";
import type { FunctionPrototype, Parameter, ParameterType, Pointee } from "../semantics/program/prototype.ts";
import { type Btf, DEEPEST } from "./btf.ts";
import { type BtfKind, isModifier } from "./btf-types.ts";

const PREFIX = "arg:";

/** `tags` by parameter, for each function that has any. */
type Tags = ReadonlyMap<number, ReadonlyMap<number, readonly string[]>>;

const tagsOf = new WeakMap<Btf, Tags>();

/** The declaration tags of all parameters; BTF is looked through once. */
function parameterTags(btf: Btf): Tags {
  const known = tagsOf.get(btf);
  if (known !== undefined) return known;
  const found = new Map<number, Map<number, string[]>>();
  for (let id = 1; id < btf.count; id += 1) {
    if (btf.kind(id) !== "decl_tag") continue;
    const type = btf.type(id);
    if (type.kind !== "decl_tag" || type.component < 0 || !type.name.startsWith(PREFIX)) continue;
    const own = found.get(type.type) ?? new Map<number, string[]>();
    own.set(type.component, [...(own.get(type.component) ?? []), type.name.slice(PREFIX.length)]);
    found.set(type.type, own);
  }
  tagsOf.set(btf, found);
  return found;
}

/** The prototype of the function with an id; `undefined` if the id is of no function with a prototype. */
export function functionPrototype(btf: Btf, id: number): FunctionPrototype | undefined {
  const type = id < btf.count ? btf.type(id) : undefined;
  const proto = type?.kind === "func" && type.type < btf.count ? btf.type(type.type) : undefined;
  if (proto?.kind !== "func_proto") return undefined;
  const tags = parameterTags(btf).get(id);
  const returns = btf.resolve(proto.type).type.kind;
  return {
    parameters: proto.params.map(
      (param, index): Parameter => ({ type: parameterType(btf, param.type), tags: tags?.get(index) ?? [] }),
    ),
    returns: isScalar(returns) ? "scalar" : returns === "void" ? "void" : "other",
  };
}

const isScalar = (kind: BtfKind): boolean => kind === "int" || kind === "enum" || kind === "enum64";

/** As the kernel prints kinds. */
const kindText = (kind: BtfKind): string => (kind === "void" ? "UNKNOWN" : kind.toUpperCase());

function parameterType(btf: Btf, id: number): ParameterType {
  const { type } = btf.resolve(id);
  if (isScalar(type.kind)) return { kind: "scalar" };
  if (type.kind !== "ptr") return { kind: "other", type: kindText(type.kind) };
  return { kind: "pointer", to: pointee(btf, type.type) };
}

function pointee(btf: Btf, id: number): Pointee {
  const target = btf.resolve(id);
  const size = sizeOf(btf, target.id);
  const typedef = outermostTypedef(btf, id);
  return {
    kind: kindText(target.type.kind),
    name: target.type.kind === "void" ? "" : btf.name(target.id),
    ...(typedef === undefined ? {} : { typedef }),
    ...(size === undefined ? {} : { size }),
  };
}

function sizeOf(btf: Btf, id: number): number | undefined {
  try {
    return btf.size(id);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function outermostTypedef(btf: Btf, id: number): string | undefined {
  let type = btf.type(id);
  for (let depth = 0; depth < DEEPEST && isModifier(type); depth += 1) {
    if (type.kind === "typedef") return type.name;
    type = btf.type(type.type);
  }
  return undefined;
}
