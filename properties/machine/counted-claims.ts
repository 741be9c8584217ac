/**
 * What is claimed of a counted loop (`src/vm/jit/counted.ts`), by which its first copy needs no checks. Each condition here is one that no numbers may fulfil.
 *
 * - *Entry.* The code before the loop and the test at its head, read back: if the test lets a run go round for the k-th time, then k is below the number of rounds that was computed, and with a k below
 *   that each bound's sum, moved on by k steps, is below the bound's limit.
 * - *Round.* The instructions' terms on every path through the loop: if all bounds hold where a round begins, each access that is not checked is within the limits of the region that its address
 *   leads to; where the next round begins the sums have moved on by their steps, and at least as many instructions have been executed as the count takes for granted.
 *
 * By induction all bounds hold in each round, and so every access is within its region. No round is beyond 2^30, since fewer are allowed.
 */
import { decodeBody, type WasmInstruction, type WordType } from "../../src/proof/translation/decode.ts";
import { pathsOf } from "../../src/proof/translation/execute.ts";
import type { Instruction } from "../../src/semantics/isa/instruction.ts";
import { DST, SRC } from "../../src/semantics/isa/row.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import {
  add,
  all,
  and,
  any,
  constant,
  eq,
  extract,
  mul,
  ne,
  not,
  rebuild,
  sge,
  sle,
  sub,
  TRUE,
  ule,
  ult,
  variable,
  zext,
} from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { substitution } from "../../src/semantics/term/substitute.ts";
import { runnableContext } from "../../src/vm/input.ts";
import { Code } from "../../src/vm/jit/code.ts";
import { countLoops } from "../../src/vm/jit/counted.ts";
import {
  type Bound,
  boundsOf,
  type Count,
  pushIsOver,
  writeRounds,
  writeStopFor,
} from "../../src/vm/jit/counted-bounds.ts";
import { type Block, blocksOf, slotsOf, successorsAt } from "../../src/vm/jit/flow.ts";
import { KIND, Kinds, PLAN, type Registers } from "../../src/vm/jit/kinds.ts";
import { livenessOf } from "../../src/vm/jit/liveness.ts";
import { LOCAL } from "../../src/vm/jit/locals.ts";
import { needOf } from "../../src/vm/jit/needs.ts";
import { orderOf } from "../../src/vm/jit/order.ts";
import { Writer } from "../../src/vm/jit/writer.ts";
import { DO, type Op, prepare } from "../../src/vm/op.ts";

const REGISTERS = 10;
const WIDTH = 64;
const wide = (value: number | bigint): Term<64> => constant(WIDTH, value);

/** A counted loop of a program, in the two copies that the compiler makes. */
export interface Loop {
  readonly program: Program;
  readonly ops: readonly Op[];
  readonly blocks: readonly Block[];
  readonly count: Count;
  readonly start: Registers;
  /** Slots of accesses that are not checked. */
  readonly unchecked: ReadonlySet<number>;
}

/** The counted loops of a program that has the context of its type, as the compiler finds them. */
export function loopsOf(program: Program): readonly Loop[] {
  const ops = prepare(program);
  const blocks = blocksOf(ops, 0);
  const loops = countLoops(ops, undefined, blocks, orderOf(blocks));
  const order = orderOf(blocks);
  const live = livenessOf(ops, blocks, order);
  const context = runnableContext(program);
  const kinds = new Kinds({ ops, facts: undefined, context, bare: false }, blocks, order, live);
  return loops.map((loop) => {
    const count = { ...loop, bounds: boundsOf(loop, kinds) };
    const unchecked = loop.accesses.filter(({ slot }) => kinds.plan[slot + loop.shift] === PLAN.bytes);
    const slots = new Set(unchecked.map(({ slot }) => slot));
    return { program, ops, blocks, count, start: kinds.start(loop.test), unchecked: slots };
  });
}

// --- What registers and limits are called

const REGISTER = Array.from({ length: REGISTERS + 1 }, (_, r) => variable(`r${r}`, WIDTH));
const registerOf = (values: readonly Term<64>[], r: number): Term<64> => values[r] ?? wide(0);
const first = (base: number): Term<64> => variable(`first${base}`, WIDTH);
/** Limits are read as 32 bits without a sign. */
const limit = (base: number, need: number): Term<64> => zext(WIDTH, variable(`limit${base}_${need}`, 32));
const ROUND = variable("round", WIDTH);
const ROUNDS = variable("rounds", WIDTH);
const FUEL = variable("fuel", WIDTH);
const EXECUTED = variable("executed", WIDTH);
const LEAST = variable("least", WIDTH);
const LEFT = variable("left", WIDTH);
const MORE = variable("more", WIDTH);
const MOST_ROUNDS = wide(2 ** 30);

function sumOf({ sum: { registers, constant: plus } }: Bound, values: readonly Term<64>[]): Term<64> {
  let sum = wide(plus);
  for (let r = 0; r < REGISTERS; r += 1)
    if ((registers & (1 << r)) !== 0) sum = add(sum, registerOf(values, r));
  return sum;
}

function isWithin({ base, need }: Bound, sum: Term<64>): Term<1> {
  if (base === undefined) return ult(sum, wide(2 ** 32));
  return ult(sub(sum, first(base)), limit(base, need));
}

// --- Entry

/** Code for the loop, as instructions; and the locals that it has. */
export type Written = readonly [code: readonly WasmInstruction[], locals: readonly WordType[]];

/** Lets a writer write code, and reads it back. */
function read(write: (w: Writer) => void): { readonly written: Written; readonly w: Writer } {
  const [code, declarations] = [new Code(), new Code()];
  const w = new Writer(code, { kinds: new Uint8Array(11), offsets: new Int32Array(11) });
  write(w);
  w.locals.write(declarations);
  // Few of each type in a row, so that each number is a byte.
  const [, ...runs] = declarations.finish();
  const locals: WordType[] = [];
  for (let i = 0; i < runs.length; i += 2)
    for (let n = runs[i] ?? 0; n > 0; n -= 1) locals.push(runs[i + 1] === 0x7f ? "i32" : "i64");
  return { written: [decodeBody(code.finish()), locals], w };
}

/** What code leaves on the stack, by what its locals hold. */
function result([code, locals]: Written, values: ReadonlyMap<number, Term>): Term {
  const parameters = locals.map(
    (type, i) => values.get(i) ?? variable(`local${i}`, type === "i32" ? 32 : 64),
  );
  const [path, ...others] = pathsOf({ locals: [], code }, { parameters });
  const [value, ...more] = path?.values ?? [];
  if (value === undefined || others.length + more.length > 0)
    throw new Error("the code is one way to one number");
  return value;
}

/** Quotients as numbers of which only this is said: multiplied again they are not more than what was divided. */
function withoutQuotients(term: Term): { readonly term: Term; readonly facts: readonly Term<1>[] } {
  const facts: Term<1>[] = [];
  const known = new Map<Term, Term>();
  const replace = (one: Term): Term => {
    let made = known.get(one);
    if (made === undefined) {
      made = rebuild(one, replace);
      if (made.op === "udiv" && made.right.op === "const") {
        const { left, right } = made;
        const quotient = variable(`quotient${facts.length}`, left.width);
        const most = (2n ** BigInt(left.width) - 1n) / right.value;
        facts.push(
          ule(quotient, constant(left.width, most)),
          ule(quotient, left),
          ule(mul(quotient, right), left),
        );
        made = quotient;
      }
      known.set(one, made);
    }
    return made;
  };
  return { term: replace(term), facts };
}

/** A change of code, to see whether it is noticed. */
export type Change = (code: readonly WasmInstruction[]) => readonly WasmInstruction[];
const unchanged: Change = (code) => code;

/** What the code before a loop takes for the number of rounds, by some of its bounds. */
function roundsBy({ count }: Loop, bounds: readonly Bound[], change: Change): Term<64> {
  const { written, w } = read((writer) => {
    writeRounds(writer, { label: count.label, bounds });
    writer.code.at(0x20, writer.locals.stop(count.label));
  });
  const values = new Map<number, Term>(REGISTER.map((register, r) => [r, register]));
  for (const { base, need } of bounds) {
    if (base === undefined) continue;
    values.set(w.locals.first(base), first(base));
    values.set(w.locals.limit(base, need), limit(base, need));
  }
  return extract(WIDTH, result([change(written[0]), written[1]], values));
}

/** That the number of rounds that is computed is too great for one of the bounds: a few questions for each. */
export function wrongRounds(loop: Loop, change = unchanged): readonly Term<1>[] {
  const { bounds } = loop.count;
  const inAll = roundsBy(loop, bounds, change);
  return bounds.flatMap((bound) => {
    const alone = roundsBy(loop, [bound], change);
    const { term, facts } = withoutQuotients(alone);
    const rounds = extract(WIDTH, term);
    const sum = add(sumOf(bound, REGISTER), mul(ROUND, wide(bound.step)));
    const within = all(...facts, ult(ROUND, rounds), ult(ROUND, MOST_ROUNDS), not(isWithin(bound, sum)));
    return [withoutChoices(any(ult(alone, inAll), ult(MOST_ROUNDS, inAll))), byPlace(bound, within)];
  });
}

/** What is 0 under some condition as a number of which nothing is known: of the least of some numbers it does not matter what they are. */
function withoutChoices(question: Term<1>): Term<1> {
  const known = new Map<Term, Term>();
  const replace = (one: Term): Term => {
    let made = known.get(one);
    if (made === undefined) {
      const isChoice =
        one.op === "ite" && one.width === WIDTH && (one.ifFalse === wide(0) || one.ifTrue === wide(0));
      made = isChoice ? variable(`choice${known.size}`, WIDTH) : rebuild(one, replace);
      known.set(one, made);
    }
    return made;
  };
  return extract(1, replace(question));
}

/** The same question with the distance from the region's first byte as a number of its own, in place of where that byte is: it is easier. */
function byPlace(bound: Bound, question: Term<1>): Term<1> {
  if (bound.base === undefined) return question;
  const place = variable("place", WIDTH);
  return substitution(new Map([[first(bound.base), sub(sumOf(bound, REGISTER), place)]]))(question);
}

const MOST_FUEL = 2 ** 53;

/** That the test at the head lets a run go round more often than was computed. */
export function wrongTest({ count }: Loop, behind: number, change = unchanged): readonly Term<1>[] {
  const stop = read((w) => {
    writeStopFor(w, count, behind);
    w.code.at(0x20, w.locals.stop(count.label));
  });
  const over = read((w) => pushIsOver(w, count.label));
  const before = new Map<number, Term>([
    [LOCAL.fuel, FUEL],
    [stop.w.locals.stop(count.label), ROUNDS],
  ]);
  const computed = result([change(stop.written[0]), stop.written[1]], before);
  const at = new Map<number, Term>([
    [LOCAL.fuel, sub(FUEL, EXECUTED)],
    [over.w.locals.stop(count.label), computed],
  ]);
  const isOver = result([change(over.written[0]), over.written[1]], at);
  const product = mul(ROUNDS, wide(count.shortest));
  const few = all(ule(ROUNDS, MOST_ROUNDS), ule(ROUND, MOST_ROUNDS));
  // As many rounds as are allowed have at least this many instructions.
  const fewer = all(few, not(ult(ROUND, ROUNDS)), ult(mul(ROUND, wide(count.shortest)), product));
  // By the fuel that is left after those, and how many instructions more have been executed.
  const values = new Map<Term, Term>([
    [FUEL, add(LEFT, LEAST)],
    [EXECUTED, add(LEAST, MORE)],
  ]);
  const passed = eq(isOver, constant(isOver.width, 0));
  const question = substitution(values)(withProduct(passed, product));
  const bounded = [sge(LEFT, wide(-MOST_FUEL)), sle(LEFT, wide(MOST_FUEL)), ule(MORE, wide(MOST_FUEL))];
  return [fewer, all(question, ule(LEAST, wide(2 ** 40)), ...bounded)];
}

/** The instructions of all rounds as a number of its own. */
function withProduct(question: Term<1>, product: Term<64>): Term<1> {
  const known = new Map<Term, Term>([[product, LEAST]]);
  const replace = (one: Term): Term => {
    const made = known.get(one) ?? rebuild(one, replace);
    known.set(one, made);
    return made;
  };
  return extract(1, replace(question));
}

// --- Round

/** What a register points to: the region of what another one pointed to when the round began, or nothing. */
type Leads = number | "nothing" | undefined;

interface Now {
  readonly values: Term<64>[];
  readonly leads: Leads[];
  readonly executed: number;
}

let unknowns = 0;
const unknown = (): Term<64> => variable(`unknown${(unknowns += 1)}`, WIDTH);

/** That a round that begins within all bounds does something that the count does not allow for. */
export function wrongRound({ program: { insns }, ops, blocks, count, start, unchecked }: Loop): Term<1> {
  const { bounds, test, shift, shortest } = count;
  const wrong: Term<1>[] = [];
  const head = blocks[test]?.next ?? -1;
  const leads = Array.from(
    { length: REGISTERS + 1 },
    (_, r): Leads => (start.kinds[r] === KIND.number ? "nothing" : r),
  );
  const open: { readonly at: number; readonly now: Now }[] = [
    { at: head, now: { values: [...REGISTER], leads, executed: 0 } },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const block = blocks[next.at];
    if (block === undefined) throw new Error("a block of the loop exists");
    const now = { values: [...next.now.values], leads: [...next.now.leads], executed: next.now.executed };
    for (let slot = block.start; slot < block.end; ) {
      const [op, insn] = [ops[slot], insns[slot]];
      if (op === undefined || insn === undefined) throw new Error(`no instruction at slot ${slot}`);
      if (unchecked.has(slot)) wrong.push(isOutside(op, now, bounds));
      execute(op, insn, now);
      now.executed += 1;
      slot += slotsOf(op.code);
    }
    for (const to of successorsAt(blocks, next.at)) {
      if (to === test) wrong.push(doesNotMoveOn(now, bounds), now.executed < shortest ? TRUE : not(TRUE));
      else if (blocks[to]?.shift === shift) open.push({ at: to, now });
    }
  }
  return and(all(...bounds.map((bound) => isWithin(bound, sumOf(bound, REGISTER)))), any(...wrong));
}

function isOutside(
  { code, dst, src, off, size }: Op,
  { values, leads }: Now,
  bounds: readonly Bound[],
): Term<1> {
  const register = code === DO.load ? src : dst;
  const base = leads[register];
  const need = needOf(size, code !== DO.load);
  // Of what it leads to no limit may be known.
  if (typeof base !== "number" || !bounds.some((bound) => bound.base === base && bound.need === need))
    return TRUE;
  const address = add(registerOf(values, register), wide(off));
  return not(ult(sub(address, first(base)), limit(base, need)));
}

function doesNotMoveOn({ values, leads }: Now, bounds: readonly Bound[]): Term<1> {
  return any(
    ...bounds.map((bound) => {
      if (bound.base !== undefined && leads[bound.base] !== bound.base) return TRUE;
      return ne(sumOf(bound, values), add(sumOf(bound, REGISTER), wide(bound.step)));
    }),
  );
}

function execute(
  { code, src, dst, imm, immHigh, fetch, exchange }: Op,
  { row }: Instruction,
  now: Now,
): void {
  const { values, leads } = now;
  const set = (register: number, value: Term<64>, to: Leads): void => {
    values[register] = value;
    leads[register] = to;
  };
  const { operation } = row;
  if (operation.kind === "alu") {
    const isRegister = operation.operand === "reg";
    const operand = isRegister ? registerOf(values, src) : wide(imm);
    const given = new Map([
      [DST, registerOf(values, dst)],
      [SRC, operand],
    ]);
    const [before, from] = [leads[dst], isRegister ? leads[src] : "nothing"];
    const { op, width } = operation;
    let to: Leads = "nothing";
    if (width === 64 && op === "mov") to = from;
    else if (width === 64 && op === "add")
      to = from === "nothing" ? before : before === "nothing" ? from : undefined;
    else if (width === 64 && op === "sub") to = from === "nothing" ? before : undefined;
    set(dst, substitution(given)(operation.result), to);
  } else if (code === DO.constant) {
    set(dst, wide((BigInt(immHigh) << 32n) | BigInt(imm >>> 0)), "nothing");
  } else if (code === DO.load) set(dst, unknown(), undefined);
  else if (code === DO.atomic) {
    if (fetch) set(src, unknown(), "nothing");
    if (exchange) set(0, unknown(), "nothing");
  }
}
