/**
 * Which prototype programs of a kind get for a helper, which maps it takes, and whether it changes the packet. Of the kernel's prototypes, those
 * that a helper may have are found by name; a program that makes the call is accepted, and shows the function that the kernel calls.
 */
import { HELPER_NAMES } from "../../../semantics/helpers/names.ts";
import type { Context, Prototype } from "../../../semantics/profile/profile.ts";
import type { MapType } from "../../../semantics/program/map-types.ts";
import type { Kernel } from "../calls.ts";
import { type Ask, all } from "./ask.ts";
import { isPossible, LEFT_HELD, type Trial, takesMap, tryCall } from "./calls.ts";
import type { Materials } from "./maps.ts";
import type { KernelSymbols } from "./memory.ts";
import { addImm, copy, insn, type Kind } from "./program.ts";
import type { Prototypes } from "./prototypes.ts";

/** A kind with what is known of it already. */
export interface KnownKind {
  readonly kind: Kind;
  readonly context: Context | undefined;
  readonly packet: "none" | "read" | "write";
  /** Ids of the helpers that it may call. */
  readonly allowed: readonly number[];
}

export interface Resolver {
  /** A map type that each helper was found to take, to be tried first. */
  readonly takes: Map<number, MapType>;
  readonly kernel: Kernel;
  readonly materials: Materials;
  readonly prototypes: Prototypes;
  readonly symbols: KernelSymbols;
}

const PREFIX = "bpf_";
const bare = (func: string): string => (func.startsWith(PREFIX) ? func.slice(PREFIX.length) : func);

// --- Candidates

/** How close a function's name is to a helper's: more of the same words is closer; 0 if none. */
function closeness(helper: string, func: string): number {
  if (helper === func) return Number.POSITIVE_INFINITY;
  const words = new Set(func.split("_"));
  const own = helper.split("_");
  return own.filter((word) => words.has(word)).length / (own.length + words.size);
}

const candidates = new WeakMap<Prototypes, Map<number, readonly Prototype[]>>();

/** Prototypes that the helper might have, the closest by name first. */
function candidatesFor(prototypes: Prototypes, id: number): readonly Prototype[] {
  let known = candidates.get(prototypes);
  if (known === undefined) {
    known = new Map();
    candidates.set(prototypes, known);
  }
  let found = known.get(id);
  if (found === undefined) {
    const name = HELPER_NAMES[id] ?? "";
    found = [...prototypes]
      .map(([func, list]) => ({ list, near: closeness(name, bare(func)) }))
      .filter(({ near }) => near > 0)
      .sort((a, b) => b.near - a.near)
      .flatMap(({ list }) => list);
    known.set(id, found);
  }
  return found;
}

/** Helpers that share a function with another, and take an object of the kernel's in place of the context. */
const SHARED: Readonly<Record<string, string>> = {
  skb_output: "bpf_skb_event_output",
  xdp_output: "bpf_xdp_event_output",
};

/** The prototypes of the function that has the helper's own name; none if there is no such function. */
export function ownPrototypes(prototypes: Prototypes, id: number): readonly Prototype[] {
  const name = HELPER_NAMES[id] ?? "";
  const shared = prototypes.get(SHARED[name] ?? "")?.filter(({ args }) => args[0]?.kind === "btf_id");
  return shared ?? prototypes.get(PREFIX + name) ?? prototypes.get(name) ?? [];
}

const signatureOf = ({ args }: Prototype): string => JSON.stringify(args);

// --- Resolution

/** So many forms of a call are tried: what a helper takes is among those whose names are closest. */
const MOST_FORMS = 24;

/** The prototype that programs of the kind get for a helper that they may call; `undefined` if no call could be made. */
export function* resolve(resolver: Resolver, known: KnownKind, id: number): Ask<Prototype | undefined> {
  const { kernel, materials, prototypes, takes } = resolver;
  const tried = new Set<string>();
  const likely = takes.get(id);
  const mapTypes = likely === undefined ? [...materials.maps.keys()] : [likely];
  for (const prototype of candidatesFor(prototypes, id)) {
    const signature = signatureOf(prototype);
    const trial: Trial = { ...known, id, prototype };
    if (tried.has(signature) || tried.size === MOST_FORMS || !isPossible(trial)) continue;
    tried.add(signature);
    for (const mapType of takesMap(prototype) ? mapTypes : [undefined]) {
      const result = yield* tryCall(kernel, materials, trial, mapType, true);
      if (!result.accepted) continue;
      if (mapType !== undefined) takes.set(id, mapType);
      const called = calledPrototypes(resolver, id, result.called);
      const fitting = called.filter((each) => signatureOf(each) === signature);
      // A call that the kernel has replaced by something else shows no function: what was accepted is left.
      return fitting[0] ?? called[0] ?? ownPrototypes(prototypes, id)[0] ?? prototype;
    }
  }
  return undefined;
}

/**
 * The prototype of a helper of which no call could be made: that of the function with its name, if no other function's name says that it is
 * the same helper for other programs.
 */
export function byName(prototypes: Prototypes, id: number): Prototype | undefined {
  const name = HELPER_NAMES[id] ?? "";
  // Functions without arguments are met in tables of other sorts too.
  const others = [...prototypes]
    .filter(([, list]) => list.some(({ args }) => args.length > 0))
    .map(([func]) => bare(func))
    .filter((func) => func !== name && !HELPER_NAMES.includes(func));
  const [own, ...more] = ownPrototypes(prototypes, id);
  return more.length > 0 || (!(name in SHARED) && others.some((func) => extendsName(func, name)))
    ? undefined
    : own;
}

/** Whether the function's name has the helper's words, in their order, and more. */
function extendsName(func: string, name: string): boolean {
  const words = func.split("_");
  let at = -1;
  return name.split("_").every((word) => (at = words.indexOf(word, at + 1)) >= 0);
}

/** Helpers that calls of others need, to get a socket or to give something back. */
const AIDS = [
  "sk_lookup_tcp",
  "sk_release",
  "sk_fullsock",
  "get_current_task_btf",
  "ringbuf_discard",
  "ringbuf_discard_dynptr",
];

/** The prototypes of the function that a program calls for the helper: not of one that is another helper's, or that only helped. */
function calledPrototypes(
  { prototypes, symbols }: Resolver,
  id: number,
  called: readonly number[],
): readonly Prototype[] {
  const base = symbols.address.get("__bpf_call_base");
  if (base === undefined) return [];
  const helper = HELPER_NAMES[id] ?? "";
  const aids = AIDS.filter((aid) => aid !== helper);
  const names = called.flatMap((distance) => {
    const name = symbols.functions.get(base + BigInt(distance));
    return name === undefined || !prototypes.has(name) ? [] : [name];
  });
  const own = names.find((each) => {
    const func = bare(each);
    const another = func !== helper && HELPER_NAMES.includes(func);
    return !another && !aids.some((aid) => extendsName(func, aid));
  });
  return (own === undefined ? undefined : prototypes.get(own)) ?? [];
}

// --- Maps

const REFUSED_MAP = /cannot pass map_type|expected prog array map/;

export interface MapsTaken {
  readonly taken: readonly MapType[];
  /** Refused for the map's type. Of the others the call failed for another reason. */
  readonly refused: readonly MapType[];
}

/** The map types that a helper takes in programs of the kind, by trying all; `undefined` if no call can be made. */
export function* probeMaps(
  { kernel, materials }: Resolver,
  known: KnownKind,
  id: number,
  prototype: Prototype,
): Ask<MapsTaken | undefined> {
  const trial: Trial = { ...known, id, prototype };
  if (!takesMap(prototype) || !isPossible(trial)) return undefined;
  const types = [...materials.maps.keys()];
  const results = yield* all(types.map((type) => tryCall(kernel, materials, trial, type)));
  // Programs that may not call what releases a thing leave it held: the map is not what the kernel minds.
  const taken = types.filter(
    (_, i) => results[i]?.accepted === true || LEFT_HELD.test(results[i]?.log ?? ""),
  );
  const refused = types.filter((type, i) => !taken.includes(type) && REFUSED_MAP.test(results[i]?.log ?? ""));
  return { taken, refused };
}

// --- Packets

/** Registers that no call and no prologue changes. */
const KEPT = 9;
const END = 3;

/**
 * Whether a packet pointer that was compared with the end before a call may be used after it; `undefined` if no call can be made, or
 * programs of the kind have no packets.
 */
export function* probeChangesPacket(
  { kernel, materials }: Resolver,
  known: KnownKind,
  id: number,
  prototype: Prototype,
  map: MapType | undefined,
): Ask<boolean | undefined> {
  const { kind, context, packet } = known;
  const start = context?.fields.find(({ value }) => value === "packet");
  const end = context?.fields.find(({ value }) => value === "packet_end");
  const [size] = start?.reads ?? [];
  if (packet === "none" || start === undefined || end === undefined || size === undefined) return undefined;
  const opcode = size === 8 ? 0x79 : 0x61;
  const before = [
    insn(opcode, KEPT, 1, start.offset),
    insn(opcode, END, 1, end.offset),
    copy(4, KEPT),
    addImm(4, 1),
    // Where the packet is empty there is nothing to find out: leave.
    insn(0xbd, 4, END, 2),
    insn(0xb7, 0, 0, 0, kind.retval),
    insn(0x95),
  ];
  const trial: Trial = { ...known, id, prototype, before };
  if (!isPossible(trial)) return undefined;
  const works = function* (after: readonly Uint8Array[]): Ask<boolean> {
    return (yield* tryCall(kernel, materials, { ...trial, after }, map)).accepted;
  };
  return (yield* works([])) ? !(yield* works([insn(0x71, 0, KEPT, 0)])) : undefined;
}
