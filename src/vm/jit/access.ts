/**
 * Loads, stores and atomic operations. What is plain is done here; anything else by the machine, one instruction, after which the compiled code goes on.
 */
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { FRAME_POINTER, PACKET_AT, SCALAR_RECORD } from "../memory.ts";
import { DO, type Op } from "../op.ts";
import { MARK, MARKS, RECORD, STACK_SIZE, TAGS } from "../region-record.ts";
import { OP } from "./code.ts";
import { stackOrMachine } from "./foreign-stack.ts";
import { isDynamic, KIND, PLAN, SOMEWHERE } from "./kinds.ts";
import { LOCAL } from "./locals.ts";
import { needOf } from "./needs.ts";
import { fill, templateOf } from "./row-code.ts";
import type { Writer } from "./writer.ts";

/** An instruction with what analyses say of it. */
export interface Access {
  readonly op: Op;
  readonly instruction: Instruction;
  readonly slot: number;
  readonly plan: number;
  readonly planOffset: number;
  /** The needs of what a load gives. */
  readonly needs: number;
  /** What kinds of value a load gives. */
  readonly gives: number;
  /** Whether what has not been written of a stack may be read. */
  readonly allowsUnwritten: boolean;
  /** Whether an address of which nothing is known may well be on the stack of another function. */
  readonly isCalled: boolean;
}

/** An i32 local that holds an index of memory, and what is to be added to it. */
interface Place {
  readonly base: number;
  readonly offset: number;
}

const SLOT = 8;
const POINTER_MARKS = 0x01010101;

const addressOf = ({ op }: Access): number => (op.code === DO.load ? op.src : op.dst);

/** The instruction's effect on memory at a place, its result left on the stack. */
function effect(w: Writer, { op, instruction }: Access, { base, offset }: Place): void {
  const { code, dst, src, imm } = op;
  const operands = {
    dst,
    src,
    imm: code === DO.storeImm ? imm : undefined,
    r0: 0,
    address: base,
    offset,
  };
  fill(w.code, templateOf(instruction.row, imm), operands, (type, n) => w.locals.temporary(type, n));
}

/** The place of the access, by the register's value. */
function placeOf(w: Writer, access: Access): Place {
  const { off } = access.op;
  const { code } = w;
  code.at(OP.get, addressOf(access));
  code.op(OP.wrap);
  if (off < 0) {
    code.const32(off);
    code.op(OP.add32);
  }
  code.at(OP.set, LOCAL.at);
  return { base: LOCAL.at, offset: Math.max(0, off) };
}

/** Lets the machine do it. What a load gives must be a number, unless it may be anything. */
function byMachine(w: Writer, { op, slot, gives, needs }: Access): void {
  const { code } = w;
  const { dst, src } = op;
  if (op.code === DO.load) w.spill(src);
  else {
    w.spill(dst);
    if (op.code !== DO.storeImm) w.spill(src);
    if (op.exchange) w.spill(0);
  }
  w.step(slot);
  code.op(OP.drop);
  if (op.code === DO.atomic) {
    if (op.fetch) w.loadRegister(src);
    if (op.exchange) w.loadRegister(0);
  }
  if (op.code !== DO.load) return;
  if (isDynamic(gives)) {
    w.reload(dst, needs);
    return;
  }
  w.loadRegister(dst);
  w.exitIf(
    slot + 1,
    () => {
      w.pushTag(dst);
      code.at(OP.tee, LOCAL.region + dst);
      code.const32(SCALAR_RECORD);
      code.op(OP.ne32);
    },
    dst,
  );
}

/** One thing or the other, by a condition on the stack. */
function either(w: Writer, ifTrue: () => void, ifFalse: () => void): void {
  w.open(OP.if);
  ifTrue();
  w.code.op(OP.else);
  ifFalse();
  w.close();
}

/** Pushes whether an access is beyond the limits of its register's region. */
function pushBeyond(w: Writer, access: Access): void {
  const { code, locals } = w;
  const { op } = access;
  const register = addressOf(access);
  code.at(OP.get, register);
  code.at(OP.get, locals.first(register));
  code.op(OP.sub64);
  if (op.off !== 0) {
    code.const64(op.off);
    code.op(OP.add64);
  }
  code.at(OP.get, locals.limit(register, needOf(op.size, op.code !== DO.load)));
  code.op(OP.notBelow64);
}

function plain(
  w: Writer,
  access: Access,
  done: (place: Place) => void,
  onStack: (place: Place) => void,
): void {
  const { plan, slot, op, isCalled } = access;
  if (plan === PLAN.surelyPlain) {
    w.exitIf(slot, () => pushBeyond(w, access));
    done(placeOf(w, access));
    return;
  }
  const place = { base: LOCAL.at, offset: Math.max(0, op.off) };
  const otherwise = (): void =>
    stackOrMachine(w, op, {
      register: addressOf(access),
      offset: place.offset,
      place: () => placeOf(w, access),
      pushNotData: () => pushNotData(w, access, place),
      onStack: () => onStack(place),
      byMachine: () => byMachine(w, access),
    });
  pushBeyond(w, access);
  either(
    w,
    () => (isCalled ? otherwise() : byMachine(w, access)),
    () => done(placeOf(w, access)),
  );
}

/** Somewhere in the function's own stack, aligned; or the machine does it. */
function somewhere(w: Writer, access: Access, done: (place: Place) => void): void {
  const { code } = w;
  const { op } = access;
  code.at(OP.get, addressOf(access));
  code.at(OP.get, FRAME_POINTER);
  code.op(OP.sub64);
  code.const64(STACK_SIZE + op.off);
  code.op(OP.add64);
  code.const64(STACK_SIZE - op.size + 1);
  code.op(OP.notBelow64);
  if (op.size > 1) {
    placeOf(w, access);
    code.at(OP.get, LOCAL.at);
    code.const32(Math.max(0, op.off));
    code.op(OP.add32);
    code.const32(op.size - 1);
    code.op(OP.and32);
    code.op(OP.or32);
  }
  either(
    w,
    () => byMachine(w, access),
    () => done(placeOf(w, access)),
  );
}

// --- Loads

/** Keeps a load's result, which is a number. */
function keepNumber(w: Writer, { op, gives, needs }: Access): void {
  w.code.at(OP.set, op.dst);
  if (!isDynamic(gives)) return;
  w.code.const32(SCALAR_RECORD);
  w.setRegion(op.dst);
  w.forbid(op.dst, needs);
}

export function load(w: Writer, access: Access): void {
  const { plan, planOffset, slot, op } = access;
  const number = (place: Place): void => {
    effect(w, access, place);
    keepNumber(w, access);
  };
  switch (plan) {
    case PLAN.plain:
    case PLAN.surelyPlain:
      return plain(w, access, number, number);
    case PLAN.bytes:
      return number(placeOf(w, access));
    case PLAN.context:
      return number({ base: LOCAL.context, offset: planOffset });
    case PLAN.packetPointer:
      return packetPointer(w, access);
    case PLAN.stack:
      return stackLoad(w, access, { base: LOCAL.stack, offset: planOffset });
    case PLAN.stackSomewhere:
      return somewhere(w, access, (place) => stackLoad(w, access, place));
    case PLAN.leave:
      w.checkRead(op.src, slot);
      return w.exit(slot);
    default:
      return byMachine(w, access);
  }
}

function packetPointer(w: Writer, { op, slot, planOffset, needs }: Access): void {
  const { code } = w;
  w.exitIf(slot, () => {
    code.const32(0);
    code.memory(OP.load32, 4, PACKET_AT);
    code.at(OP.tee, LOCAL.region + op.dst);
    code.op(OP.eqz32);
  });
  code.const32(0);
  code.memory(OP.load64, 8, PACKET_AT + planOffset);
  code.at(OP.set, op.dst);
  w.refresh(op.dst, needs);
}

/** Of bytes of the function's own stack, by their marks. */
function stackLoad(w: Writer, access: Access, place: Place): void {
  const { op, gives } = access;
  const number = (): void => {
    effect(w, access, place);
    keepNumber(w, access);
  };
  if (!isDynamic(gives) && op.size === SLOT) return number();
  if (op.size === SLOT) return wholeSlot(w, access, place, number);
  pushAreData(w, access, place);
  either(w, number, () => byMachine(w, access));
}

/** Pushes whether some of the bytes are not data. */
function pushNotData(w: Writer, access: Access, place: Place): void {
  if (access.op.size === SLOT) pushIsNumber(w, access, place);
  else pushAreData(w, access, place);
  w.code.op(OP.eqz32);
}

/** Pushes whether all of the bytes, fewer than 8, are data, or may be read although they were never written. */
function pushAreData(w: Writer, { op, allowsUnwritten }: Access, { base, offset }: Place): void {
  const { code } = w;
  code.at(OP.get, base);
  if (op.size === 4) code.memory(OP.load32, 4, offset + MARKS);
  else code.memory(op.size === 1 ? SIGNED_LOAD8 : SIGNED_LOAD16, op.size, offset + MARKS);
  if (allowsUnwritten) {
    code.const32(1);
    code.op(OP.add32);
    code.const32(2);
    code.op(BELOW32);
  } else {
    code.const32(-1);
    code.op(OP.eq32);
  }
}

const SIGNED_LOAD8 = 0x2c;
const SIGNED_LOAD16 = 0x2e;
const BELOW32 = 0x49;

/** Pushes whether a whole slot is a number, and puts its marks down. */
function pushIsNumber({ code, locals }: Writer, { allowsUnwritten }: Access, { base, offset }: Place): void {
  code.at(OP.get, base);
  code.memory(OP.load64, SLOT, offset + MARKS);
  code.at(OP.tee, locals.marks());
  code.const64(-1);
  code.op(OP.eq64);
  if (!allowsUnwritten) return;
  code.at(OP.get, locals.marks());
  code.op(OP.eqz64);
  code.op(OP.or32);
}

function wholeSlot(w: Writer, access: Access, place: Place, number: () => void): void {
  const { code, locals } = w;
  const { op, needs } = access;
  const { base, offset } = place;
  pushIsNumber(w, access, place);
  either(w, number, () => {
    code.at(OP.get, locals.marks());
    code.constHalves(POINTER_MARKS, POINTER_MARKS);
    code.op(OP.eq64);
    const pointer = (): void => {
      code.at(OP.get, base);
      code.memory(OP.load32, 4, offset + TAGS);
      w.setRegion(op.dst);
      effect(w, access, place);
      code.at(OP.set, op.dst);
      w.refresh(op.dst, needs);
    };
    either(w, pointer, () => byMachine(w, access));
  });
}

// --- Stores

export function store(w: Writer, access: Access): void {
  const { plan, planOffset, slot, op } = access;
  if (op.code === DO.store) w.checkRead(op.src, slot);
  const done = (place: Place): void => effect(w, access, place);
  switch (plan) {
    case PLAN.plain:
    case PLAN.surelyPlain:
      return plain(w, access, done, (place) => {
        done(place);
        markData(w, op.size, place);
      });
    case PLAN.bytes:
      return done(placeOf(w, access));
    case PLAN.stack:
      return stackStore(w, access, { base: LOCAL.stack, offset: planOffset });
    case PLAN.stackSomewhere:
      return somewhere(w, access, (place) => stackStore(w, access, place));
    case PLAN.leave:
      w.checkRead(op.dst, slot);
      return w.exit(slot);
    default:
      return byMachine(w, access);
  }
}

/** Pushes the address of a place, or of the start of its slot. */
function pushSlot(w: Writer, { base }: Place, isKnown: boolean): void {
  const { code } = w;
  code.at(OP.get, base);
  if (isKnown) return;
  code.const32(-SLOT);
  code.op(OP.and32);
}

function stackStore(w: Writer, access: Access, place: Place): void {
  const { code } = w;
  const { op } = access;
  const isKnown = place.base === LOCAL.stack;
  // A place that is not known is at some distance from the register's value: its slot is found by the address alone.
  const exact = isKnown || place.offset === 0 ? place : settled(w, place);
  const first = isKnown ? exact.offset & -SLOT : 0;
  pushSlot(w, exact, isKnown);
  code.memory(OP.load8, 1, first + MARKS);
  if (op.size === SLOT) {
    code.const32(MARK.kept);
    code.op(OP.eq32);
  } else {
    // Part of a pointer, or of what the kernel keeps.
    code.const32(1);
    code.op(OP.sub32);
    code.const32(2);
    code.op(BELOW32);
  }
  either(
    w,
    () => byMachine(w, access),
    () => {
      effect(w, access, exact);
      if (op.size === SLOT) markSlot(w, op, exact);
      else markData(w, op.size, exact);
    },
  );
}

/** The same place without an offset. */
function settled({ code }: Writer, { base, offset }: Place): Place {
  code.at(OP.get, base);
  code.const32(offset);
  code.op(OP.add32);
  code.at(OP.set, base);
  return { base, offset: 0 };
}

function markData(w: Writer, size: number, { base, offset }: Place): void {
  const { code } = w;
  code.at(OP.get, base);
  if (size === SLOT) {
    code.const64(-1);
    code.memory(OP.store64, SLOT, offset + MARKS);
    return;
  }
  code.const32(-1);
  code.memory(size === 4 ? OP.store32 : size === 2 ? OP.store16 : OP.store8, size, offset + MARKS);
}

/** Says what the slot holds: data, or a pointer into the region of the register that was stored. */
function markSlot(w: Writer, op: Op, place: Place): void {
  const { code } = w;
  const kinds = op.code === DO.storeImm ? KIND.number : w.kinds(op.src);
  const pointer = (): void => markPointer(w, op.src, kinds, place);
  if (kinds === KIND.number) markData(w, SLOT, place);
  else if ((kinds & KIND.number) === 0) pointer();
  else {
    w.pushRegion(op.src);
    code.const32(SCALAR_RECORD);
    code.op(OP.eq32);
    either(w, () => markData(w, SLOT, place), pointer);
  }
}

function markPointer(w: Writer, register: number, kinds: number, { base, offset }: Place): void {
  const { code } = w;
  code.at(OP.get, base);
  code.constHalves(POINTER_MARKS, POINTER_MARKS);
  code.memory(OP.store64, SLOT, offset + MARKS);
  code.at(OP.get, base);
  w.pushRegion(register);
  code.memory(OP.store32, 4, offset + TAGS);
  if ((kinds & SOMEWHERE) === 0) return;
  // Of another frame's stack a pointer lies here from now on.
  w.pushRegion(register);
  w.pushRegion(register);
  code.memory(OP.load32, 4, RECORD.escaped);
  w.pushRegion(register);
  code.at(OP.get, LOCAL.stackRegion);
  code.op(OP.ne32);
  code.op(OP.or32);
  code.memory(OP.store32, 4, RECORD.escaped);
}

// --- Atomic operations

export function atomic(w: Writer, access: Access): void {
  const { plan, op, slot } = access;
  if (plan !== PLAN.bytes) return byMachine(w, access);
  w.checkRead(op.src, slot);
  if (op.exchange) w.checkRead(0, slot);
  effect(w, access, placeOf(w, access));
  if (op.fetch) w.code.at(OP.set, op.src);
  else if (op.exchange) w.code.at(OP.set, 0);
}
