/**
 * What an abstract state stands for, as a definition over concrete states that are written out: from the docstrings of absint/register.ts and
 * absint/state.ts, not from the order on states that it is held against.
 */
import {
  component32,
  component64,
  deltaOf,
  formOf,
  idOf,
  KIND,
  kindOf,
  objectOf,
  offOf,
  rangeOf,
} from "../../src/absint/register.ts";
import { LAYOUT } from "../../src/absint/scalar/operators.ts";
import {
  BUDGET,
  BYTE,
  depthOf,
  ghostAt,
  ghostCount,
  RUNS,
  registerAt,
  slotAt,
  slotByte,
  spilledAt,
} from "../../src/absint/state.ts";

/** What a register holds. A pointer's offset is from its object's start: for packets `data`, for the stack the frame pointer. */
export type Content =
  | { readonly kind: "nothing" }
  | { readonly kind: "number"; readonly value: bigint }
  | { readonly kind: "pointer"; readonly to: Region; readonly offset: bigint };

export type Region = "context" | "stack 0" | "value of map 0" | "value of map 1" | "packet" | "packet's end";

/** A stack slot: a pointer, or eight bytes from the lowest address on, of which some may be uninitialised. */
export type Slot = Extract<Content, { kind: "pointer" }> | readonly (number | undefined)[];

/** What no instruction names. */
export interface Hidden {
  /** How often a helper that has been called still will call back; `undefined` if there is no such call. */
  readonly runs: bigint | undefined;
  /** How often may_goto still falls through. */
  readonly budget: bigint;
  /** Numbers that the loops around have kept. */
  readonly ghosts: readonly bigint[];
}

/** The registers from r1 on, the slot at fp-8, the packet's length. */
export interface Concrete {
  readonly registers: readonly Content[];
  readonly slot: Slot;
  readonly length: bigint;
  readonly hidden: Hidden;
}

const REGIONS: Readonly<Record<number, (object: number) => Region>> = {
  [KIND.context]: () => "context",
  [KIND.stack]: () => "stack 0",
  [KIND.mapValue]: (map) => (map === 0 ? "value of map 0" : "value of map 1"),
  [KIND.mapValueOrNull]: (map) => (map === 0 ? "value of map 0" : "value of map 1"),
  [KIND.packet]: () => "packet",
  [KIND.packetEnd]: () => "packet's end",
};

/** γ of the scalar part. */
function holdsScalar(at: number, value: bigint): boolean {
  const x = BigInt.asUintN(64, value);
  const c = (offset: number): bigint => component64(at, offset);
  const signed = (y: bigint): bigint => BigInt.asIntN(64, y);
  const half = Number(BigInt.asUintN(32, x));
  return (
    (x & ~c(LAYOUT.mask)) === c(LAYOUT.value) &&
    c(LAYOUT.umin) <= x &&
    x <= c(LAYOUT.umax) &&
    signed(c(LAYOUT.smin)) <= signed(x) &&
    signed(x) <= signed(c(LAYOUT.smax)) &&
    component32(at, LAYOUT.umin32) <= half &&
    half <= component32(at, LAYOUT.umax32) &&
    (component32(at, LAYOUT.smin32) | 0) <= (half | 0) &&
    (half | 0) <= (component32(at, LAYOUT.smax32) | 0)
  );
}

/** What a register with an id says: whether a number `b` may be what its class counts from, or whether it is null. */
type Claim = (b: bigint) => boolean;
interface Claims {
  readonly bases: Map<number, { readonly claims: Claim[]; readonly candidates: bigint[] }>;
  readonly nulls: Map<number, Set<boolean>>;
}

function claimBase({ bases }: Claims, id: number, candidate: bigint, claim: Claim): void {
  const known = bases.get(id) ?? { claims: [], candidates: [] };
  known.claims.push(claim);
  known.candidates.push(candidate);
  bases.set(id, known);
}

function claimNumber(claims: Claims, at: number, value: bigint): void {
  const [id, delta, form] = [idOf(at), BigInt(deltaOf(at)), formOf(at)];
  if (id === 0) return;
  if (form > 0) {
    claimBase(claims, id, value - delta, (b) => BigInt.asUintN(form, b + delta - value) === 0n);
  } else {
    const high = BigInt.asUintN(64, value) >> BigInt(-form);
    claimBase(claims, id, high - delta, (b) => BigInt.asUintN(64 + form, b + delta - high) === 0n);
  }
}

function holds(claims: Claims, at: number, content: Content, length: bigint): boolean {
  const kind = kindOf(at);
  if (kind === KIND.none) return true;
  if (kind === KIND.scalar) {
    if (content.kind !== "number" || !holdsScalar(at, content.value)) return false;
    claimNumber(claims, at, content.value);
    return true;
  }
  if (kind === KIND.mapValueOrNull) {
    const isNull = content.kind === "number" && content.value === 0n;
    if (idOf(at) !== 0) {
      claims.nulls.set(idOf(at), (claims.nulls.get(idOf(at)) ?? new Set<boolean>()).add(isNull));
    }
    if (isNull) return true;
  }
  if (content.kind !== "pointer" || content.to !== REGIONS[kind]?.(objectOf(at))) return false;
  const variable = content.offset - BigInt(offOf(at));
  if (!holdsScalar(at, variable)) return false;
  if (kind !== KIND.packet) return true;
  if (idOf(at) !== 0) claimBase(claims, idOf(at), variable, (b) => BigInt.asUintN(64, b - variable) === 0n);
  // No packet is that long that a range of 0 would say anything.
  return rangeOf(at) === 0 || variable + BigInt(rangeOf(at)) <= length;
}

function holdsSlot(claims: Claims, slot: number, concrete: Slot, length: bigint): boolean {
  const bytes = "kind" in concrete ? undefined : concrete;
  let spilled = 0;
  for (let i = 0; i < 8; i += 1) {
    const kind = slotByte(slot, i);
    if (kind === BYTE.invalid) continue;
    if (kind === BYTE.spill) spilled += 1;
    // The bytes of a pointer are no plain bytes.
    else if (bytes?.[i] === undefined || (kind === BYTE.zero && bytes[i] !== 0)) return false;
  }
  if (spilled === 0) return true;
  if (bytes === undefined) {
    return spilled === 8 && "kind" in concrete && holds(claims, spilledAt(slot), concrete, length);
  }
  let value = 0n;
  for (let i = spilled - 1; i >= 0; i -= 1) {
    const byte = bytes[i];
    if (byte === undefined) return false;
    value = (value << 8n) | BigInt(byte);
  }
  return holds(claims, spilledAt(slot), { kind: "number", value }, length);
}

function holdsHidden(claims: Claims, state: number, { runs, budget, ghosts }: Hidden): boolean {
  const isNumber = (at: number, value: bigint): boolean => holds(claims, at, { kind: "number", value }, 0n);
  const armed = registerAt(state, 0, RUNS);
  if (runs === undefined ? kindOf(armed) !== KIND.none : kindOf(armed) === KIND.none) return false;
  if (runs !== undefined && !isNumber(armed, runs)) return false;
  if (!isNumber(registerAt(state, 0, BUDGET), budget)) return false;
  for (let g = 0; g < ghostCount(state); g += 1) {
    const ghost = ghosts[g];
    if (ghost === undefined || !isNumber(ghostAt(state, g), ghost)) return false;
  }
  return true;
}

/** Whether `concrete` is one of the states that `state`, of one frame, stands for. */
export function standsFor(state: number, concrete: Concrete): boolean {
  const claims: Claims = { bases: new Map(), nulls: new Map() };
  const { registers, slot, length, hidden } = concrete;
  if (!registers.every((content, i) => holds(claims, registerAt(state, 0, i + 1), content, length)))
    return false;
  if (depthOf(state, 0) > 0 && !holdsSlot(claims, slotAt(state, 0, 0), slot, length)) return false;
  if (!holdsHidden(claims, state, hidden)) return false;
  // Some number is the one that all of a class count from: it is found among those that one of them alone says.
  for (const { claims: all, candidates } of claims.bases.values()) {
    if (!candidates.some((b) => all.every((claim) => claim(b)))) return false;
  }
  return [...claims.nulls.values()].every((answers) => answers.size === 1);
}
