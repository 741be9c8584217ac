/**
 * What a certificate proves of a program's loads and stores, for code that is then not checked (`vm/jit/facts.ts`): the certificate's states are followed over all paths, as its
 * checker does, and what holds at an instruction on each of them is a fact.
 */
import { reset } from "../absint/arena.ts";
import { baseOf, FLAG, hasFlag, KIND, kindOf, mayBeNull, objectOf } from "../absint/register.ts";
import { frameCount, registerAt } from "../absint/state.ts";
import type { Instruction } from "../semantics/isa/instruction.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Certificate } from "../verifier/certificate.ts";
import { verify } from "../verifier/verify.ts";
import { FACT, type Facts } from "../vm/jit/facts.ts";
import { type Stop, Trail } from "./trail.ts";

/** The register through which an instruction accesses memory. */
function addressOf({ row: { operation }, dst, src }: Instruction): number | undefined {
  switch (operation.kind) {
    case "load":
      return src;
    case "store":
    case "atomic":
      return dst;
    default:
      return undefined;
  }
}

/** No flag but those that do not matter to bytes that are there. */
const HARMLESS = FLAG.readOnly | FLAG.ringbuf | FLAG.inPacket | FLAG.trusted;

/** What holds of an access through the register at `at`. */
function factAt({ maps }: Program, at: number): number {
  const kind = kindOf(at);
  if (mayBeNull(kind)) return FACT.none;
  const base = baseOf(kind);
  if ((kind & ~HARMLESS) !== base) return FACT.none;
  switch (base) {
    case KIND.packet:
    case KIND.packetMeta:
      return FACT.bytes;
    case KIND.mapValue: {
      const map = maps[objectOf(at)];
      // The map may be one of the maps that another holds.
      const fields = [...(map?.fields ?? []), ...(map?.inner?.fields ?? [])];
      return map === undefined || fields.length > 0 ? FACT.none : FACT.bytes;
    }
    case KIND.memory:
      // Other memory that a function is given may be a stack.
      return hasFlag(kind, FLAG.ringbuf) || hasFlag(kind, FLAG.inPacket) ? FACT.bytes : FACT.none;
    case KIND.stack:
      return FACT.stack;
    default:
      return FACT.none;
  }
}

/** Whether what an instruction leaves in its destination is a number. */
function givesNumber({ dst }: Instruction, { state }: Stop): boolean {
  return kindOf(registerAt(state, frameCount(state) - 1, dst)) === KIND.scalar;
}

/**
 * What a certificate, which has been checked, proves of the program. Takes over the abstract machine's memory.
 *
 * @param rules  those by which it was verified
 */
export function provedFacts(program: Program, certificate: Certificate, rules: Rules = DEFAULT_RULES): Facts {
  reset();
  const trail = new Trail(program, certificate, rules);
  const facts = new Uint8Array(program.insns.length);
  const seen = new Uint8Array(program.insns.length);
  const note = (pc: number, fact: number): void => {
    facts[pc] = seen[pc] === 0 || facts[pc] === fact ? fact : FACT.none;
    seen[pc] = 1;
  };
  for (const node of certificate.nodes.keys()) {
    const open: Stop[] = [trail.enter(node)];
    let isStart = true;
    for (let stop = open.pop(); stop !== undefined; stop = open.pop()) {
      if (!isStart && trail.covering(stop).kind !== "none") continue;
      isStart = false;
      const onwards = trail.onwards(stop);
      if (onwards.kind === "refused") throw new Error(`a certificate that does not hold: ${onwards.message}`);
      const insn = program.insns[stop.pc];
      const address = insn === undefined ? undefined : addressOf(insn);
      if (insn !== undefined && address !== undefined) {
        const { state } = stop;
        const fact = factAt(program, registerAt(state, frameCount(state) - 1, address));
        const isPointer = insn.row.operation.kind === "load" && !givesNumber(insn, onwards.next);
        note(stop.pc, isPointer ? FACT.none : fact);
      }
      if (onwards.forked !== undefined) open.push(onwards.forked);
      if (!onwards.exit) open.push(onwards.next);
    }
    trail.tidy([]);
  }
  return facts;
}

/** The facts of those programs that the verifier accepts; the others are left out. Takes over the abstract machine's memory. */
export function factsOfAccepted(
  programs: readonly Program[],
  rules: Rules = DEFAULT_RULES,
): ReadonlyMap<Program, Facts> {
  const facts = new Map<Program, Facts>();
  for (const program of programs) {
    const verdict = verify(program, undefined, rules);
    if (verdict.verdict === "accept") facts.set(program, provedFacts(program, verdict.certificate, rules));
  }
  return facts;
}
