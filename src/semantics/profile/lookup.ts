/** Questions to a profile. Answers about one profile are computed once and kept beside it. */
import type { Size } from "../isa/instruction.ts";
import type { MapType } from "../program/map-types.ts";
import type { Program } from "../program/program.ts";
import { ATTACH_TYPES, type ProgramType } from "../program/program-types.ts";
import type {
  Allowance,
  Context,
  ContextField,
  FunctionTargets,
  HelperFacts,
  KfuncFacts,
  Profile,
  ProgramFacts,
  Prototype,
  TargetFacts,
  TargetReturns,
  Wording,
} from "./profile.ts";

/** What decides a program's rights. */
export type ProgramKind = Pick<Program, "type" | "flags" | "attach" | "target">;

/**
 * The key of `Profile.programs`: `xdp`, `xdp/xdp_devmap`, `kprobe+sleepable`.
 * @param attach  the attach type, or the callback of a `struct_ops` program
 */
export function kindName(type: ProgramType, attach: string | undefined, sleepable: boolean): string {
  return `${type}${attach === undefined ? "" : `/${attach}`}${sleepable ? "+sleepable" : ""}`;
}

/** The structure and its member that a `struct_ops` program stands for. */
export function callbackOf({
  type,
  target,
}: Pick<Program, "type" | "target">): { readonly struct: string; readonly member: string } | undefined {
  if (type !== "struct_ops") return undefined;
  const [struct, member, ...rest] = target?.split("/") ?? [];
  return struct === undefined || member === undefined || rest.length > 0 ? undefined : { struct, member };
}

/**
 * The facts for a program: those of its attach type where they differ from the type's, else the type's. `undefined` if the kernel loads
 * no such programs, or they were not probed.
 */
export function programFacts(profile: Profile, program: ProgramKind): ProgramFacts | undefined {
  const facts = kindFacts(profile, program);
  const { attach, target } = program;
  const returns =
    attach === undefined || target === undefined ? undefined : profile.targets?.[attach]?.returns?.[target];
  return facts === undefined || returns === undefined ? facts : withReturns(facts, returns);
}

/** Whether the profile's kernel was asked about what the program attaches to; true where targets do not differ. */
export function knowsTarget(
  profile: Profile,
  { attach, target }: Pick<Program, "attach" | "target">,
): boolean {
  const facts = attach === undefined ? undefined : profile.targets?.[attach];
  if (facts === undefined || target === undefined) return true;
  let names = KNOWN_TARGETS.get(facts);
  if (names === undefined) {
    names = new Set(facts.known.split(" "));
    KNOWN_TARGETS.set(facts, names);
  }
  return names.has(target);
}

const KNOWN_TARGETS = new WeakMap<TargetFacts, ReadonlySet<string>>();

/** Programs of a kind whose targets want other results, by what the kind's facts are: the same object each time. */
const OTHER_RETURNS = new WeakMap<ProgramFacts, Map<string, ProgramFacts>>();

function withReturns(facts: ProgramFacts, returns: TargetReturns): ProgramFacts {
  const known = OTHER_RETURNS.get(facts) ?? new Map<string, ProgramFacts>();
  OTHER_RETURNS.set(facts, known);
  const found = known.get(String(returns));
  if (found !== undefined) return found;
  const { returns: _, ...rest } = facts;
  const made = returns === "any" ? rest : { ...rest, returns };
  known.set(String(returns), made);
  return made;
}

/** What was asked last: who asks about a program asks many times. */
let asked:
  | { readonly profile: Profile; readonly program: ProgramKind; readonly facts: ProgramFacts | undefined }
  | undefined;

function kindFacts(profile: Profile, program: ProgramKind): ProgramFacts | undefined {
  const { type, attach, flags, target } = program;
  if (
    asked?.profile === profile &&
    asked.program.type === type &&
    asked.program.attach === attach &&
    asked.program.target === target &&
    asked.program.flags === flags
  )
    return asked.facts;
  const facts = lookUpKind(profile, program);
  asked = { profile, program, facts };
  return facts;
}

function lookUpKind(profile: Profile, program: ProgramKind): ProgramFacts | undefined {
  const { type, attach, flags } = program;
  const { programs, attachTypes, callbacks } = profile;
  const sleepable = flags.includes("sleepable");
  const callback = callbackOf(program);
  if (callback !== undefined && callbacks !== undefined) {
    const kinds = callbacks[callback.struct]?.[callback.member];
    return programs[(sleepable ? kinds?.sleepable : kinds?.plain) ?? ""];
  }
  // The attach type of number 0 is the same as none.
  const expected = attach === ATTACH_TYPES[0] ? undefined : attach;
  const own = programs[kindName(type, expected, sleepable)];
  if (own !== undefined || expected === undefined) return own;
  const known = attachTypes[type];
  const loads = known === "any" || known?.includes(expected) === true;
  return loads ? programs[kindName(type, undefined, sleepable)] : undefined;
}

/** The context behind r1; `undefined` if r1 points to the arguments of what the program attaches to, or the type was not probed. */
export function contextFor(profile: Profile, program: ProgramKind): Context | undefined {
  const name = programFacts(profile, program)?.context;
  return name === undefined ? undefined : profile.contexts[name];
}

/** The field that an access of `size` bytes at `offset` may touch, or `undefined` if the kernel forbids the access. */
export function fieldAt(
  context: Context,
  access: "read" | "write",
  offset: number,
  size: Size,
): ContextField | undefined {
  if (offset % size !== 0 && context.anyAlignment !== true) return undefined;
  return context.fields.find(
    (f) =>
      offset >= f.offset &&
      offset + size <= f.offset + f.size &&
      (access === "read" ? f.reads : f.writes).includes(size),
  );
}

// --- Helpers

/** `everybody`: programs of any license. */
export type Permission = "everybody" | "gpl_only" | "forbidden";

export interface HelperCall {
  readonly helper: HelperFacts;
  readonly permission: Permission;
  /** The form that programs of the kind get; `undefined` if they may not call the helper, or it is not known which. */
  readonly prototype: Prototype | undefined;
}

interface Indexed {
  readonly helpers: ReadonlyMap<number, HelperFacts>;
  readonly kfuncs: ReadonlyMap<string, KfuncFacts>;
  readonly permissions: Map<ProgramFacts, ReadonlyMap<number, Permission>>;
}

const indices = new WeakMap<Profile, Indexed>();

function indexOf(profile: Profile): Indexed {
  let index = indices.get(profile);
  if (index === undefined) {
    index = {
      helpers: new Map(profile.helpers.map((helper) => [helper.id, helper])),
      kfuncs: new Map(profile.kfuncs.map((kfunc) => [kfunc.name, kfunc])),
      permissions: new Map(),
    };
    indices.set(profile, index);
  }
  return index;
}

/** The kernel's facts about a helper; `undefined` if it has none of that number. */
export function helperFacts(profile: Profile, id: number): HelperFacts | undefined {
  return indexOf(profile).helpers.get(id);
}

/** What a call of a helper is to programs with the given facts; `undefined` if the kernel has no such helper. */
export function helperCall(profile: Profile, facts: ProgramFacts, id: number): HelperCall | undefined {
  const { helpers, permissions } = indexOf(profile);
  const helper = helpers.get(id);
  if (helper === undefined) return undefined;
  let known = permissions.get(facts);
  if (known === undefined) {
    known = new Map([
      ...idsOf(facts.helpers.everybody).map((allowed): [number, Permission] => [allowed, "everybody"]),
      ...idsOf(facts.helpers.gplOnly).map((allowed): [number, Permission] => [allowed, "gpl_only"]),
    ]);
    permissions.set(facts, known);
  }
  const permission = known.get(id) ?? "forbidden";
  const which = facts.helpers.prototypes?.[id] ?? 0;
  return { helper, permission, prototype: permission === "forbidden" ? undefined : helper.prototypes[which] };
}

/** Whether a helper takes a map of the type; also of a helper that takes no map at all. */
export function helperTakesMap({ maps }: HelperFacts, type: MapType): boolean {
  return maps === undefined || maps.includes(type);
}

/** The ids in `1-3 7`. */
export function idsOf(ranges: string): number[] {
  return ranges.split(" ").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return range === "" || first === undefined || last === undefined
      ? []
      : Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** `1-3 7` for ascending ids. */
export function rangesOf(ids: readonly number[]): string {
  const found: [number, number][] = [];
  for (const id of ids) {
    const last = found.at(-1);
    if (last !== undefined && last[1] + 1 === id) last[1] = id;
    else found.push([id, id]);
  }
  return found.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(" ");
}

// --- The rest

/** A kernel function; `undefined` if the kernel has none of that name for programs. */
export function kfuncFacts(profile: Profile, name: string): KfuncFacts | undefined {
  return indexOf(profile).kfuncs.get(name);
}

/** Whether programs of a kind may call a kernel function at all. */
export function mayCallKfunc(
  { callers }: Profile,
  { type, attach, callback, sleepable }: Pick<ProgramFacts, "type" | "attach" | "callback" | "sleepable">,
  kfunc: KfuncFacts,
): boolean {
  const group = callers[kfunc.callers] ?? [];
  return group.includes(type) || group.includes(kindName(type, attach ?? callback, sleepable === true));
}

/** Whether the kernel knows the instruction of that name in the instruction table. */
export function knowsInstruction(profile: Profile, name: string): boolean {
  return !profile.unknownInstructions.includes(name);
}

/** Whether the kernel accepts what others refuse. */
export function allows(profile: Profile, what: Allowance): boolean {
  return profile.allows.includes(what);
}

/** Whether the kernel says it in the other way. */
export function says(profile: Profile, what: Wording): boolean {
  return profile.words.includes(what);
}

const FUNCTIONS = new WeakMap<FunctionTargets, Map<string, ReadonlySet<string>>>();

/** Whether a function of the kernel is among those of which the profile says something; false if it says nothing of functions. */
export function isFunction({ functions }: Profile, what: keyof FunctionTargets, name: string): boolean {
  if (functions === undefined) return false;
  const lists = FUNCTIONS.get(functions) ?? new Map<string, ReadonlySet<string>>();
  FUNCTIONS.set(functions, lists);
  const list = lists.get(what) ?? new Set(functions[what].split(" "));
  lists.set(what, list);
  return list.has(name);
}
