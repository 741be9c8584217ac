/** All kinds of steps, each as often as it is wanted. */
import {
  bounded,
  chained,
  constant,
  copy,
  fork,
  linked,
  run,
  unary,
  wide,
  withImmediate,
  withRegister,
} from "./arithmetic.ts";
import type { Emit } from "./context.ts";
import { ofPacket, ofRecord, ofValue } from "./dynptrs.ts";
import { ask, field, fieldWritten, text } from "./fields.ts";
import { between, branch, choice, clamp, fork2, frameChoice, slotChoice } from "./flow.ts";
import { callFunction, tailCall } from "./functions.ts";
import { anyHelper } from "./helper-calls.ts";
import { callBack, drain, forEach, iterate, iterateBits, loop, loopToNumber, mayGoto } from "./loops.ts";
import {
  access,
  atomic,
  change,
  compareNull,
  global,
  index,
  lookup,
  lookupElsewhere,
  lookupTwice,
  moved,
  ordered,
  reach,
} from "./memory.ts";
import {
  heldRecord,
  interrupts,
  lock,
  record,
  resilientLock,
  section,
  socket,
  socketField,
  timer,
} from "./objects.ts";
import { exchanged, owned, ownedEach, peek, put, take, thrown } from "./own-objects.ts";
import { distance, headers, legacy, packet, packetIndex } from "./packets.ts";
import { shaped } from "./shapes.ts";
import { fill, linkedSlot, overwrite, spill, stackIndex, stackWords } from "./stack.ts";

const WEIGHTS = {
  constant: [constant, 2],
  wide: [wide, 1],
  copy: [copy, 4],
  withImmediate: [withImmediate, 7],
  withRegister: [withRegister, 6],
  unary: [unary, 3],
  bounded: [bounded, 5],
  fork: [fork, 3],
  run: [run, 6],
  linked: [linked, 4],
  chained: [chained, 3],
  shaped: [shaped, 6],
  clamp: [clamp, 4],
  between: [between, 2],
  branch: [branch, 5],
  fork2: [fork2, 3],
  choice: [choice, 4],
  slotChoice: [slotChoice, 2],
  frameChoice: [frameChoice, 1],
  loop: [loop, 3],
  loopToNumber: [loopToNumber, 1],
  mayGoto: [mayGoto, 1],
  iterate: [iterate, 2],
  iterateBits: [iterateBits, 1],
  callFunction: [callFunction, 3],
  callBack: [callBack, 2],
  forEach: [forEach, 1],
  drain: [drain, 1],
  tailCall: [tailCall, 1],
  thrown: [thrown, 1],
  spill: [spill, 6],
  fill: [fill, 7],
  overwrite: [overwrite, 2],
  linkedSlot: [linkedSlot, 2],
  stackIndex: [stackIndex, 2],
  stackWords: [stackWords, 2],
  packet: [packet, 5],
  headers: [headers, 3],
  packetIndex: [packetIndex, 4],
  distance: [distance, 1],
  legacy: [legacy, 1],
  access: [access, 8],
  index: [index, 7],
  reach: [reach, 6],
  moved: [moved, 2],
  compareNull: [compareNull, 2],
  lookup: [lookup, 4],
  lookupElsewhere: [lookupElsewhere, 1],
  lookupTwice: [lookupTwice, 1],
  global: [global, 3],
  change: [change, 2],
  atomic: [atomic, 4],
  ordered: [ordered, 1],
  ask: [ask, 4],
  field: [field, 4],
  fieldWritten: [fieldWritten, 1],
  text: [text, 1],
  anyHelper: [anyHelper, 9],
  record: [record, 1],
  heldRecord: [heldRecord, 2],
  socket: [socket, 1],
  socketField: [socketField, 1],
  lock: [lock, 1],
  resilientLock: [resilientLock, 1],
  section: [section, 1],
  interrupts: [interrupts, 1],
  timer: [timer, 1],
  owned: [owned, 1],
  ownedEach: [ownedEach, 1],
  exchanged: [exchanged, 1],
  put: [put, 1],
  take: [take, 1],
  peek: [peek, 1],
  ofValue: [ofValue, 2],
  ofRecord: [ofRecord, 1],
  ofPacket: [ofPacket, 2],
} as const satisfies Readonly<Record<string, readonly [emit: Emit, weight: number]>>;

export interface NamedStep {
  readonly name: string;
  readonly emit: Emit;
}

/** Each step by its name, as often as it is wanted. */
export const STEPS: readonly NamedStep[] = Object.entries(WEIGHTS).flatMap(([name, [emit, weight]]) =>
  Array.from({ length: weight }, () => ({ name, emit })),
);

/** The names of all kinds of steps. */
export const STEP_NAMES: readonly string[] = Object.keys(WEIGHTS);
