/** How often a counted loop (counted.ts) may go round with its accesses within bounds: what that depends on, and the code that computes it. */
import { OP } from "./code.ts";
import type { CountedLoop, Sum } from "./counted.ts";
import { isDynamic, KIND, type Kinds, PLAN, SOMEWHERE } from "./kinds.ts";
import { LOCAL } from "./locals.ts";
import type { Writer } from "./writer.ts";

/** A sum that has to stay below a limit: an address in the region of one of its registers, or a number below 2^32. */
export interface Bound {
  readonly sum: Sum;
  /** What is added to the sum each time round. */
  readonly step: number;
  /** The register that points to the region, and the kind of the access (needs.ts). */
  readonly base: number | undefined;
  readonly need: number;
}

export interface Count extends CountedLoop {
  readonly bounds: readonly Bound[];
}

/** Each costs some instructions before the loop. */
const MOST_BOUNDS = 8;
/** No loop is counted for longer, so that the number of its instructions has 64 bits. */
const MOST_ROUNDS = 2 ** 30;
const MOST_STEP = 2 ** 30;

function registersOf({ registers }: Sum): readonly number[] {
  const list: number[] = [];
  for (let set = registers, r = 0; set !== 0; set >>= 1, r += 1) if ((set & 1) !== 0) list.push(r);
  return list;
}

/** The bounds that make a loop's accesses plain. Those accesses are then not checked in the loop's first copy. */
export function boundsOf(loop: CountedLoop, kinds: Kinds): readonly Bound[] {
  const { accesses, test, shift, steps } = loop;
  const held = kinds.start(test).kinds;
  const bounds = new Map<string, Bound>();
  const stepOf = (sum: Sum): number =>
    registersOf(sum).reduce((whole, r) => whole + (steps[r]?.constant ?? 0), 0);
  const bound = (sum: Sum, base: number | undefined, need: number): readonly [string, Bound] => [
    `${sum.registers} ${sum.constant} ${base} ${need}`,
    { sum, step: stepOf(sum), base, need },
  ];
  for (const { slot, address, need } of accesses) {
    const plan = kinds.plan[slot + shift];
    if (plan !== PLAN.plain && plan !== PLAN.surelyPlain) continue;
    const pointers = registersOf(address).filter((r) => held[r] !== KIND.number);
    const [base = -1, ...others] = pointers;
    const kind = held[base] ?? 0;
    if (others.length > 0 || !isDynamic(kind) || (kind & SOMEWHERE) === 0) continue;
    const guards = guardsOf(address, steps);
    if ([address, ...guards].some((sum) => Math.abs(stepOf(sum)) > MOST_STEP)) continue;
    // What is computed with 32 bits is a number from then on.
    if (guards.some((sum) => registersOf(sum).some((r) => held[r] !== KIND.number))) continue;
    const more = new Map([bound(address, base, need), ...guards.map((sum) => bound(sum, undefined, 0))]);
    for (const key of bounds.keys()) more.delete(key);
    if (bounds.size + more.size > MOST_BOUNDS) continue;
    for (const [key, each] of more) bounds.set(key, each);
    kinds.cover(slot + shift);
  }
  return [...bounds.values()];
}

/** All that has to be below 2^32 for a sum to be what it is taken for, each time round. */
function guardsOf(address: Sum, steps: CountedLoop["steps"]): readonly Sum[] {
  const guards = new Set<Sum>();
  let registers = 0;
  const open: Sum[] = [address];
  for (let sum = open.pop(); sum !== undefined; sum = open.pop()) {
    const fresh = registersOf(sum).filter((r) => (registers & (1 << r)) === 0);
    for (const r of fresh) registers |= 1 << r;
    for (const guard of [...sum.guards, ...fresh.flatMap((r) => steps[r]?.guards ?? [])]) {
      if (guards.has(guard)) continue;
      guards.add(guard);
      open.push(guard);
    }
  }
  return [...guards];
}

/**
 * Computes, before a counted loop, how many instructions have to be left for another time round: more than what would be left after as many rounds as the bounds allow,
 * each with as few instructions as there can be.
 *
 * @param behind  how many instructions may be executed before it is looked at again
 */
export function writeStop(w: Writer, count: Count, behind: number): void {
  writeRounds(w, count);
  writeStopFor(w, count, behind);
}

/** Sets the loop's `stop` to how many rounds the bounds allow. */
export function writeRounds(w: Writer, { label, bounds }: Pick<Count, "label" | "bounds">): void {
  const { code, locals } = w;
  const stop = locals.stop(label);
  code.const64(MOST_ROUNDS);
  code.at(OP.set, stop);
  for (const each of bounds) {
    pushRounds(w, each);
    const rounds = locals.temporary("i64", 1);
    code.at(OP.tee, rounds);
    code.at(OP.get, stop);
    code.at(OP.get, rounds);
    code.at(OP.get, stop);
    code.op(OP.below64);
    code.op(OP.select);
    code.at(OP.set, stop);
  }
}

/** Sets the loop's `stop`, which is a number of rounds, to what it is meant to be. */
export function writeStopFor(
  { code, locals }: Writer,
  { label, shortest }: Pick<Count, "label" | "shortest">,
  behind: number,
): void {
  const stop = locals.stop(label);
  code.at(OP.get, LOCAL.fuel);
  code.at(OP.get, stop);
  code.const64(shortest);
  code.op(MULTIPLY64);
  code.op(OP.sub64);
  code.const64(1);
  code.op(OP.add64);
  code.at(OP.tee, stop);
  code.const64(behind);
  code.at(OP.get, stop);
  code.const64(behind);
  code.op(OP.greater64);
  code.op(OP.select);
  code.at(OP.set, stop);
}

const MULTIPLY64 = 0x7e;

/** Pushes whether there may be no other time round. */
export function pushIsOver({ code, locals }: Writer, label: number): void {
  code.at(OP.get, LOCAL.fuel);
  code.at(OP.get, locals.stop(label));
  code.op(OP.less64);
}

/** Pushes how often a bound holds: for the sums `at`, `at + step`, … below `limit`. */
function pushRounds(w: Writer, { sum, step, base, need }: Bound): void {
  const { code, locals } = w;
  const at = locals.temporary("i64", 0);
  const [first = 0, ...others] = registersOf(sum);
  code.at(OP.get, first);
  for (const register of others) {
    code.at(OP.get, register);
    code.op(OP.add64);
  }
  if (sum.constant !== 0) {
    code.const64(sum.constant);
    code.op(OP.add64);
  }
  if (base !== undefined) {
    code.at(OP.get, locals.first(base));
    code.op(OP.sub64);
  }
  code.at(OP.set, at);
  const pushLimit = (): void => {
    if (base === undefined) code.constHalves(0, 1);
    else code.at(OP.get, locals.limit(base, need));
  };
  if (step === 0) code.const64(MOST_ROUNDS);
  else {
    // From `at` to the last place in the direction of the step, in steps, and once more.
    if (step > 0) {
      pushLimit();
      code.const64(1);
      code.op(OP.sub64);
      code.at(OP.get, at);
      code.op(OP.sub64);
    } else code.at(OP.get, at);
    divide(w, Math.abs(step));
    code.const64(1);
    code.op(OP.add64);
  }
  code.const64(0);
  code.at(OP.get, at);
  pushLimit();
  code.op(OP.below64);
  code.op(OP.select);
}

/** Divides an unsigned number on the stack. */
function divide({ code }: Writer, by: number): void {
  if (by === 1) return;
  const exponent = 31 - Math.clz32(by);
  const isPower = 2 ** exponent === by;
  code.const64(isPower ? exponent : by);
  code.op(isPower ? OP.right64 : OP.divide64);
}
