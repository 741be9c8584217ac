/**
 * The interpreter: one prepared instruction after the other, until the program ends or faults. It moves bytes, follows pointers'
 * provenance and decides where to go on; what comes out of an operation is the business of the instruction table's effects.
 */

import { HELPER_NAMES } from "../semantics/helpers/names.ts";
import type { Size } from "../semantics/isa/instruction.ts";
import { atomicPlace, fetch, isPlainStack, load, put, store } from "./access.ts";
import { type Fault, FaultSignal, fault } from "./fault.ts";
import { beginCalling, goOnCalling } from "./helpers/callback.ts";
import { invoke } from "./helpers/invoke.ts";
import { callKernelFunction } from "./kfuncs/invoke.ts";
import { LOADED_AT, OPERAND_AT, REGISTERS_AT, STORED_AT } from "./memory.ts";
import { DO, type Op, PROVENANCE, refuse } from "./op.ts";
import { type Region, SCALAR, UNINITIALISED } from "./region.ts";
import type { Run } from "./run.ts";
import type { State } from "./state.ts";

/** Called before each instruction; `state.pc` says which. */
export type Step = (state: State) => void;

const OPERAND_WORD = (OPERAND_AT - REGISTERS_AT) / 4;

function uninitialised(register: number): never {
  return fault("uninitialised_register", `r${register} is not initialised`);
}

function outside(target: number, length: number): never {
  return fault("invalid_jump", `slot ${target} is outside the program of ${length} slots`);
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

function loadSlowly(state: State, op: Op): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- prepared from an operation of this size
  const tag = load(state, op.src, op.off, op.size as Size, op.aligned);
  if (tag === SCALAR) op.effect(op.dstAt, LOADED_AT, 0, 0);
  else state.quads[op.dst] = state.quads[(LOADED_AT - REGISTERS_AT) / 8] ?? 0n;
  state.setTag(op.dst, tag);
}

/** Stores the scratch word, with no more checks than the memory needs. */
function storeScratch(state: State, op: Op, tag: Region | undefined): void {
  const { words } = state;
  const region = state.tag(op.dst);
  const offset = state.offset(op.dst, region) + op.off;
  if (region.plain && region.writable && !op.aligned && region.holds(offset, op.size)) {
    put(words, region.view, region.origin + offset, op.size);
    return;
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  store(state, op.dst, op.off, op.size as Size, op.aligned, tag);
}

function atomic(state: State, op: Op): void {
  if (state.tag(op.src) === UNINITIALISED) uninitialised(op.src);
  if (op.exchange && state.tag(0) === UNINITIALISED) uninitialised(0);
  const { region, at } = atomicPlace(state, op.dst, op.off, op.size);
  fetch(state.words, region.view, at, op.size);
  op.effect(STORED_AT, LOADED_AT, op.operandAt, 0);
  put(state.words, region.view, at, op.size);
  region.shadow?.write(at, op.size);
  if (op.fetch) state.setTag(op.src, SCALAR);
  if (op.exchange) state.setTag(0, SCALAR);
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

/**
 * Runs to the end. Returns a fault, or `undefined` if the program ended with its result in r0.
 *
 * @throws Unsupported  where the program does something that the machine does not model
 */
export function interpret(run: Run, step: Step | undefined): Fault | undefined {
  const { state } = run;
  const { words } = state;
  const { budget } = state.options;
  let { ops } = state.loaded;
  let pc = 0;
  let steps = 0;
  try {
    for (;;) {
      const op = ops[pc];
      if (op === undefined) return outside(pc, ops.length);
      if (steps === budget) fault("budget", `no end after ${budget} instructions`);
      if (step !== undefined) {
        state.pc = pc;
        state.steps = steps;
        step(state);
      }
      steps += 1;
      switch (op.code) {
        case DO.alu: {
          const { dst } = op;
          const src = state.tag(op.src);
          const old = state.tag(dst);
          if (src === UNINITIALISED) uninitialised(op.src);
          if (old === UNINITIALISED && op.readsDst) uninitialised(dst);
          op.effect(op.dstAt, op.operandAt, 0, 0);
          if (old !== src || src !== SCALAR) state.setTag(dst, resultTag(op, old, src));
          pc += 1;
          break;
        }
        case DO.aluImm: {
          const { dst } = op;
          const old = state.tag(dst);
          if (old === UNINITIALISED && op.readsDst) uninitialised(dst);
          words[OPERAND_WORD] = op.imm;
          words[OPERAND_WORD + 1] = op.imm >> 31;
          op.effect(op.dstAt, OPERAND_AT, 0, 0);
          if (old !== SCALAR) state.setTag(dst, resultTag(op, old, SCALAR));
          pc += 1;
          break;
        }
        case DO.jump:
          if (state.tag(op.dst) === UNINITIALISED) uninitialised(op.dst);
          if (state.tag(op.src) === UNINITIALISED) uninitialised(op.src);
          pc = op.effect(op.dstAt, op.operandAt, 0, 0) === 0 ? pc + 1 : op.target;
          break;
        case DO.jumpImm:
          if (state.tag(op.dst) === UNINITIALISED) uninitialised(op.dst);
          words[OPERAND_WORD] = op.imm;
          words[OPERAND_WORD + 1] = op.imm >> 31;
          pc = op.effect(op.dstAt, OPERAND_AT, 0, 0) === 0 ? pc + 1 : op.target;
          break;
        case DO.load: {
          const region = state.tag(op.src);
          const offset = region.offsetOf(words[2 * op.src] ?? 0, words[2 * op.src + 1] ?? 0) + op.off;
          if (
            region.plain
              ? !op.aligned && region.holds(offset, op.size)
              : isPlainStack(region, offset, op.size)
          ) {
            fetch(words, region.view, region.origin + offset, op.size);
            op.effect(op.dstAt, LOADED_AT, 0, 0);
            state.setTag(op.dst, SCALAR);
          } else loadSlowly(state, op);
          pc += 1;
          break;
        }
        case DO.store: {
          const tag = state.tag(op.src);
          if (tag === UNINITIALISED) uninitialised(op.src);
          op.effect(STORED_AT, op.operandAt, 0, 0);
          storeScratch(state, op, tag);
          pc += 1;
          break;
        }
        case DO.storeImm:
          words[OPERAND_WORD] = op.imm;
          words[OPERAND_WORD + 1] = op.imm >> 31;
          op.effect(STORED_AT, OPERAND_AT, 0, 0);
          storeScratch(state, op, undefined);
          pc += 1;
          break;
        case DO.goto:
          pc = op.target;
          break;
        case DO.constant:
          words[2 * op.dst] = op.imm;
          words[2 * op.dst + 1] = op.immHigh;
          state.setTag(op.dst, SCALAR);
          pc += 2;
          break;
        case DO.helper:
          state.pc = pc;
          state.steps = steps;
          invoke(run, op.imm);
          pc += 1;
          if (run.entered) {
            run.entered = false;
            ({ ops } = state.loaded);
            pc = 0;
          }
          break;
        case DO.callback: {
          state.pc = pc;
          state.steps = steps;
          const { calling } = state.frame;
          if (calling === undefined) beginCalling(run, op.imm);
          else pc = goOnCalling(state, calling) ?? pc + 1;
          break;
        }
        case DO.kernelFunction: {
          state.pc = pc;
          state.steps = steps;
          const next = callKernelFunction(run, op.name);
          if (next === undefined) return undefined;
          pc = next;
          ({ ops } = state.loaded);
          break;
        }
        case DO.function:
          state.setPointer(op.dst, state.functionRegion(op.target), 0);
          pc += 2;
          break;
        case DO.exit:
          if (state.depth === 0) {
            if (state.tag(0) === UNINITIALISED) uninitialised(0);
            run.held.end();
            return undefined;
          }
          pc = state.pop();
          ({ ops } = state.loaded);
          break;
        case DO.subprogram:
          state.push(pc + 1);
          pc = op.target;
          break;
        case DO.mapFd:
          state.setPointer(op.dst, state.mapRegion(state.map(op.imm)), 0);
          pc += 2;
          break;
        case DO.mapValue:
          loadMapValue(state, op);
          pc += 2;
          break;
        case DO.atomic:
          atomic(state, op);
          pc += 1;
          break;
        case DO.packet:
        case DO.packetIndirect:
          if (legacyLoad(state, op)) pc += 1;
          else if (state.depth === 0) {
            run.held.end();
            return undefined;
          } else {
            pc = state.pop();
            ({ ops } = state.loaded);
          }
          break;
        case DO.mayGoto:
          if (state.frame.loopsLeft === 0) pc = op.target;
          else {
            state.frame.loopsLeft -= 1;
            pc += 1;
          }
          break;
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
  } catch (error) {
    if (!(error instanceof FaultSignal)) throw error;
    return { ...error.fault, insn: pc, program: state.loaded.program.name };
  } finally {
    state.pc = pc;
    state.steps = steps;
  }
}

/** A pointer into the value of a map's only element. */
function loadMapValue(state: State, { dst, imm, immHigh }: Op): void {
  const map = state.map(imm);
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
