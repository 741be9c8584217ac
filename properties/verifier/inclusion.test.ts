/**
 * The order on states implies inclusion of what they stand for: in small scopes, every pair of states that `stateIncludes` accepts is looked up in
 * the definition (concretisation.ts) on every concrete state of the scope. An order that does not look at one of the things that a state
 * says is refuted by the same check.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { allocate, reset } from "../../src/absint/arena.ts";
import { stateIncludes } from "../../src/absint/inclusion.ts";
import { joinStates, widenStates } from "../../src/absint/join.ts";
import {
  isPacketPointer,
  KIND,
  type Kind,
  kindOf,
  REGISTER_BYTES,
  setConstant,
  setId,
  setLink,
  setNone,
  setOff,
  setPointer,
  setRange,
  setUnknown,
  unlink,
} from "../../src/absint/register.ts";
import { unknownScalarAt } from "../../src/absint/scalar/operators.ts";
import {
  BUDGET,
  BYTE,
  forEachRegister,
  ghostAt,
  growStack,
  initialise,
  LIVE_STATE_BYTES,
  lastId,
  pack,
  packedBytes,
  RUNS,
  registerAt,
  setGhostCount,
  setSlotByte,
  slotAt,
  spilledAt,
  takeId,
} from "../../src/absint/state.ts";
import { type Concrete, type Content, type Hidden, type Slot, standsFor } from "./concretisation.ts";

/** Writes an abstract register, or the slot at fp-8 of a state. */
type Write = (at: number) => void;

const none: Write = setNone;
const constant =
  (value: number): Write =>
  (at) =>
    setConstant(at, value, 0);

/** A number of `bits` bits, linked unless `id` is 0. */
const number =
  (bits: number, id = 0, delta = 0, form = 64): Write =>
  (at) => {
    setUnknown(at);
    unknownScalarAt(at, bits);
    if (id !== 0) setLink(at, id, delta, form);
  };

/** A pointer whose variable part has `bits` bits. */
const pointer =
  (kind: Kind, { object = 0, off = 0, bits = 0, id = 0, range = 0 }): Write =>
  (at) => {
    setPointer(at, kind, object);
    setOff(at, off);
    if (bits > 0) unknownScalarAt(at, bits);
    setId(at, id);
    setRange(at, range);
  };

/** A slot with these byte kinds from the lowest address on, and what is spilled there. */
const slot =
  (kinds: string, spilled: Write = none): Write =>
  (state) => {
    growStack(state, 0, 0);
    const at = slotAt(state, 0, 0);
    kinds
      .repeat(8)
      .slice(0, 8)
      .split("")
      .forEach((letter, i) => {
        setSlotByte(
          at,
          i,
          { "?": BYTE.invalid, m: BYTE.misc, "0": BYTE.zero, s: BYTE.spill }[letter] ?? BYTE.invalid,
        );
      });
    spilled(spilledAt(at));
  };
const noSlot: Write = () => {};

const NOTHING_HIDDEN: Hidden = { runs: undefined, budget: 0n, ghosts: [] };

/** Hidden registers and at most one ghost of a state. */
const hidden =
  (runs: Write, budget: Write, ghost?: Write): Write =>
  (state) => {
    runs(registerAt(state, 0, RUNS));
    budget(registerAt(state, 0, BUDGET));
    setGhostCount(state, ghost === undefined ? 0 : 1);
    ghost?.(ghostAt(state, 0));
  };

const product = <T>(...lists: readonly (readonly T[])[]): T[][] =>
  lists.reduce<T[][]>((rows, list) => rows.flatMap((row) => list.map((x) => [...row, x])), [[]]);

interface Scope {
  /** What each register from r1 on may be. */
  readonly registers: readonly (readonly Write[])[];
  readonly slots: readonly Write[];
  /** Write hidden registers and ghosts of a state. */
  readonly hidden?: readonly Write[];
  /** What each may concretely hold. */
  readonly contents: readonly Content[];
  readonly concreteSlots: readonly Slot[];
  readonly lengths: readonly bigint[];
  readonly concreteHidden?: readonly Hidden[];
}

const numbers = (...values: readonly bigint[]): Content[] =>
  values.map((value) => ({ kind: "number", value }));
const nothing: Content = { kind: "nothing" };
const unwritten: Slot = Array.from({ length: 8 }, () => undefined);
const pointers = (to: Extract<Content, { kind: "pointer" }>["to"], ...offsets: readonly bigint[]) =>
  offsets.map((offset) => ({ kind: "pointer", to, offset }) as const);
/** The bytes of a number, of which only the lowest `size` were written. */
const bytesOf = (value: bigint, size = 8): Slot =>
  Array.from({ length: 8 }, (_, i) => (i < size ? Number((value >> BigInt(8 * i)) & 0xffn) : undefined));

/** Linked numbers of some widths, all forms. */
const linked = (
  bits: readonly number[],
  ids: readonly number[],
  deltas: readonly number[],
  forms: readonly number[],
) =>
  product(bits, ids, deltas, forms).map(([b = 0, id = 0, delta = 0, form = 0]) => number(b, id, delta, form));

const HIGH = 1n << 32n;
const SCOPES: Readonly<Record<string, Scope>> = {
  "two linked numbers": {
    registers: [
      [
        none,
        constant(0),
        number(64),
        number(2),
        ...linked([64], [1, 2], [0, 1], [64, 32, 1, -32]),
        ...linked([2], [1], [0, 1], [64, 32]),
      ],
      [
        none,
        constant(1),
        number(64),
        number(2),
        ...linked([64], [1, 2], [0, 1], [64, 32, 1, -32]),
        ...linked([2], [1], [0, 1], [64, 32]),
      ],
    ],
    slots: [noSlot],
    contents: [...numbers(0n, 1n, 2n, 3n, HIGH, HIGH + 1n, 2n * HIGH, -1n), nothing],
    concreteSlots: [unwritten],
    lengths: [0n],
  },
  "three linked numbers": {
    registers: [
      [number(64), ...linked([64], [1, 2], [0, 1], [64, 32])],
      [constant(1), ...linked([64], [1, 2], [0, 1], [64, 32])],
      [none, constant(0), ...linked([64], [1, 2], [0, 3], [64, 32])],
    ],
    slots: [noSlot],
    contents: numbers(0n, 1n, 2n, 3n, HIGH, HIGH + 1n, -1n),
    concreteSlots: [unwritten],
    lengths: [0n],
  },
  "pointers and a number": {
    registers: Array.from({ length: 2 }, () => [
      none,
      constant(0),
      number(2),
      number(2, 1),
      number(2, 1, 1),
      number(64, 2),
      pointer(KIND.context, {}),
      pointer(KIND.stack, {}),
      pointer(KIND.stack, { off: -8 }),
      ...[0, 1].map((object) => pointer(KIND.mapValue, { object })),
      pointer(KIND.mapValue, { off: 1 }),
      pointer(KIND.mapValue, { bits: 1 }),
      ...[0, 1, 2].map((id) => pointer(KIND.mapValueOrNull, { id })),
      pointer(KIND.mapValueOrNull, { object: 1, id: 1 }),
      ...[0, 1, 3].map((range) => pointer(KIND.packet, { range })),
      pointer(KIND.packet, { off: 1, range: 3 }),
      ...product([0, 1, 2], [0, 3]).map(([id = 0, range = 0]) =>
        pointer(KIND.packet, { bits: 2, id, range }),
      ),
      pointer(KIND.packetEnd, {}),
    ]),
    slots: [noSlot],
    contents: [
      nothing,
      ...numbers(0n, 1n, 2n, 4n),
      ...pointers("context", 0n),
      ...pointers("stack 0", 0n, -8n),
      ...pointers("value of map 0", 0n, 1n),
      ...pointers("value of map 1", 0n),
      ...pointers("packet", 0n, 1n, 2n, 3n),
      ...pointers("packet's end", 0n),
    ],
    concreteSlots: [unwritten],
    lengths: [1n, 3n, 5n],
  },
  "a slot and a number": {
    registers: [[none, constant(1), number(8), number(64), ...linked([64], [1], [0, 1], [64, 32])]],
    slots: [
      noSlot,
      ...["?", "m", "0", "m???????", "0mmm0000", "mmmm????", "0000????"].map((kinds) => slot(kinds)),
      ...["s", "ssss????", "ssssmmmm", "ssss0000", "s???????"].flatMap((kinds) => [
        slot(kinds, constant(0)),
        slot(kinds, constant(1)),
        slot(kinds, number(kinds === "s" ? 64 : kinds === "s???????" ? 8 : 32)),
        slot(kinds, number(1)),
      ]),
      ...linked([64], [1, 2], [0, 1], [64, 32]).map((spilled) => slot("s", spilled)),
      ...linked([32], [1], [0, 1], [64, 32]).map((spilled) => slot("ssss????", spilled)),
      slot("s", (at) => {
        setConstant(at, 0, 0);
        setLink(at, 1, 1, 64);
      }),
      slot("s", pointer(KIND.context, {})),
      slot("s", pointer(KIND.mapValueOrNull, { id: 1 })),
    ],
    contents: [nothing, ...numbers(0n, 1n, 2n, 256n, HIGH + 1n, -1n)],
    concreteSlots: [
      unwritten,
      ...[0n, 1n, 2n, 256n, HIGH, HIGH + 1n, -1n].map((value) => bytesOf(value)),
      ...[0n, 1n, 2n].map((value) => bytesOf(value, 4)),
      ...[0n, 7n].map((value) => bytesOf(value, 1)),
      ...pointers("context", 0n),
      ...pointers("value of map 0", 0n),
    ],
    lengths: [0n],
  },
  "hidden registers, a ghost and a number": {
    registers: [[none, constant(1), number(2), ...linked([64], [1, 2], [0], [64])]],
    slots: [noSlot],
    hidden: product<Write | undefined>(
      [none, constant(1), constant(2), number(2), ...linked([2], [1, 2], [0, 1], [64])],
      [none, constant(3), number(2), ...linked([64], [1], [0, 1], [64])],
      [undefined, number(64), number(2), ...linked([64], [1, 2], [0, 1], [64])],
    ).map(([runs = none, budget = none, ghost]) => hidden(runs, budget, ghost)),
    contents: [...numbers(0n, 1n, 2n, 3n), nothing],
    concreteSlots: [unwritten],
    lengths: [0n],
    concreteHidden: product([undefined, 0n, 1n, 2n], [0n, 1n, 2n, 3n], [undefined, 0n, 1n, 2n]).map(
      ([runs, budget = 0n, ghost]) => ({ runs, budget, ghosts: ghost === undefined ? [] : [ghost] }),
    ),
  },
};

/** The states of a scope, and for each the concrete ones it stands for, as the bits of a set. */
interface Enumerated {
  readonly states: readonly number[];
  readonly sets: readonly Uint32Array[];
}

function enumerate(scope: Scope): Enumerated {
  const concretes: Concrete[] = product<Content>(...scope.registers.map(() => scope.contents)).flatMap(
    (registers) =>
      scope.concreteSlots.flatMap((concreteSlot) =>
        scope.lengths.flatMap((length) =>
          (scope.concreteHidden ?? [NOTHING_HIDDEN]).map((concreteHidden) => ({
            registers,
            slot: concreteSlot,
            length,
            hidden: concreteHidden,
          })),
        ),
      ),
  );
  reset();
  const live = allocate(LIVE_STATE_BYTES);
  const states: number[] = [];
  const sets: Uint32Array[] = [];
  for (const writes of product<Write>(...scope.registers, scope.slots, scope.hidden ?? [noSlot])) {
    initialise(live);
    scope.registers.forEach((_, i) => {
      writes[i]?.(registerAt(live, 0, i + 1));
    });
    for (const write of writes.slice(-2)) write(live);
    const at = allocate(packedBytes(live));
    pack(live, at);
    states.push(at);
    const set = new Uint32Array(Math.ceil(concretes.length / 32));
    concretes.forEach((concrete, i) => {
      if (standsFor(at, concrete)) set[i >> 5] = (set[i >> 5] ?? 0) | (1 << (i & 31));
    });
    sets.push(set);
  }
  return { states, sets };
}

const isSubset = (inner: Uint32Array, outer: Uint32Array): boolean =>
  inner.every((word, i) => (word & ~(outer[i] ?? 0)) === 0);

type Order = (outer: number, inner: number) => boolean;

/** How many pairs an order accepts, until `stop` of them are ones that it should not: these too. */
function count({ states, sets }: Enumerated, order: Order, stop = Number.POSITIVE_INFINITY) {
  let accepted = 0;
  let wrong = 0;
  for (const [o, outer] of states.entries()) {
    for (const [i, inner] of states.entries()) {
      if (!order(outer, inner)) continue;
      accepted += 1;
      const [inside, around] = [sets[i], sets[o]];
      if (inside === undefined || around === undefined || !isSubset(inside, around)) wrong += 1;
      if (wrong >= stop) return { accepted, wrong };
    }
  }
  return { accepted, wrong };
}

describe.each(Object.entries(SCOPES))("%s", (name, scope) => {
  let all: Enumerated = { states: [], sets: [] };
  let scratch = 0;
  beforeAll(() => {
    all = enumerate(scope);
    scratch = allocate(REGISTER_BYTES);
  });
  const order: Order = (outer, inner) => stateIncludes(outer, inner, scratch);

  test("what a state includes it stands for", () => {
    expect(all.states.every((state) => order(state, state))).toBe(true);
    const { accepted, wrong } = count(all, order);
    expect(wrong).toBe(0);
    expect(accepted).toBeGreaterThan(2 * all.states.length);
  });

  test("a bound of two states, joined or widened, includes both", () => {
    const [bound, packed] = [allocate(LIVE_STATE_BYTES), allocate(LIVE_STATE_BYTES)];
    // Ids that are taken must be known to be.
    for (const state of all.states) while (lastId(state) < 2) takeId(state);
    const missed: string[] = [];
    let bounds = 0;
    all.states.forEach((a, i) => {
      all.states.forEach((b, k) => {
        // The rest of a large scope is much like this.
        if ((i * 31 + k) % 61 !== 0) return;
        for (const make of [
          joinStates,
          (x: number, y: number, out: number) => widenStates(x, y, out, [1n]),
        ]) {
          if (!make(a, b, bound)) continue;
          bounds += 1;
          pack(bound, packed);
          if (!order(packed, a) || !order(packed, b)) missed.push(`${i} ${k}`);
        }
      });
    });
    expect(missed).toEqual([]);
    expect(bounds).toBeGreaterThan(all.states.length);
  });

  /** An order that does not see what `forget` takes away, from copies of both states. */
  const without = (forget: (outer: number, inner: number) => void): Order => {
    const [a, b] = [allocate(LIVE_STATE_BYTES), allocate(LIVE_STATE_BYTES)];
    return (outer, inner) => {
      pack(outer, a);
      pack(inner, b);
      forget(a, b);
      return order(a, b);
    };
  };
  const inAll = (forget: (register: number) => void) => (outer: number, inner: number) => {
    for (const state of [outer, inner]) forEachRegister(state, forget);
  };
  const isNumber = (at: number): boolean => kindOf(at) === KIND.scalar;
  const WRONG: Readonly<Record<string, readonly [scopes: RegExp, forget: Parameters<typeof without>[0]]>> = {
    links: [/number/, inAll((at) => isNumber(at) && unlink(at))],
    values: [/number/, inAll((at) => isNumber(at) && unknownScalarAt(at))],
    ranges: [/pointers/, inAll((at) => isPacketPointer(kindOf(at)) && setRange(at, 0))],
    "ids of pointers": [/pointers/, inAll((at) => !isNumber(at) && setId(at, 0))],
    "fixed offsets": [/pointers/, inAll((at) => !isNumber(at) && setOff(at, 0))],
    // Where the outer state says nothing of such a call, there is none.
    "calls that call back": [
      /hidden/,
      (outer, inner) => !isNumber(registerAt(outer, 0, RUNS)) && setNone(registerAt(inner, 0, RUNS)),
    ],
    ghosts: [/hidden/, (outer) => setGhostCount(outer, 0)],
  };
  const wrongHere = Object.entries(WRONG).filter(([, [scopes]]) => scopes.test(name));
  test.each(wrongHere)("an order that does not look at %s is refuted", (_, [, forget]) => {
    expect(count(all, without(forget), 1).wrong).toBe(1);
  });
});
