/** One instruction of the abstract machine: the table's operations, each to its transfer function. */
import { Unsupported } from "../../semantics/errors.ts";
import { callingBack } from "../../semantics/helpers/callbacks.ts";
import { helperId } from "../../semantics/helpers/names.ts";
import type { Instruction, Size } from "../../semantics/isa/instruction.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import { isOfWork } from "../callbacks.ts";
import { KIND, kindOf, setConstant, setOff, setPointer, setScalar, setUnknown } from "../register.ts";
import { load, store, targetOf } from "./access.ts";
import { castAddressSpace, loadArenaValue } from "./arena-pointers.ts";
import { alu } from "./arithmetic.ts";
import { atomic, loadAcquire, storeRelease } from "./atomic.ts";
import { jump } from "./branch.ts";
import { callBack } from "./call/callback.ts";
import { callFunction, exit } from "./call/function.ts";
import { callGlobal, globalCallee } from "./call/global.ts";
import { callHelper } from "./call/helper.ts";
import { leaveByTailCall } from "./call/tail-call.ts";
import { requireDirectValue } from "./direct-value.ts";
import { loadKernelAddress } from "./kernel-address.ts";
import { callKernelFunction } from "./kfunc/call.ts";
import {
  currentFrame,
  instructionAt,
  type Machine,
  readable,
  SCRATCH,
  STEP,
  type Step,
  writable,
} from "./machine.ts";
import { requireCompatible } from "./map-compatibility.ts";
import { mayGoto } from "./may-goto.ts";
import { loadPacket } from "./packet-load.ts";
import { requireNoLeak } from "./privileges.ts";
import { reject } from "./rejection.ts";

/**
 * Executes the instruction at `m.pc` on the live state. On `STEP.next` the state stands at the new `m.pc`; on `STEP.fork` so does the live
 * state, and `m.forked` at `m.forkedPc`; on `STEP.exit` the program has ended.
 *
 * @throws Rejection  if the instruction is not safe in this state
 * @throws Unsupported  if it is not modelled
 */
export function step(m: Machine): Step {
  const insn = instructionAt(m, m.pc);
  const { operation } = insn.row;
  switch (operation.kind) {
    case "alu":
      alu(m, insn, operation);
      break;
    case "jump":
      return jump(m, insn, operation);
    case "goto":
      m.pc += 1 + (operation.wide ? insn.imm : insn.off);
      return STEP.next;
    case "load":
      loadRegister(m, insn, operation.size, operation.signed);
      break;
    case "store":
      storeRegister(m, insn, operation.size, operation.operand);
      break;
    case "load_acquire":
      loadAcquire(m, insn, operation.size);
      break;
    case "store_release":
      storeRelease(m, insn, operation.size);
      break;
    case "atomic":
      atomic(m, insn, operation);
      break;
    case "packet":
      return loadPacket(m, insn, operation);
    case "ld_imm64":
      loadImmediate(m, insn, operation.load);
      m.pc += 2;
      return STEP.next;
    case "call":
      return call(m, insn, operation.callee);
    case "exit":
      return exit(m);
    case "may_goto":
      return mayGoto(m, insn);
    case "addr_space_cast":
      castAddressSpace(m, insn);
      break;
  }
  m.pc += 1;
  return STEP.next;
}

function loadRegister(m: Machine, insn: Instruction, size: Size, signed: boolean): void {
  const from = targetOf(m, insn.src, insn.off);
  load(m, from, size, signed, writable(m, insn.dst));
}

function storeRegister(m: Machine, insn: Instruction, size: Size, operand: "imm" | "reg"): void {
  let value: number = SCRATCH.left;
  if (operand === "reg") value = readable(m, insn.src);
  else setConstant(value, insn.imm, insn.imm >> 31);
  const to = targetOf(m, insn.dst, insn.off);
  if (operand === "reg") requireNoLeak(m, insn.src, value, to);
  else if (kindOf(to.at) === KIND.context && !m.profile.contextStoresImmediate) {
    reject("EACCES", `BPF_ST stores into R${insn.dst} ctx is not allowed`);
  }
  store(m, to, size, value);
}

/** The program's map that a 16-byte load refers to. */
function requireMap({ program, profile, facts, state }: Machine, index: number): MapDefinition {
  const map = program.maps[index];
  if (map === undefined) return reject("EINVAL", `fd ${index} is not pointing to valid bpf_map`);
  if (facts.forbiddenMaps?.includes(map.type) === true) {
    if (!program.flags.includes("sleepable"))
      throw new Unsupported(`map type ${map.type} in ${program.type}`);
    reject("EINVAL", "Sleepable programs can only use array, hash, ringbuf and local storage maps");
  }
  if (isOfWork(state) && !WHILE_ASLEEP.has(map.type)) {
    throw new Unsupported(`map type ${map.type} in what a work queue calls`);
  }
  requireCompatible(program, profile, map);
  return map;
}

/** Maps whose elements stay while a program sleeps that holds them, and whose type the kernel permits to programs that may sleep. */
const WHILE_ASLEEP: ReadonlySet<MapDefinition["type"]> = new Set([
  "hash",
  "lru_hash",
  "array",
  "percpu_hash",
  "percpu_array",
  "lru_percpu_hash",
  "ringbuf",
  "array_of_maps",
  "hash_of_maps",
]);

/** Callbacks are functions that a program has for itself, and of which its BTF says so. */
function requireStatic({ program }: Machine, start: number): void {
  const found = program.functions.find(({ insn }) => insn === start);
  if (found?.typeId === undefined) reject("EINVAL", "missing btf func_info");
  if (found.linkage !== "static") reject("EINVAL", "callback function not static");
}

function loadImmediate(m: Machine, insn: Instruction, load: string): void {
  const to = writable(m, insn.dst);
  switch (load) {
    case "const":
      if (m.ksyms.has(m.pc)) return setUnknown(to);
      setConstant(to, insn.imm, insn.immHigh);
      setScalar(to);
      return;
    case "func": {
      const start = m.pc + 1 + insn.imm;
      requireStatic(m, start);
      setPointer(to, KIND.func, start);
      return;
    }
    case "btf_id":
      return loadKernelAddress(m, insn, to);
    case "map_fd":
      requireMap(m, insn.imm);
      setPointer(to, KIND.map, insn.imm);
      return;
    case "map_value": {
      const map = requireMap(m, insn.imm);
      if (map.type === "arena") return loadArenaValue(map, insn.immHigh >>> 0, to);
      requireDirectValue(map, insn.immHigh >>> 0);
      setPointer(to, KIND.mapValue, insn.imm);
      setOff(to, insn.immHigh);
      return;
    }
    default:
      throw new Unsupported(`16-byte load of kind ${load}`);
  }
}

const TAIL_CALL = helperId("tail_call");

function call(m: Machine, insn: Instruction, callee: "helper" | "subprogram" | "kfunc"): Step {
  switch (callee) {
    case "helper": {
      const calling = callingBack(insn);
      if (calling !== undefined) return callBack(m, insn, calling);
      callHelper(m, insn);
      m.pc += 1;
      return insn.imm === TAIL_CALL && currentFrame(m) > 0 ? leaveByTailCall(m) : STEP.next;
    }
    case "subprogram": {
      const global = globalCallee(m, insn, m.pc);
      if (global === undefined) callFunction(m, m.pc + 1 + insn.imm);
      else callGlobal(m, global);
      return STEP.next;
    }
    case "kfunc":
      return callKernelFunction(m, insn);
  }
}
