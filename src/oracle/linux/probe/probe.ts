/**
 * Learns from a kernel what programs may do: a profile. By programs that differ in one thing, of which the kernel's verifier says yes or no and
 * why, from its BTF, and from its own data about helpers and kernel functions.
 */
import { type Btf, readBtf } from "../../../object/btf.ts";
import { InputError } from "../../../semantics/errors.ts";
import { HELPER_NAMES } from "../../../semantics/helpers/names.ts";
import { kindName, rangesOf } from "../../../semantics/profile/lookup.ts";
import type {
  Context,
  HelperFacts,
  HelperSet,
  Limits,
  Profile,
  ProgramFacts,
  Prototype,
} from "../../../semantics/profile/profile.ts";
import type { MapType } from "../../../semantics/program/map-types.ts";
import { type AttachType, PROGRAM_TYPES } from "../../../semantics/program/program-types.ts";
import type { Kernel } from "../calls.ts";
import { KERNEL_BTF } from "../object-options.ts";
import { probeAllowances } from "./allowances.ts";
import { asAnyLoader } from "./any-loader.ts";
import { type Ask, all, answer, type ProbeProgress } from "./ask.ts";
import {
  type Callback,
  callbackTable,
  probeCallbackContext,
  probeCallbacks,
  probeNoResult,
  probeWrites,
} from "./callbacks.ts";
import { probeCapabilities } from "./capabilities.ts";
import { probeArguments, probeContext, probePacket, probeStoresImmediate } from "./contexts.ts";
import { probeFunctions } from "./functions.ts";
import {
  byName,
  type KnownKind,
  type MapsTaken,
  ownPrototypes,
  probeChangesPacket,
  probeMaps,
  type Resolver,
  resolve,
} from "./helpers.ts";
import { probeInstructions, probeLimits } from "./instructions.ts";
import { kfuncTable } from "./kfunc-table.ts";
import { mayCall, readKfuncSets } from "./kfuncs.ts";
import { createMaterials, type Materials, mapFacts, probeMapStructs } from "./maps.ts";
import { openMemory, readSymbols } from "./memory.ts";
import { type Permissions, probeForbiddenMaps, probeHelpers, probeReturns } from "./permissions.ts";
import { type Kind, kindsOf, type TypeKinds } from "./program.ts";
import { readPrototypes } from "./prototypes.ts";
import { probeSockets } from "./sockets.ts";
import { probePrivateFrame, probePrivateStack, probeUninitialisedStack } from "./stack.ts";
import { probeTargets } from "./target-facts.ts";
import { type TargetKind, targetKinds } from "./targets.ts";
import { probeWords } from "./words.ts";

/** A kind with all that is learnt of it. */
interface Learnt extends KnownKind {
  readonly name: string;
  /** The context of its type; absent if its arguments are those of what it attaches to. */
  readonly own?: Context;
  /** Other ways to load programs of the kind. */
  readonly others: readonly KnownKind[];
  readonly permissions: Permissions;
  readonly returns: ProgramFacts["returns"];
  readonly noResult: boolean;
  readonly privateStack: boolean;
  readonly forbiddenMaps: readonly MapType[];
}

/** @throws InputError if the kernel does not show what a profile needs, in one line */
export function probeKernel(kernel: Kernel, progress: ProbeProgress): Profile {
  const btf = kernelBtf(kernel);
  const symbols = readSymbols(kernel);
  if (symbols === undefined) throw new InputError(`${kernel.name} hides the addresses of its symbols`);
  progress("kernel data", 0, 1);
  const memory = openMemory(kernel);
  const prototypes = readPrototypes(memory, symbols, btf);
  const sets = readKfuncSets(memory, symbols, btf);
  memory.close();
  const materials = createMaterials(kernel);
  try {
    const found = answer(kernel, all(PROGRAM_TYPES.map((type) => kindsOf(kernel, type))));
    const targets = answer(kernel, targetKinds(kernel, btf));
    const plainKinds = found.flatMap((each) => each.kinds.map((kind) => ({ kind, others: [] })));
    const ways = [...plainKinds, ...targets];
    const callbacks = learnCallbacks(kernel, btf, materials, [...sets.keys()], progress);
    const kinds = [...ways, ...callbacks.learnt].map(({ kind }) => kind);
    const learnt = ways.map((way, index) => {
      progress("kinds of programs", index, ways.length);
      return answer(kernel, learn(kernel, btf, way, materials));
    });
    learnt.push(...callbacks.learnt);
    const resolver: Resolver = { kernel, materials, prototypes, symbols, takes: new Map() };
    const { helpers, sets: helperSets } = helperTables(resolver, knownHelpers(btf), learnt, progress);
    const plain = kinds.find(({ type }) => type === "xdp");
    if (plain === undefined) throw new InputError(`${kernel.name} loads no XDP programs`);
    const contexts = contextTable(learnt);
    const asked = learnt.map(({ kind, allowed }) => ({ kind, allowed }));
    const [allows, capabilities] = asAnyLoader(kernel, () => [
      probeAllowances(kernel),
      probeCapabilities(kernel, asked),
    ]);
    progress("functions", 0, 1);
    const functions = answer(kernel, probeFunctions(kernel, btf));
    const sockets = answer(kernel, probeSockets(kernel, btf, kinds, materials));
    return {
      kernel: /^\d+\.\d+/.exec(kernel.release)?.[0] ?? kernel.release,
      release: kernel.release,
      arch: kernel.arch,
      limits: limitsOf(kernel, plain, learnt),
      contextStoresImmediate: answer(
        kernel,
        all(learnt.map(({ kind, own }) => probeStoresImmediate(kernel, kind, own))),
      ).includes(true),
      allows,
      words: probeWords(kernel),
      unknownInstructions: answer(kernel, probeInstructions(kernel, plain)),
      ...(capabilities === undefined ? {} : { capabilities }),
      attachTypes: attachTypes(found, kinds),
      maps: mapFacts(materials.maps, answer(kernel, probeMapStructs(kernel, plain, materials))),
      ...(functions === undefined ? {} : { functions }),
      targets: answer(kernel, probeTargets(kernel, btf)),
      contexts: { ...contexts.table, ...callbacks.written, ...sockets },
      programs: programTable(learnt, contexts.names, helperSets, callbacks.writes),
      ...(callbacks.learnt.length === 0 ? {} : { callbacks: callbacks.table }),
      helpers,
      ...kfuncTable(kernel, btf, sets, learnt, progress),
    };
  } finally {
    materials.close();
  }
}

function limitsOf(kernel: Kernel, plain: Kind, learnt: readonly Learnt[]): Limits {
  const { insns, stack, frames, processed } = answer(kernel, probeLimits(kernel, plain));
  const own = learnt.find(({ privateStack }) => privateStack);
  return {
    insns,
    stack,
    ...(own === undefined
      ? {}
      : { privateStack: answer(kernel, probePrivateFrame(kernel, own.kind, frames)) }),
    uninitialisedStack: answer(kernel, probeUninitialisedStack(kernel, plain)),
    frames,
    processed,
  };
}

function kernelBtf(kernel: Kernel): Btf {
  const bytes = kernel.readFile(KERNEL_BTF);
  if (bytes === undefined) throw new InputError(`${kernel.name} does not tell its types (${KERNEL_BTF})`);
  return readBtf(bytes, KERNEL_BTF);
}

function* learn(kernel: Kernel, btf: Btf, { kind, others }: TargetKind, materials: Materials): Ask<Learnt> {
  const { target, callback } = kind;
  const own =
    callback !== undefined
      ? yield* probeCallbackContext(kernel, kind)
      : target === undefined
        ? yield* probeContext(kernel, btf, kind)
        : undefined;
  const permissions = yield* probeHelpers(kernel, kind);
  const packet = own === undefined ? "none" : yield* probePacket(kernel, kind, own);
  const known = function* (way: Kind): Ask<KnownKind> {
    const context = own ?? (yield* probeArguments(kernel, way));
    return { kind: way, context, packet, allowed: permissions.allowed };
  };
  return {
    ...(yield* known(kind)),
    name: kindName(kind.type, kind.attach ?? callback?.name, kind.sleepable === true),
    ...(own === undefined ? {} : { own }),
    others: yield* all(others.map(known)),
    permissions,
    returns: yield* probeReturns(kernel, kind),
    noResult: callback !== undefined && (yield* probeNoResult(kernel, kind)),
    privateStack: yield* probePrivateStack(kernel, kind),
    forbiddenMaps: yield* probeForbiddenMaps(kernel, kind, materials),
  };
}

interface LearntCallbacks {
  /** One kind for all callbacks of which the same is known; the others make calls for it. */
  readonly learnt: readonly Learnt[];
  readonly table: NonNullable<Profile["callbacks"]>;
  /** Fields of the kernel's objects that may be written: `STRUCTURE: OBJECT` for all, and by structure of callbacks which of them. */
  readonly written: Record<string, Context>;
  readonly writes: ReadonlyMap<string, NonNullable<ProgramFacts["writes"]>>;
}

function learnCallbacks(
  kernel: Kernel,
  btf: Btf,
  materials: Materials,
  kfuncs: readonly number[],
  progress: ProbeProgress,
): LearntCallbacks {
  const callbacks = answer(kernel, probeCallbacks(kernel, btf));
  const groups = new Map<string, Learnt>();
  const names = new Map<Kind, string>();
  const written: Record<string, Context> = {};
  const writes = new Map<string, Record<string, string>>();
  const ways = (each: Callback): { kind: Kind; struct: string }[] =>
    each.kinds.map((kind) => ({ kind, struct: each.struct }));
  const learnt = callbacks.flatMap(ways).map(({ kind, struct }, index, { length }) => {
    progress("callbacks", index, length);
    return {
      struct,
      one: answer(kernel, learn(kernel, btf, { kind, others: [] }, materials)),
      // Some kernel functions are for some callbacks of a structure.
      able: answer(kernel, all(kfuncs.map((id) => mayCall(kernel, kind, id)))),
    };
  });
  for (const { struct, one, able } of learnt) {
    const { kind, own, permissions, returns, noResult, privateStack, forbiddenMaps } = one;
    const { sleepable = false, retval } = kind;
    const key = JSON.stringify([
      struct,
      sleepable,
      retval,
      own,
      permissions,
      returns,
      noResult,
      privateStack,
      forbiddenMaps,
      able,
    ]);
    const same = groups.get(key);
    groups.set(key, same === undefined ? one : { ...same, others: [...same.others, one] });
    names.set(kind, (same ?? one).name);
  }
  for (const struct of new Set(callbacks.map((each) => each.struct))) {
    const own = learnt.filter((each) => each.struct === struct).map(({ one }) => one);
    const fields = answer(kernel, probeWrites(kernel, btf, own));
    for (const [object, context] of fields) {
      written[`${struct}: ${object}`] = context;
      writes.set(struct, { ...writes.get(struct), [object]: `${struct}: ${object}` });
    }
  }
  const table = callbackTable(callbacks, (kind) => {
    const name = names.get(kind);
    if (name === undefined) throw new Error("a callback that was not looked at");
    return name;
  });
  return { learnt: [...groups.values()], table, written, writes };
}

function attachTypes(found: readonly TypeKinds[], kinds: readonly Kind[]): Profile["attachTypes"] {
  const table: Record<string, readonly AttachType[] | "any"> = {};
  for (const { type, attachTypes: known } of found) {
    const targeted = kinds.flatMap((kind) =>
      kind.type === type && kind.target !== undefined && kind.attach !== undefined ? [kind.attach] : [],
    );
    const all = known === "any" ? known : [...new Set([...known, ...targeted])];
    if (kinds.some((kind) => kind.type === type)) table[type] = type === "struct_ops" ? "any" : all;
  }
  return table;
}

// --- Contexts and programs

/** Contexts that are the same have one name: that of the first kind that has it. */
function contextTable(learnt: readonly Learnt[]): {
  table: Record<string, Context>;
  names: ReadonlyMap<string, string>;
} {
  const table: Record<string, Context> = {};
  const names = new Map<string, string>();
  for (const { own, name } of learnt) {
    const text = JSON.stringify(own);
    if (own === undefined || names.has(text)) continue;
    names.set(text, name);
    table[name] = own;
  }
  return { table, names };
}

/** Kinds that differ from their type's default. */
function programTable(
  learnt: readonly Learnt[],
  contexts: ReadonlyMap<string, string>,
  sets: ReadonlyMap<string, Pick<ProgramFacts, "helpers" | "mapsWithout">>,
  writesOf: LearntCallbacks["writes"],
): Record<string, ProgramFacts> {
  const table: Record<string, ProgramFacts> = {};
  for (const { kind, name, own, packet, returns, noResult, privateStack, forbiddenMaps } of learnt) {
    const { type, attach, sleepable, callback } = kind;
    const writes = callback === undefined ? undefined : writesOf.get(callback.name.replace(/\/.*/, ""));
    const set = sets.get(name);
    if (set === undefined) throw new Error(`no helpers are known for ${name}`);
    const contextName = own === undefined ? undefined : contexts.get(JSON.stringify(own));
    const facts: ProgramFacts = {
      type,
      ...(attach === undefined ? {} : { attach }),
      ...(callback === undefined ? {} : { callback: callback.name }),
      ...(sleepable === undefined ? {} : { sleepable }),
      ...(contextName === undefined ? {} : { context: contextName }),
      packet,
      ...(returns === undefined ? {} : { returns }),
      ...(noResult ? { noResult: true as const } : {}),
      ...(privateStack ? { privateStack: true as const } : {}),
      ...(writes === undefined ? {} : { writes }),
      ...(forbiddenMaps.length === 0 ? {} : { forbiddenMaps }),
      ...set,
    };
    const usual = table[kindName(type, undefined, sleepable === true)];
    if (usual === undefined || !sameButAttach(usual, facts)) table[name] = facts;
  }
  return table;
}

function sameButAttach(a: ProgramFacts, b: ProgramFacts): boolean {
  const text = (facts: ProgramFacts): string => JSON.stringify({ ...facts, attach: undefined });
  return text(a) === text(b);
}

// --- Helpers

/** One more than the last helper's number. */
function knownHelpers(btf: Btf): number {
  const id = btf.findKind("bpf_func_id", "enum");
  const type = id === undefined ? undefined : btf.type(id);
  const end =
    type?.kind === "enum" ? type.values.find(({ name }) => name === "__BPF_FUNC_MAX_ID") : undefined;
  if (end === undefined) throw new Error("the kernel's BTF does not tell how many helpers there are");
  return Number(end.value);
}

function helperTables(
  resolver: Resolver,
  known: number,
  learnt: readonly Learnt[],
  progress: ProbeProgress,
): { helpers: HelperFacts[]; sets: ReadonlyMap<string, Pick<ProgramFacts, "helpers" | "mapsWithout">> } {
  const lists = new Map<number, Prototype[]>();
  const chosen = new Map<string, Record<string, number>>();
  const taken = new Map<string, ReadonlyMap<number, MapsTaken>>();
  const changes = new Map<number, boolean>();
  learnt.forEach((kind, index) => {
    progress("calls of helpers", index, learnt.length);
    const maps = taken.get(kind.kind.type) ?? new Map<number, MapsTaken>();
    const fresh = new Map(maps);
    const choice: Record<string, number> = {};
    const answers = answer(
      resolver.kernel,
      all(kind.allowed.map((id) => learnCall(resolver, kind, id, !maps.has(id), !changes.has(id)))),
    );
    for (const { id, prototype, maps: found, changesPacket } of answers) {
      const list = lists.get(id) ?? [];
      const at = prototype === undefined ? NOT_KNOWN : placeOf(list, prototype);
      if (list.length > 0) lists.set(id, list);
      if (at !== 0) choice[id] = at;
      if (found !== undefined) fresh.set(id, found);
      if (changesPacket !== undefined) changes.set(id, changesPacket);
    }
    chosen.set(kind.name, choice);
    taken.set(kind.kind.type, fresh);
  });
  const union = unionOf([...taken.values()]);
  const helpers = HELPER_NAMES.slice(0, known).map((name, id): HelperFacts => {
    const maps = union.get(id);
    return {
      id,
      name,
      ...(changes.get(id) === true ? { changesPacket: true } : {}),
      ...(maps === undefined ? {} : { maps }),
      // Of a helper that no kind may call, what its own function says.
      prototypes: lists.get(id) ?? ownPrototypes(resolver.prototypes, id),
    };
  });
  const sets = new Map(
    learnt.map((kind) => [
      kind.name,
      helperSet(kind, chosen.get(kind.name) ?? {}, union, taken.get(kind.kind.type)),
    ]),
  );
  return { helpers, sets };
}

interface LearntCall {
  readonly id: number;
  readonly prototype: Prototype | undefined;
  readonly maps?: MapsTaken | undefined;
  readonly changesPacket?: boolean | undefined;
}

/** What calls of a helper by programs of a kind are. @param withMaps whether to try all maps @param withPacket whether to look after packets */
function* learnCall(
  resolver: Resolver,
  kind: Learnt,
  id: number,
  withMaps: boolean,
  withPacket: boolean,
): Ask<LearntCall> {
  for (const way of [kind, ...kind.others]) {
    const prototype = yield* resolve(resolver, way, id);
    if (prototype === undefined) continue;
    const maps = withMaps ? yield* probeMaps(resolver, way, id, prototype) : undefined;
    const map = resolver.takes.get(id);
    const changesPacket = withPacket
      ? yield* probeChangesPacket(resolver, way, id, prototype, map)
      : undefined;
    return { id, prototype, maps, changesPacket };
  }
  return { id, prototype: byName(resolver.prototypes, id) };
}

/** In place of a prototype's place. */
const NOT_KNOWN = -1;

/** The prototype's place in the list, to which it is added if it is new. */
function placeOf(list: Prototype[], prototype: Prototype): number {
  const text = JSON.stringify(prototype);
  const at = list.findIndex((other) => JSON.stringify(other) === text);
  return at < 0 ? list.push(prototype) - 1 : at;
}

function unionOf(tables: readonly ReadonlyMap<number, MapsTaken>[]): Map<number, MapType[]> {
  const union = new Map<number, Set<MapType>>();
  for (const table of tables) {
    for (const [id, { taken }] of table) union.set(id, new Set([...(union.get(id) ?? []), ...taken]));
  }
  return new Map([...union].map(([id, types]) => [id, [...types]]));
}

function helperSet(
  { permissions: { allowed, gplOnly }, forbiddenMaps }: Learnt,
  prototypes: Readonly<Record<string, number>>,
  union: ReadonlyMap<number, readonly MapType[]>,
  taken: ReadonlyMap<number, MapsTaken> | undefined,
): Pick<ProgramFacts, "helpers" | "mapsWithout"> {
  const helpers: HelperSet = {
    everybody: rangesOf(allowed.filter((id) => !gplOnly.includes(id))),
    gplOnly: rangesOf(gplOnly),
    ...(Object.keys(prototypes).length === 0 ? {} : { prototypes }),
  };
  const without: Record<string, readonly MapType[]> = {};
  for (const id of allowed) {
    const refused = taken?.get(id)?.refused;
    const missing = union.get(id)?.filter((type) => refused?.includes(type) && !forbiddenMaps.includes(type));
    if (missing !== undefined && missing.length > 0) without[id] = missing;
  }
  return { helpers, ...(Object.keys(without).length === 0 ? {} : { mapsWithout: without }) };
}
