/** Calls of helpers: who may call, the arguments, what the call does to the state, and its result. */
import { Unsupported } from "../../../semantics/errors.ts";
import type { Instruction } from "../../../semantics/isa/instruction.ts";
import { helperCall, helperFacts } from "../../../semantics/profile/lookup.ts";
import { isGplCompatible } from "../../../semantics/program/license.ts";
import { isInCallback, isOfTimer, OF_CALLER } from "../../callbacks.ts";
import { demand } from "../../origins.ts";
import { acquireReference, REFERENCE, releaseReference } from "../../references.ts";
import {
  FLAG,
  hasFlag,
  isConstant,
  isPacketPointer,
  KIND,
  kindName,
  kindOf,
  referenceOf,
  setConstant,
  setId,
  setNone,
  setPointer,
  setReference,
  setUnknown,
  smallConstant,
} from "../../register.ts";
import { branchOperators, synchronise } from "../../scalar/operators.ts";
import { takeId } from "../../state.ts";
import { DYNPTR, isInPacket, isPacketBuffer, removeDynptrs } from "../dynptr-slots.ts";
import { requireFormat } from "../format.ts";
import { giveOfProcessor } from "../kernel-address.ts";
import { typesOf } from "../kernel-object.ts";
import { giveExchanged } from "../kptr.ts";
import { type Machine, mapAt, register, SCRATCH } from "../machine.ts";
import { holdsAnyLock, isToLock } from "../map-fields.ts";
import { endPointers } from "../privileges.ts";
import { reject } from "../rejection.ts";
import { maySleep, requireHelperMaySleep } from "../sections.ts";
import { markWritten } from "../stack.ts";
import { checkArgument, checkMapFits } from "./arguments.ts";
import { type CallFacts, holdsSockets, newCall } from "./facts.ts";
import { requireNothingHeld } from "./function.ts";

/** Executes a call of the helper with number `insn.imm`. */
export const callHelper = (m: Machine, insn: Instruction): void => endCall(m, checkCall(m, insn));

/** Checks that the helper may be called so, and with these arguments. */
export function checkCall(m: Machine, insn: Instruction): CallFacts {
  const call = lookUp(m, insn.imm);
  if (holdsAnyLock(m) && !WHILE_LOCKED.has(call.helper.name)) {
    reject("EINVAL", "function calls are not allowed while holding a lock");
  }
  if (call.prototype.sleeps === true) requireHelperMaySleep(m, call.label);
  call.prototype.args.forEach((argument, index) => checkArgument(m, call, argument, index + 1));
  checkMapFits(m, call);
  if (call.helper.name === "tail_call") requireTailCall(m);
  if (call.helper.name === "get_local_storage") requireNoFlags(m);
  if (call.helper.name === "dynptr_from_mem") requireValue(register(m, 1));
  if (changesPacket(call)) requireNoSlice(m, call);
  if (call.helper.name === "snprintf" && call.text !== undefined) requireFormat(call.text, register(m, 5));
  return call;
}

/** What the call does to the state, and its result. */
export function endCall(m: Machine, call: CallFacts): void {
  for (const { target, size, certain } of call.filled) {
    if (kindOf(target.at) === KIND.stack) markWritten(m, target, size, certain);
  }
  if (call.released !== undefined) release(m, referenceOf(call.released.at));
  if (call.releasedDynptr !== undefined && call.dynptr !== undefined) {
    removeDynptrs(m, call.dynptr.life);
    release(m, call.dynptr.life);
  }
  for (let r = 1; r <= 5; r += 1) setNone(register(m, r));
  if (changesPacket(call)) forgetPackets(m);
  giveResult(m, call);
}

/** A helper that calls back has to get its answer. */
function requireTailCall(m: Machine): void {
  requireNothingHeld(m, "tail_call");
  if (isInCallback(m.state)) reject("EINVAL", "cannot tail call within callback");
}

/** The flags in r2 are for times to come. */
function requireNoFlags(m: Machine): void {
  const flags = register(m, 2);
  demand(m.marks, flags);
  if (kindOf(flags) === KIND.scalar && isConstant(flags) && smallConstant(flags) === 0) return;
  reject("EINVAL", "get_local_storage() doesn't support non-zero flags");
}

/** Memory of the packet may be gone by the time that the helper reads it, if the helper moves the packet first. */
function requireNoSlice(m: Machine, { prototype }: CallFacts): void {
  prototype.args.forEach(({ kind }, index) => {
    const isMemory = kind !== "anything" && hasFlag(kindOf(register(m, index + 1)), FLAG.inPacket);
    if (isMemory) reject("EACCES", "helper access to the packet is not allowed");
  });
}

/** A dynptr of memory outlives the call: only a map's value does so, too. */
function requireValue(at: number): void {
  if (kindOf(at) === KIND.mapValue) return;
  reject("EACCES", `Unsupported reg type ${kindName(kindOf(at))} for bpf_dynptr_from_mem data`);
}

/** Helpers that may be called with a lock held. */
const WHILE_LOCKED: ReadonlySet<string> = new Set(["spin_unlock", "kptr_xchg"]);

/** The helper as programs of this kind get it, if they do. */
function lookUp(m: Machine, id: number): CallFacts {
  const { program, profile, facts } = m;
  const helper = helperFacts(profile, id);
  if (helper === undefined) return reject("EINVAL", `invalid func unknown#${id}`);
  const label = `bpf_${helper.name}#${id}`;
  const { permission, prototype } = helperCall(profile, facts, id) ?? {};
  if (permission === "forbidden" || permission === undefined || m.rights.withoutHelpers.has(id)) {
    return reject("EINVAL", `program of this type cannot use helper ${label}`);
  }
  if (permission === "gpl_only" && !isGplCompatible(program.license)) {
    reject("EINVAL", "cannot call GPL-restricted function from non-GPL compatible program");
  }
  if (prototype === undefined) throw new Unsupported(`helper ${label}`);
  if (OF_CALLER.has(helper.name) && isOfTimer(m.state)) {
    throw new Unsupported(`helper ${label} in what a timer calls`);
  }
  if (prototype.sleeps === true && !maySleep(m)) {
    reject("EINVAL", "helper call might sleep in a non-sleepable prog");
  }
  return newCall(helper, prototype);
}

/** Everything that rests on the reference is a number from now on. */
export function release(m: Machine, id: number): void {
  if (!releaseReference(m.state, id)) reject("EINVAL", `reference ${id} has not been acquired before`);
  endPointers(m, (at) => referenceOf(at) === id);
}

/** A write through a dynptr may reach the packet, too. */
const changesPacket = ({ helper, dynptr }: CallFacts): boolean =>
  helper.changesPacket === true ||
  (helper.name === "dynptr_write" && dynptr !== undefined && isPacketBuffer(dynptr.kind));

/** Pointers into a packet that may have moved are numbers from now on. */
function forgetPackets(m: Machine): void {
  endPointers(m, (at) => {
    const kind = kindOf(at);
    return isPacketPointer(kind) || kind === KIND.packetEnd || hasFlag(kind, FLAG.inPacket);
  });
}

/** Helpers whose result has to be given back. */
const ACQUIRES: ReadonlySet<string> = new Set([
  "sk_lookup_tcp",
  "sk_lookup_udp",
  "skc_lookup_tcp",
  "ringbuf_reserve",
  "kptr_xchg",
]);
/** Helpers whose result is the argument in another form: it lives as long as that. */
const CASTS: ReadonlySet<string> = new Set([
  "tcp_sock",
  "get_listener_sock",
  "sk_fullsock",
  "skc_to_tcp_sock",
  "skc_to_tcp6_sock",
  "skc_to_udp6_sock",
  "skc_to_mptcp_sock",
  "skc_to_tcp_timewait_sock",
  "skc_to_tcp_request_sock",
  "skc_to_unix_sock",
]);

/** Helpers whose result is how many bytes they have written, or an error's number, negated. */
const COUNTS_BYTES: ReadonlySet<string> = new Set([
  "get_stack",
  "get_task_stack",
  "probe_read_str",
  "probe_read_kernel_str",
  "probe_read_user_str",
]);
/** The greatest number of an error (MAX_ERRNO in linux/err.h). */
const MAX_ERRNO = 4095;

/** Makes the number at `at` one from -4095 to `greatest`. */
function setCount(at: number, greatest: number): void {
  setConstant(SCRATCH.operand, -MAX_ERRNO, -1);
  branchOperators("jsge", 64).taken(at, SCRATCH.operand);
  setConstant(SCRATCH.operand, greatest, 0);
  branchOperators("jsle", 64).taken(at, SCRATCH.operand);
  synchronise(at);
}

function giveResult(m: Machine, call: CallFacts): void {
  const r0 = register(m, 0);
  const { kind, flags } = call.prototype.returns;
  const orNull = flags?.includes("ptr_maybe_null") === true ? FLAG.orNull : 0;
  switch (kind) {
    case "void":
      return setNone(r0);
    case "integer":
      setUnknown(r0);
      if (COUNTS_BYTES.has(call.helper.name)) setCount(r0, call.filled.at(-1)?.size ?? 0);
      return;
    case "map_value":
      giveMapValue(m, call, r0, orNull);
      break;
    case "socket":
      setPointer(r0, KIND.socket | orNull, 0);
      break;
    case "sock_common":
      setPointer(r0, KIND.sockCommon | orNull, 0);
      break;
    case "tcp_sock":
      setPointer(r0, KIND.tcpSock | orNull, 0);
      break;
    case "mem": {
      const ringbuf = flags?.includes("mem_ringbuf") === true ? FLAG.ringbuf : 0;
      const readOnly = flags?.includes("mem_rdonly") === true ? FLAG.readOnly : 0;
      setPointer(r0, KIND.memory | orNull | ringbuf | readOnly | sliceFlag(call), call.allocated);
      break;
    }
    case "mem_or_btf_id":
      if (call.ofProgram) setPointer(r0, KIND.btf | FLAG.allocated | FLAG.rcu | orNull, call.struct);
      else giveOfProcessor(m, r0, call.struct, orNull);
      break;
    case "btf_id": {
      if (call.kptr !== undefined) {
        giveExchanged(m, call.kptr, r0);
        break;
      }
      const { type } = call.prototype.returns;
      const struct = type === undefined ? undefined : typesOf(m).structId(type);
      if (struct === undefined) throw new Unsupported(`result of helper ${call.label}`);
      const trusted = flags?.includes("ptr_trusted") === true ? FLAG.trusted : 0;
      setPointer(r0, KIND.btf | orNull | trusted, struct);
      break;
    }
    default:
      throw new Unsupported(`result of helper ${call.label}`);
  }
  if ((kindOf(r0) & FLAG.orNull) !== 0 || isToLock(m, r0)) setId(r0, takeId(m.state));
  giveReference(m, call, r0);
}

/** What lies in a map: a value of bytes, or something that a value only stands for. */
function giveMapValue(m: Machine, { mapIndex, certainlyFound }: CallFacts, r0: number, orNull: number): void {
  const inner = m.inner.get(mapIndex);
  const { type } = mapAt(m, mapIndex);
  if (inner !== undefined) setPointer(r0, KIND.map | orNull, inner);
  else if (type === "xskmap") setPointer(r0, KIND.xdpSock | orNull, 0);
  else if (holdsSockets(type)) setPointer(r0, KIND.socket | orNull, 0);
  else setPointer(r0, certainlyFound ? KIND.mapValue : KIND.mapValue | orNull, mapIndex);
}

/** What is given of a packet's memory goes with the packet; of a dynptr that may be of one, what helpers give is none of it. */
const sliceFlag = ({ dynptr }: CallFacts): number =>
  dynptr !== undefined && dynptr.kind !== DYNPTR.any && isInPacket(dynptr.kind) ? FLAG.inPacket : 0;

function giveReference(m: Machine, { helper, reference, mapIndex, dynptr }: CallFacts, r0: number): void {
  if (helper.name === "dynptr_data" && dynptr !== undefined) {
    setReference(r0, dynptr.life);
    return;
  }
  const fromSockets = helper.name === "map_lookup_elem" && holdsSockets(m.maps[mapIndex]?.type);
  if (fromSockets || ACQUIRES.has(helper.name)) {
    const id = takeId(m.state);
    acquireReference(m.state, id, REFERENCE.object, m.pc);
    setId(r0, id);
    setReference(r0, id);
  } else if (CASTS.has(helper.name) && reference !== 0) setReference(r0, reference);
}
