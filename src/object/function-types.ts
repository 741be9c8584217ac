/** The prototypes of a program's functions, from its BTF. */
import { InputError } from "../semantics/errors.ts";
import type {
  FunctionPrototype,
  NamedFunction,
  Parameter,
  ParameterType,
  Pointee,
} from "../semantics/program/prototype.ts";
import { type Btf, DEEPEST } from "./btf.ts";
import { type BtfKind, isModifier } from "./btf-types.ts";

const PREFIX = "arg:";

/** Tags by parameter, for each function that has any. */
type Tags = ReadonlyMap<number, ReadonlyMap<number, readonly string[]>>;

const CALLBACK = "exception_callback:";

/** What declaration tags say of functions: of their parameters, and the names of exception callbacks. */
interface FunctionTags {
  readonly parameters: Tags;
  readonly callbacks: ReadonlyMap<number, readonly string[]>;
}

const tagsOf = new WeakMap<Btf, FunctionTags>();

/** The declaration tags of all functions; BTF is looked through once. */
function functionTags(btf: Btf): FunctionTags {
  const known = tagsOf.get(btf);
  if (known !== undefined) return known;
  const parameters = new Map<number, Map<number, string[]>>();
  const callbacks = new Map<number, string[]>();
  for (let id = 1; id < btf.count; id += 1) {
    if (btf.kind(id) !== "decl_tag") continue;
    const type = btf.type(id);
    if (type.kind !== "decl_tag") continue;
    if (type.component === -1 && type.name.startsWith(CALLBACK)) {
      callbacks.set(type.type, [...(callbacks.get(type.type) ?? []), type.name.slice(CALLBACK.length)]);
    }
    if (type.component < 0 || !type.name.startsWith(PREFIX)) continue;
    const own = parameters.get(type.type) ?? new Map<number, string[]>();
    own.set(type.component, [...(own.get(type.component) ?? []), type.name.slice(PREFIX.length)]);
    parameters.set(type.type, own);
  }
  const found = { parameters, callbacks };
  tagsOf.set(btf, found);
  return found;
}

/** The first function of a name. */
function functionNamed(btf: Btf, name: string): NamedFunction {
  for (let id = 1; id < btf.count; id += 1) {
    if (btf.kind(id) !== "func") continue;
    const type = btf.type(id);
    if (type.kind === "func" && type.name === name) return { name, typeId: id, linkage: type.linkage };
  }
  return { name };
}

/** The prototype of the function with an id; `undefined` if the id is of no function with a prototype. */
export function functionPrototype(btf: Btf, id: number): FunctionPrototype | undefined {
  const type = id < btf.count ? btf.type(id) : undefined;
  const proto = type?.kind === "func" && type.type < btf.count ? btf.type(type.type) : undefined;
  if (proto?.kind !== "func_proto") return undefined;
  const { parameters, callbacks } = functionTags(btf);
  const tags = parameters.get(id);
  const named = callbacks.get(id)?.map((name) => functionNamed(btf, name));
  const returns = btf.resolve(proto.type).type.kind;
  return {
    parameters: proto.params.map(
      (param, index): Parameter => ({ type: parameterType(btf, param.type), tags: tags?.get(index) ?? [] }),
    ),
    returns: isScalar(returns) ? "scalar" : returns === "void" ? "void" : "other",
    ...(named === undefined ? {} : { exceptionCallbacks: named }),
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
