/** Calls of helpers and of the program's own functions, and returns. */

import { Unsupported } from "../../semantics/errors.ts";
import { helperPermission, helperSleeps, isGplCompatible } from "../../semantics/helpers/allow.ts";
import { HELPER_NAMES } from "../../semantics/helpers/names.ts";
import { type ArgumentKind, type HelperPrototype, prototypeOf } from "../../semantics/helpers/prototypes.ts";
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { MAP_FLAGS, MAP_TYPES, type MapDefinition } from "../../semantics/program/map-types.ts";
import { demand } from "../origins.ts";
import {
  component64,
  copyRegister,
  isConstant,
  isPacketPointer,
  isPointer,
  KIND,
  kindName,
  kindOf,
  objectOf,
  setId,
  setNone,
  setPointer,
  setUnknown,
  smallConstant,
  sminOf,
  umaxOf,
  uminOf,
} from "../register.ts";
import { LAYOUT } from "../scalar/operators.ts";
import { forEachRegister, MAX_FRAMES, popFrame, pushFrame, registerAt, returnTo, takeId } from "../state.ts";
import { requireUnmoved } from "./access.ts";
import {
  currentFrame,
  type Machine,
  mapAt,
  readable,
  register,
  STEP,
  type Step,
  type Target,
} from "./machine.ts";
import { checkMapValue, checkPacket, requireWritablePacket } from "./region.ts";
import { reject } from "./rejection.ts";
import { constantAt, markWritten, requireReadable } from "./stack.ts";

/** Sizes from here on are not bounds at all. */
const MAX_SIZE = 2 ** 29;

// --- Helpers

/** What the arguments so far have said that later ones, and the result, depend on. */
interface CallFacts {
  readonly helper: HelperPrototype;
  readonly label: string;
  mapIndex: number;
  /** The result of a look-up cannot be null: an array, and a constant index inside it. */
  certainlyFound: boolean;
  /** Buffers that the helper fills, once all arguments are checked. */
  readonly filled: { readonly target: Target; readonly size: number; readonly certain: boolean }[];
}

export function callHelper(m: Machine, insn: Instruction): void {
  const id = insn.imm;
  const name = HELPER_NAMES[id];
  if (name === undefined) reject("EINVAL", `invalid func unknown#${id}`);
  const label = `bpf_${name}#${id}`;
  const { program } = m;
  const permission = helperPermission(program.type, id, program.attach);
  if (permission === undefined) throw new Unsupported(`helpers of program type ${program.type}`);
  if (permission === "forbidden") reject("EINVAL", `program of this type cannot use helper ${label}`);
  if (permission === "gpl_only" && !isGplCompatible(program.license)) {
    reject("EINVAL", "cannot call GPL-restricted function from non-GPL compatible program");
  }
  if (helperSleeps(id) && !program.flags.includes("sleepable")) {
    reject("EINVAL", "helper call might sleep in a non-sleepable prog");
  }
  const helper = prototypeOf(id);
  if (helper === undefined) throw new Unsupported(`helper ${label}`);
  const facts: CallFacts = { helper, label, mapIndex: -1, certainlyFound: false, filled: [] };
  helper.arguments.forEach((kind, index) => checkArgument(m, facts, kind, index + 1));
  for (const { target, size, certain } of facts.filled) {
    if (kindOf(target.at) === KIND.stack) markWritten(m, target, size, certain);
  }
  for (let r = 1; r <= 5; r += 1) setNone(register(m, r));
  if (helper.changesPacket === true) forgetPackets(m);
  giveResult(m, facts);
}

/** Pointers into a packet that may have moved are numbers from now on. */
function forgetPackets(m: Machine): void {
  forEachRegister(m.state, (at) => {
    if (isPacketPointer(kindOf(at)) || kindOf(at) === KIND.packetEnd) setUnknown(at);
  });
}

function giveResult(m: Machine, { helper, mapIndex, certainlyFound }: CallFacts): void {
  const r0 = register(m, 0);
  if (helper.returns === "nothing") return setNone(r0);
  if (helper.returns === "number") return setUnknown(r0);
  const inner = m.inner.get(mapIndex);
  const kind = inner !== undefined ? KIND.mapOrNull : certainlyFound ? KIND.mapValue : KIND.mapValueOrNull;
  setPointer(r0, kind, inner ?? mapIndex);
  if (kind !== KIND.mapValue) setId(r0, takeId(m.state));
}

function checkArgument(m: Machine, facts: CallFacts, kind: ArgumentKind, number: number): void {
  const at = readable(m, number);
  const target: Target = { number, at, off: 0 };
  switch (kind) {
    case "anything":
      return;
    case "context":
      requireKind(target, KIND.context);
      return requireUnmoved(target, "ctx");
    case "map":
      requireKind(target, KIND.map);
      facts.mapIndex = objectOf(at);
      return checkMapFits(facts, mapAt(m, facts.mapIndex));
    case "key": {
      const map = mapAt(m, facts.mapIndex);
      checkMemory(m, facts, target, map.keySize, "read");
      facts.certainlyFound = isCertainlyFound(m, facts, map, target);
      return;
    }
    case "value":
      return checkMemory(m, facts, target, mapAt(m, facts.mapIndex).valueSize, "read");
    case "bytes":
    case "bytes_or_null":
    case "bytes_out":
      // Checked together with the size that follows.
      return;
    case "size":
    case "size_or_zero":
      return checkSized(m, facts, kind === "size_or_zero", number);
  }
}

function requireKind({ number, at }: Target, wanted: number): void {
  const kind = kindOf(at);
  if (kind !== wanted) {
    reject("EACCES", `R${number} type=${kindName(kind)} expected=${kindName(wanted)}`);
  }
}

function checkMapFits({ helper, label }: CallFacts, map: MapDefinition): void {
  if (helper.maps !== undefined && !helper.maps.includes(map.type)) {
    if (helper.name === "tail_call") reject("EINVAL", "expected prog array map for tail call");
    reject("EINVAL", `cannot pass map_type ${MAP_TYPES.indexOf(map.type)} into func ${label}`);
  }
  const writes = helper.name === "map_update_elem" || helper.name === "map_delete_elem";
  if (writes && (map.flags & MAP_FLAGS.rdonly_prog) !== 0) reject("EACCES", "write into map forbidden");
  if (helper.name === "map_lookup_elem" && (map.flags & MAP_FLAGS.wronly_prog) !== 0) {
    reject("EACCES", "read from map forbidden");
  }
}

function isCertainlyFound(m: Machine, { helper }: CallFacts, map: MapDefinition, key: Target): boolean {
  if (helper.name !== "map_lookup_elem" || (map.type !== "array" && map.type !== "percpu_array"))
    return false;
  if (kindOf(key.at) !== KIND.stack) return false;
  // An inner array may be smaller than its shape says, if the shape allows for that.
  if ((map.flags & MAP_FLAGS.inner_map) !== 0) return false;
  const index = constantAt(m, key, 4);
  return index !== undefined && index < map.maxEntries;
}

/** The pair of a memory argument and the size in register `number`. */
function checkSized(m: Machine, facts: CallFacts, zeroAllowed: boolean, number: number): void {
  const memoryKind = facts.helper.arguments[number - 2];
  const size = register(m, number);
  const target: Target = { number: number - 1, at: readable(m, number - 1), off: 0 };
  if (isPointer(kindOf(size))) {
    reject("EACCES", `R${number} type=${kindName(kindOf(size))} expected=scalar`);
  }
  demand(m.marks, size);
  if (sminOf(size) < 0) {
    reject("EACCES", `R${number} min value is negative, either use unsigned or 'var &= const'`);
  }
  if (uminOf(size) === 0 && !zeroAllowed) {
    const [least, greatest] = [component64(size, LAYOUT.umin), component64(size, LAYOUT.umax)];
    reject("EACCES", `R${number} invalid zero-sized read: u64=[${least},${greatest}]`);
  }
  const greatest = umaxOf(size);
  if (greatest >= MAX_SIZE) {
    reject("EACCES", `R${number} unbounded memory access, use 'var &= const' or 'if (var < const)'`);
  }
  const isNull = kindOf(target.at) === KIND.scalar && smallConstant(target.at) === 0 && isConstant(target.at);
  if (isNull) demand(m.marks, target.at);
  if (isNull && (memoryKind === "bytes_or_null" || zeroAllowed)) {
    if (greatest === 0) return;
    reject("EACCES", `R${target.number} type=scalar expected=fp`);
  }
  if (memoryKind !== "bytes_out") return checkMemory(m, facts, target, greatest, "read");
  checkMemory(m, facts, target, greatest, "write");
  facts.filled.push({ target, size: greatest, certain: uminOf(size) === greatest });
}

function rejectMemory({ number, at }: Target): never {
  const name = kindName(kindOf(at));
  return reject(
    "EACCES",
    `R${number} type=${name} expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_`,
  );
}

/** `size` bytes that a helper reads or writes. */
function checkMemory(
  m: Machine,
  { helper }: CallFacts,
  target: Target,
  size: number,
  direction: "read" | "write",
): void {
  switch (kindOf(target.at)) {
    case KIND.stack:
      if (direction === "read") requireReadable(m, target, size);
      return;
    case KIND.mapValue:
      if (size > 0) checkMapValue(m, target, size, direction);
      return;
    case KIND.packet:
    case KIND.packetMeta:
      if (helper.packetMemory !== true) reject("EACCES", "helper access to the packet is not allowed");
      if (direction === "write") requireWritablePacket(m);
      return checkPacket(target, size);
    default:
      return rejectMemory(target);
  }
}

// --- The program's own functions

/** Enters the function that starts at `start`: its frame gets the arguments, and nothing else is readable in it. */
export function callFunction(m: Machine, start: number): void {
  const caller = currentFrame(m);
  if (caller + 1 >= MAX_FRAMES) reject("E2BIG", `the call stack of ${caller + 2} frames is too deep`);
  const callee = pushFrame(m.state, start, m.pc + 1);
  for (let r = 1; r <= 5; r += 1) {
    copyRegister(registerAt(m.state, caller, r), registerAt(m.state, callee, r));
    setNone(registerAt(m.state, caller, r));
  }
  setNone(registerAt(m.state, caller, 0));
  m.pc = start;
}

/** Leaves the current function, or ends the program. */
export function exit(m: Machine): Step {
  const frame = currentFrame(m);
  const result = readable(m, 0);
  if (frame === 0) {
    checkReturnValue(m, result);
    return STEP.exit;
  }
  if (kindOf(result) === KIND.stack) reject("EINVAL", "cannot return stack pointer to the caller");
  const pc = returnTo(m.state, frame);
  copyRegister(result, registerAt(m.state, frame - 1, 0));
  popFrame(m.state);
  m.pc = pc;
  return STEP.next;
}

/** The range of the program's result, where the program type prescribes one. */
function checkReturnValue(m: Machine, result: number): void {
  const limit =
    m.program.type !== "cgroup_skb" ? undefined : m.program.attach === "cgroup_inet_egress" ? 3 : 1;
  if (limit === undefined) return;
  demand(m.marks, result);
  if (kindOf(result) !== KIND.scalar) {
    reject("EINVAL", `At program exit the register R0 is not a known value (${kindName(kindOf(result))})`);
  }
  if (umaxOf(result) > limit) {
    const [least, greatest] = [component64(result, LAYOUT.smin), component64(result, LAYOUT.smax)];
    const signed = (x: bigint): bigint => BigInt.asIntN(64, x);
    reject(
      "EINVAL",
      `At program exit the register R0 has smin=${signed(least)} smax=${signed(greatest)} should have been in [0, ${limit}]`,
    );
  }
}
