/**
 * What executing one prepared instruction means, whatever it is and whatever becomes of it. It moves bytes, follows pointers' provenance and decides where to go on; what
 * comes out of an operation is the business of the instruction table's effects.
 *
 * Generated code (`dispatch/`, the JIT) executes what is plain by itself and leaves all else to this: every fault is defined here and in what this calls, and nowhere a second time.
 */
import { Unsupported } from "../semantics/errors.ts";
import { HELPER_NAMES } from "../semantics/helpers/names.ts";
import type { Size } from "../semantics/isa/instruction.ts";
import { defaultProfile } from "../semantics/profile/default.ts";
import { programFacts } from "../semantics/profile/lookup.ts";
import { atomicPlace, fetch, kernelAddress, load, put, store } from "./access.ts";
import { arenaAddress, arenaHas, atomicArena, castAddress, isArena } from "./arena-memory.ts";
import { fault } from "./fault.ts";
import { beginCalling, goOnCalling } from "./helpers/callback.ts";
import { invoke } from "./helpers/invoke.ts";
import { guardArguments, loadKernel, storeKernel } from "./kernel-memory.ts";
import { callKernelFunction } from "./kfuncs/invoke.ts";
import { LOADED_AT, OPERAND_AT, REGISTERS_AT, STORED_AT } from "./memory.ts";
import { DO, type Op, PROVENANCE, refuse } from "./op.ts";
import { type Region, SCALAR, UNINITIALISED } from "./region.ts";
import type { Run } from "./run.ts";
import type { State } from "./state.ts";

const OPERAND_WORD = (OPERAND_AT - REGISTERS_AT) / 4;

function uninitialised(register: number): never {
  return fault("uninitialised_register", `r${register} is not initialised`);
}

function forbidden({ imm }: Op, { loaded }: State): never {
  const { type, license } = loaded.program;
  const name = HELPER_NAMES[imm] ?? `helper ${imm}`;
  return fault("forbidden_helper", `call ${name}: not for ${type} programs under the license "${license}"`);
}

/** The region of an arithmetic result. */
function resultTag({ provenance }: Op, dst: Region, src: Region): Region {
  switch (provenance) {
    case PROVENANCE.copy:
      return src;
    case PROVENANCE.add:
      if (src === SCALAR) return dst;
      return dst === SCALAR ? src : SCALAR;
    case PROVENANCE.subtract:
      return src === SCALAR ? dst : SCALAR;
    default:
      return SCALAR;
  }
}

/** Arithmetic where the operands may be pointers into the arena. */
function arenaArithmetic(state: State, op: Op): void {
  const { dst, src, dstAt, operandAt } = op;
  const isImmediate = operandAt === OPERAND_AT;
  const from = isImmediate ? SCALAR : state.tag(src);
  const old = state.tag(dst);
  if (from === UNINITIALISED) uninitialised(src);
  if (old === UNINITIALISED && op.readsDst) uninitialised(dst);
  if (isImmediate) setOperand(state.words, op);
  const narrow = isArena(from) || isArena(old) ? op.arenaEffect : undefined;
  (narrow ?? op.effect)(dstAt, operandAt, 0, 0);
  state.setTag(dst, narrow === undefined ? resultTag(op, old, from) : state.arenaRegion);
}

function loadInto(state: State, op: Op): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- prepared from an operation of this size
  const tag = load(state, op.src, op.off, op.size as Size, op.aligned);
  if (tag === SCALAR) op.effect(op.dstAt, LOADED_AT, 0, 0);
  else state.quads[op.dst] = state.quads[(LOADED_AT - REGISTERS_AT) / 8] ?? 0n;
  state.setTag(op.dst, tag);
}

function storeScratch(state: State, op: Op, tag: Region | undefined): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  store(state, op.dst, op.off, op.size as Size, op.aligned, tag);
}

function atomic(state: State, op: Op): void {
  if (state.tag(op.src) === UNINITIALISED) uninitialised(op.src);
  if (op.exchange && state.tag(0) === UNINITIALISED) uninitialised(0);
  const region = state.tag(op.dst);
  if (isArena(region)) atomicOnArena(state, op);
  else if (region.place.kind === "kernel_memory") atomicOnKernel(state, op);
  else atomicOnMemory(state, op);
  if (op.fetch) state.setTag(op.src, SCALAR);
  if (op.exchange) state.setTag(0, SCALAR);
}

/** Linux lets a load with acquire from where an arena has no page pass by, and leaves the register as it is: a number to the verifier. */
function acquireFromArena(state: State, op: Op): void {
  if (!isArena(state.tag(op.src)) || arenaHas(state, op.src, op.off, op.size)) loadInto(state, op);
  else state.setTag(op.dst, SCALAR);
}

function atomicOnArena(state: State, op: Op): void {
  atomicArena(state, op.dst, op.off, op.size, () => {
    op.effect(STORED_AT, LOADED_AT, op.operandAt, REGISTERS_AT);
  });
}

function atomicOnKernel(state: State, op: Op): void {
  const address = kernelAddress(state, op.dst, op.off);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- prepared from an operation of this size
  const size = op.size as Size;
  loadKernel(state, address, size);
  op.effect(STORED_AT, LOADED_AT, op.operandAt, REGISTERS_AT);
  storeKernel(state, address, size, STORED_AT, "atomic operation");
}

function atomicOnMemory(state: State, op: Op): void {
  const { region, at } = atomicPlace(state, op.dst, op.off, op.size);
  fetch(state.words, region.view, at, op.size);
  op.effect(STORED_AT, LOADED_AT, op.operandAt, REGISTERS_AT);
  put(state.words, region.view, at, op.size);
  region.shadow?.write(at, op.size);
}

/**
 * Legacy packet access: r0 from the packet, or the end of the function with 0 if the packet does not have the bytes.
 *
 * @returns whether the packet had the bytes
 */
function legacyLoad(state: State, op: Op): boolean {
  const { packet, input } = state;
  const context = state.tag(6);
  if (context === UNINITIALISED) uninitialised(6);
  if (context !== input.context.region || state.offset(6, context) !== 0) {
    fault("invalid_instruction", "legacy packet access: r6 is not the context");
  }
  if (packet === undefined || state.loaded.program.type === "xdp") {
    return fault(
      "invalid_instruction",
      `legacy packet access: not for ${state.loaded.program.type} programs`,
    );
  }
  const offset = op.code === DO.packet ? op.imm : indirectOffset(state, op);
  const found = packet.legacyIndex(offset, op.size);
  state.scratch();
  state.setTag(0, SCALAR);
  if (found === undefined) {
    state.setNumber(0, 0n);
    return false;
  }
  fetch(state.words, packet.region.view, packet.origin + found, op.size);
  op.effect(REGISTERS_AT, LOADED_AT, 0, 0);
  return true;
}

function indirectOffset(state: State, { src, imm }: Op): number {
  if (state.tag(src) === UNINITIALISED) uninitialised(src);
  return ((state.words[2 * src] ?? 0) + imm) | 0;
}

function setOperand(words: Int32Array, { imm }: Op): void {
  words[OPERAND_WORD] = imm;
  words[OPERAND_WORD + 1] = imm >> 31;
}

/** Whether anybody asks for the program's result: what stands for a function that returns nothing need not have one. */
const hasResult = ({ loaded }: State): boolean =>
  programFacts(defaultProfile(), loaded.program)?.noResult !== true;

/** The main program returns nothing, a function where to go on. */
function leave(run: Run): number | undefined {
  if (run.state.depth > 0) return run.state.pop();
  run.held.end();
  return undefined;
}

/**
 * Executes the instruction `op` at `run.state.pc`, and says at which slot of what is then the current program to go on: nothing if the program has ended with its result in r0.
 * The step has been counted.
 *
 * @throws FaultSignal  where the program does what it must not do
 * @throws Unsupported  where it does something that the machine does not model
 */
export function execute(run: Run, op: Op): number | undefined {
  const { state } = run;
  const { words, pc } = state;
  switch (op.code) {
    case DO.alu: {
      const src = state.tag(op.src);
      const old = state.tag(op.dst);
      if (src === UNINITIALISED) uninitialised(op.src);
      if (old === UNINITIALISED && op.readsDst) uninitialised(op.dst);
      op.effect(op.dstAt, op.operandAt, 0, 0);
      state.setTag(op.dst, resultTag(op, old, src));
      return pc + 1;
    }
    case DO.aluImm: {
      const old = state.tag(op.dst);
      if (old === UNINITIALISED && op.readsDst) uninitialised(op.dst);
      setOperand(words, op);
      op.effect(op.dstAt, OPERAND_AT, 0, 0);
      state.setTag(op.dst, resultTag(op, old, SCALAR));
      return pc + 1;
    }
    case DO.arenaAlu:
      arenaArithmetic(state, op);
      return pc + 1;
    case DO.castAddress:
      castAddress(state, op);
      return pc + 1;
    case DO.jump:
      if (state.tag(op.dst) === UNINITIALISED) uninitialised(op.dst);
      if (state.tag(op.src) === UNINITIALISED) uninitialised(op.src);
      return op.effect(op.dstAt, op.operandAt, 0, 0) === 0 ? pc + 1 : op.target;
    case DO.jumpImm:
      if (state.tag(op.dst) === UNINITIALISED) uninitialised(op.dst);
      setOperand(words, op);
      return op.effect(op.dstAt, OPERAND_AT, 0, 0) === 0 ? pc + 1 : op.target;
    case DO.load:
      loadInto(state, op);
      return pc + 1;
    case DO.arenaAcquire:
      acquireFromArena(state, op);
      return pc + 1;
    case DO.store: {
      const tag = state.tag(op.src);
      if (tag === UNINITIALISED) uninitialised(op.src);
      op.effect(STORED_AT, op.operandAt, 0, 0);
      storeScratch(state, op, tag);
      return pc + 1;
    }
    case DO.storeImm:
      setOperand(words, op);
      op.effect(STORED_AT, OPERAND_AT, 0, 0);
      storeScratch(state, op, undefined);
      return pc + 1;
    case DO.goto:
      return op.target;
    case DO.constant:
      words[2 * op.dst] = op.imm;
      words[2 * op.dst + 1] = op.immHigh;
      state.setTag(op.dst, SCALAR);
      return pc + 2;
    case DO.helper:
      invoke(run, op.imm);
      if (!run.entered) return pc + 1;
      run.entered = false;
      return 0;
    case DO.callback: {
      const { calling } = state.frame;
      if (calling !== undefined) return goOnCalling(state, calling) ?? pc + 1;
      beginCalling(run, op.imm);
      return pc;
    }
    case DO.kernelFunction:
      return callKernelFunction(run, op.name);
    case DO.function:
      state.setPointer(op.dst, state.functionRegion(op.target), 0);
      return pc + 2;
    case DO.exit:
      if (state.depth === 0 && state.tag(0) === UNINITIALISED && hasResult(state)) uninitialised(0);
      return leave(run);
    case DO.subprogram:
      guardArguments(state, op);
      state.push(pc + 1);
      return op.target;
    case DO.symbol:
      loadSymbol(state, op);
      return pc + 2;
    case DO.mapFd:
      state.setPointer(op.dst, state.mapRegion(state.map(op.imm)), 0);
      return pc + 2;
    case DO.mapValue:
      loadMapValue(state, op);
      return pc + 2;
    case DO.atomic:
      atomic(state, op);
      return pc + 1;
    case DO.packet:
    case DO.packetIndirect:
      return legacyLoad(state, op) ? pc + 1 : leave(run);
    case DO.mayGoto:
      if (state.frame.loopsLeft === 0) return op.target;
      state.frame.loopsLeft -= 1;
      return pc + 1;
    case DO.framePointerWrite:
      return fault("frame_pointer_write", "r10 is read-only");
    case DO.forbiddenHelper:
      return forbidden(op, state);
    case DO.hole:
      return fault("invalid_jump", "execution entered the second half of a 16-byte load");
    default:
      return refuse(op);
  }
}

/** The address of a variable or function of the kernel: a number where nobody knows its type. */
function loadSymbol(state: State, { dst, name, imm }: Op): void {
  const { variables = [], functions = [] } = state.environment;
  const found =
    variables.find((variable) => variable.name === name) ?? functions.find((each) => each.name === name);
  if (found === undefined) throw new Unsupported(`the kernel's ${name} without its address`);
  if (imm === 1) state.setKernelPointer(dst, found.address);
  else state.setNumber(dst, found.address);
}

/** A pointer into the value of a map's only element; of an arena an address of user space. */
function loadMapValue(state: State, op: Op): void {
  const { dst, imm, immHigh } = op;
  const map = state.map(imm);
  if (map.kind === "arena") return arenaAddress(state, map, op);
  const key = new Uint8Array(map.definition.keySize);
  const value = map.kind === "values" ? map.find(key, 0) : undefined;
  if (value === undefined || map.definition.type !== "array") {
    return fault(
      "invalid_instruction",
      `map ${map.definition.name} is no array: it has no value to point to`,
    );
  }
  state.setPointer(dst, state.valueRegion(map, key, value), immHigh);
}
