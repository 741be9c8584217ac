/** Certificates that somebody changed: in any field of a state, in edges, in instructions, in measures, in the order of nodes. */
import { baseOf, FLAG, KIND, WHOLE } from "../../src/absint/register.ts";
import { BYTE, STACK_BYTES } from "../../src/absint/state.ts";
import type { Certificate, CertificateNode, Measure } from "../../src/verifier/certificate.ts";
import type { Register } from "../../src/verifier/certificate-format/register.ts";
import type { Scalar } from "../../src/verifier/certificate-format/scalar.ts";
import {
  type Frame,
  readState,
  type Slot,
  type State,
  writeState,
} from "../../src/verifier/certificate-format/state.ts";

/** Numbers by chance, the same ones for the same seed (xorshift32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) | 1;
  }

  /** From 0 to n - 1. */
  below(n: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % n;
  }

  one<T>(things: readonly T[]): T {
    const found = things[this.below(things.length)];
    if (found === undefined) throw new Error("one of nothing");
    return found;
  }
}

type Change<T> = (value: T, chance: Chance) => T;

const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const u32 = (x: bigint): bigint => BigInt.asUintN(32, x);

const INTERESTING = [
  0n,
  1n,
  7n,
  8n,
  14n,
  255n,
  4095n,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];

const constant = (value: bigint): Scalar => ({
  value,
  mask: 0n,
  umin: value,
  umax: value,
  smin: value,
  smax: value,
  umin32: u32(value),
  umax32: u32(value),
  smin32: u32(value),
  smax32: u32(value),
});

/** From 0 to a greatest number of up to 31 bits. */
const upTo = (greatest: bigint): Scalar => ({
  value: 0n,
  mask: (1n << 31n) - 1n,
  umin: 0n,
  umax: greatest,
  smin: 0n,
  smax: greatest,
  umin32: 0n,
  umax32: greatest,
  smin32: 0n,
  smax32: greatest,
});

const ANYTHING: Scalar = {
  value: 0n,
  mask: (1n << 64n) - 1n,
  umin: 0n,
  umax: (1n << 64n) - 1n,
  smin: 1n << 63n,
  smax: (1n << 63n) - 1n,
  umin32: 0n,
  umax32: (1n << 32n) - 1n,
  smin32: 1n << 31n,
  smax32: (1n << 31n) - 1n,
};

const NUMBER = { kind: KIND.scalar, id: 0, delta: 0, form: WHOLE, off: 0, range: 0, object: 0 };

const changeScalar: Change<Scalar> = (scalar, chance) => {
  const near = BigInt(chance.below(17) - 8);
  switch (chance.below(8)) {
    case 0:
      return constant(u64(scalar.umin + near));
    case 1:
      return constant(chance.one(INTERESTING));
    case 2:
      return upTo(BigInt(chance.below(64)));
    case 3:
      return ANYTHING;
    case 4:
      return { ...scalar, mask: scalar.mask ^ (1n << BigInt(chance.below(64))) };
    case 5: {
      const component = chance.one(["umin", "umax", "smin", "smax"] as const);
      return { ...scalar, [component]: u64(scalar[component] + near) };
    }
    case 6: {
      const component = chance.one(["umin32", "umax32", "smin32", "smax32"] as const);
      return { ...scalar, [component]: u32(scalar[component] + near) };
    }
    default: {
      const component = chance.one(["value", "mask", "umin", "umax", "smin", "smax"] as const);
      return { ...scalar, [component]: chance.one(INTERESTING) };
    }
  }
};

const changeRegister: Change<Register> = (register, chance) => {
  const by = chance.one([-64, -14, -8, -4, -1, 1, 2, 4, 8, 14, 64]);
  switch (chance.below(9)) {
    case 0: {
      const kind = chance.one(Object.values(KIND).filter((other) => other !== KIND.none));
      const link = kind === KIND.scalar ? { id: 0, delta: 0, form: WHOLE, off: 0, range: 0, object: 0 } : {};
      return { ...register, ...link, kind };
    }
    case 1:
      return baseOf(register.kind) === KIND.scalar
        ? { ...register, scalar: changeScalar(register.scalar, chance) }
        : { ...register, kind: register.kind ^ chance.one(Object.values(FLAG)) };
    case 2:
      return { ...register, id: register.id === 0 ? 1 + chance.below(3) : chance.below(3) };
    case 3:
      return register.kind === KIND.scalar
        ? { ...register, delta: register.delta + by }
        : { ...register, off: register.off + by };
    case 4:
      return register.kind === KIND.scalar
        ? { ...register, form: chance.one([WHOLE, 32, 8, -32, -2]) }
        : { ...register, range: Math.max(0, register.range + chance.one([by, 64, 1500])) };
    case 5:
      return register.kind === KIND.scalar
        ? { ...register, scalar: changeScalar(register.scalar, chance) }
        : { ...register, object: Math.max(0, register.object + chance.one([-1, 1, 64])) };
    default:
      return { ...register, scalar: changeScalar(register.scalar, chance) };
  }
};

function changedAt<T>(list: readonly T[], at: number, to: T): readonly T[] {
  return list.map((item, i) => (i === at ? to : item));
}

const changeSlot: Change<Slot> = ({ bytes, content }, chance) => {
  if (content !== undefined && chance.below(2) === 0) {
    return { bytes, content: changeRegister(content, chance) };
  }
  const kind = chance.one([BYTE.invalid, BYTE.misc, BYTE.zero]);
  if (chance.below(2) === 0) return { bytes: bytes.map(() => kind), content: undefined };
  const changed = changedAt(bytes, chance.below(8), kind);
  return { bytes: changed, content: changed[0] === BYTE.spill ? content : undefined };
};

const UNUSED: Slot = { bytes: Array.from({ length: 8 }, () => BYTE.invalid), content: undefined };

const changeFrame: Change<Frame> = (frame, chance) => {
  const { registers, slots } = frame;
  const r = chance.below(registers.length);
  const s = chance.below(Math.max(slots.length, 1));
  const [register, slot] = [registers[r], slots[s]];
  switch (chance.below(12)) {
    case 0:
      return { ...frame, functionStart: chance.below(20) };
    case 1:
      return { ...frame, returnTo: frame.returnTo + chance.one([-1, 1, 2]) };
    case 2:
      return { ...frame, slots: slots.slice(0, s) };
    case 3:
      return slots.length < STACK_BYTES / 8 ? { ...frame, slots: [...slots, UNUSED] } : frame;
    case 4:
    case 5:
      return slot === undefined ? frame : { ...frame, slots: changedAt(slots, s, changeSlot(slot, chance)) };
    case 6: {
      // What another register says, or nothing.
      const other = chance.below(3) === 0 ? undefined : registers[chance.below(registers.length)];
      return { ...frame, registers: changedAt(registers, r, other) };
    }
    default: {
      const known = registers.flatMap((each, i) => (each === undefined ? [] : [i]));
      const at = known.length === 0 ? r : chance.one(known);
      const old = registers[at] ?? register;
      return old === undefined
        ? frame
        : { ...frame, registers: changedAt(registers, at, changeRegister(old, chance)) };
    }
  }
};

const changeState: Change<State> = (state, chance) => {
  const { frames, references, ghosts } = state;
  const f = chance.below(frames.length);
  const frame = frames[f];
  if (frame === undefined) throw new Error("a frame");
  switch (chance.below(12)) {
    case 0:
      return frames.length < 8 ? { ...state, frames: [...frames, frame] } : state;
    case 1:
      return frames.length > 1 ? { ...state, frames: frames.slice(0, -1) } : state;
    case 2: {
      const insn = chance.below(20);
      const reference = { id: 1 + chance.below(3), kind: chance.one([1, 2]), insn };
      return references.length > 0 && chance.below(2) === 0
        ? { ...state, references: references.slice(1) }
        : { ...state, references: [...references, reference] };
    }
    case 3:
      return { ...state, sections: state.sections.map(() => chance.below(2)) };
    case 4: {
      const g = chance.below(Math.max(ghosts.length, 1));
      const ghost = ghosts[g];
      return ghost === undefined
        ? state
        : { ...state, ghosts: changedAt(ghosts, g, changeRegister(ghost, chance)) };
    }
    default:
      return { ...state, frames: changedAt(frames, f, changeFrame(frame, chance)) };
  }
};

const withState = (node: CertificateNode, change: (state: State) => State): CertificateNode => ({
  ...node,
  state: writeState(change(readState(node.state))),
});

function changeMeasure(measure: Measure, chance: Chance): Measure {
  const { place, order } = measure;
  switch (chance.below(4)) {
    case 0:
      return { ...measure, direction: measure.direction === "up" ? "down" : "up" };
    case 1:
      return { ...measure, order: { ...order, signed: !order.signed } };
    case 2:
      return { ...measure, order: { ...order, bits: order.bits === 64 ? 32 : 64 } };
    default: {
      const number = chance.below(10);
      const changed = place.kind === "slot" ? { ...place, slot: number } : { ...place, register: number };
      return { ...measure, place: changed };
    }
  }
}

const SOME_MEASURE: Measure = {
  kind: "counter",
  place: { kind: "register", frame: 0, register: 0 },
  order: { bits: 64, signed: false },
  direction: "up",
};

/** One change of one node, or of where it stands. */
function changeOnce(nodes: readonly CertificateNode[], chance: Chance): readonly CertificateNode[] {
  const at = chance.below(nodes.length);
  const node = nodes[at];
  if (node === undefined) throw new Error("a node");
  const set = (to: CertificateNode): readonly CertificateNode[] => changedAt(nodes, at, to);
  const any = chance.below(nodes.length);
  switch (chance.below(20)) {
    case 0:
      return set({ ...node, pc: Math.max(0, node.pc + chance.one([-2, -1, 1, 2])) });
    case 1:
      return set({ ...node, edges: [...new Set([...node.edges, any])].toSorted((a, b) => a - b) });
    case 2:
      return set({ ...node, edges: node.edges.filter((to) => to !== chance.one(node.edges)) });
    case 3:
      return nodes.toSpliced(at, 1);
    case 4: {
      const other = nodes[any];
      return other === undefined ? nodes : changedAt(set(other), any, node);
    }
    case 5:
      return set({ ...node, state: nodes[any]?.state ?? node.state });
    case 6: {
      const { measure, ...rest } = node;
      if (measure === undefined) return set({ ...node, measure: SOME_MEASURE });
      return set(chance.below(4) === 0 ? rest : { ...rest, measure: changeMeasure(measure, chance) });
    }
    case 7:
      return set({ ...node, loops: node.loops.length > 0 ? node.loops.slice(1) : [any] });
    default:
      return set(withState(node, (state) => changeState(state, chance)));
  }
}

/** A certificate with one to three changes. */
export function tamper({ nodes, roots }: Certificate, seed: number): Certificate {
  const chance = new Chance(seed);
  if (roots.length > 0 && chance.below(10) === 0)
    return { nodes, roots: changeRoots(roots, nodes.length, chance) };
  let changed = nodes;
  for (let n = chance.below(3); n >= 0 && changed.length > 0; n -= 1) changed = changeOnce(changed, chance);
  return { nodes: changed, roots };
}

/** One root less, one more, or another one. */
function changeRoots(roots: readonly number[], nodes: number, chance: Chance): readonly number[] {
  const at = chance.below(roots.length);
  return roots.toSpliced(at, chance.below(2), ...(chance.below(2) === 0 ? [chance.below(nodes)] : []));
}

/** What would make an access through a register pass, or a number do: a lie that is worth telling. */
const mend: Change<Register> = (register, chance) => {
  const scalar = chance.one([
    constant(0n),
    upTo(BigInt(chance.below(8))),
    constant(BigInt(1 + chance.below(8))),
  ]);
  const plain = { ...register, id: 0, delta: 0, form: WHOLE, off: 0, range: 0, object: 0 };
  switch (chance.below(6)) {
    case 0:
      return { ...plain, kind: KIND.scalar, scalar };
    case 1:
      return { ...register, range: register.kind === KIND.scalar ? 0 : chance.one([64, 1500, 65_000]) };
    case 2:
      return { ...register, kind: baseOf(register.kind), id: 0 };
    case 3:
      return {
        ...plain,
        kind: chance.one([KIND.stack, KIND.mapValue, KIND.packet]),
        range: 0,
        scalar: constant(0n),
      };
    case 4:
      return { ...plain, kind: KIND.packet, range: 1500, scalar: constant(0n) };
    default:
      return { ...register, scalar };
  }
};

/** A node whose innermost frame tells such a lie of a register, or of all that was never written to its stack. */
export function mended(node: CertificateNode, register: number, seed: number): CertificateNode {
  const chance = new Chance(seed);
  return withState(node, (state) => {
    const [frame] = state.frames.slice(-1);
    if (frame === undefined) throw new Error("a frame");
    const old = frame.registers[register] ?? { ...NUMBER, scalar: constant(0n) };
    const misc: Slot = { bytes: Array.from({ length: 8 }, () => BYTE.misc), content: undefined };
    const written = (slot = misc): Slot => (slot.bytes.includes(BYTE.invalid) ? misc : slot);
    const told: Frame =
      register > 9 || chance.below(4) === 0
        ? { ...frame, slots: Array.from({ length: STACK_BYTES / 8 }, (_, s) => written(frame.slots[s])) }
        : { ...frame, registers: changedAt(frame.registers, register, mend(old, chance)) };
    return { ...state, frames: [...state.frames.slice(0, -1), told] };
  });
}

/** Bytes with one to three of them changed, taken out or put in. */
export function tamperBytes(bytes: Uint8Array, seed: number): Uint8Array {
  const chance = new Chance(seed);
  const changed = [...bytes];
  for (let n = chance.below(3); n >= 0; n -= 1) {
    const at = chance.below(Math.max(changed.length, 1));
    switch (chance.below(6)) {
      case 0:
        changed.splice(at, 1);
        break;
      case 1:
        changed.splice(at, 0, chance.below(256));
        break;
      case 2:
        changed[at] = chance.below(256);
        break;
      default:
        // Small numbers stay small.
        changed[at] = ((changed[at] ?? 0) + chance.one([-2, -1, 1, 2, 128])) & 255;
    }
  }
  return Uint8Array.from(changed);
}
