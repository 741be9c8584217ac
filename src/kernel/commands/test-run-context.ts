/** Contexts of BPF_PROG_TEST_RUN: as the kernel reads them, and as it gives them back; and what of a context a program looks at. */
import type { Instruction } from "../../semantics/isa/instruction.ts";
import type { Program } from "../../semantics/program/program.ts";
import { EFAULT, ENOSPC } from "../../vm/errno.ts";
import { type Attribute, tailProblem } from "./attribute.ts";

/**
 * The context that a call gives, with zeros up to the structure's size in bytes; nothing if the call neither gives one nor wants it back. E2BIG is a longer one whose tail
 * is not zero, EFAULT one that is not all there.
 */
export function contextGiven(
  attr: Attribute<"prog_test_run">,
  size: number,
): Uint8Array | undefined | number {
  if (attr.u64("ctx_in") === 0n) return attr.u64("ctx_out") === 0n ? undefined : new Uint8Array(size);
  const given = attr.u32("ctx_size_in");
  const problem = longerProblem(attr, size, given);
  if (problem !== 0) return problem;
  const bytes = attr.read("ctx_in", Math.min(given, size));
  if (bytes === undefined) return EFAULT;
  const context = new Uint8Array(size);
  context.set(bytes);
  return context;
}

/** What comes of bytes behind the structure: those that are there are looked at first. */
function longerProblem(attr: Attribute<"prog_test_run">, size: number, given: number): number {
  return tailProblem(attr.memory.rest(attr.u64("ctx_in")), size, given);
}

/** Gives a context back, as much as there is room for: ENOSPC if that is not all, EFAULT if what was said to be room is none. */
export function giveContext(attr: Attribute<"prog_test_run">, context: Uint8Array): number {
  if (attr.u64("ctx_out") === 0n) return 0;
  const room = attr.u32("ctx_size_out");
  const isShort = room < context.length;
  // A context that is cut short is the worse error.
  const unread = isShort ? ENOSPC : EFAULT;
  if (!attr.write("ctx_out", isShort ? context.subarray(0, room) : context)) return unread;
  return attr.writeBack("ctx_size_out", context.length) && !isShort ? 0 : unread;
}

const FRAME_POINTER = 10;
const CONTEXT = 1;

/** The register with the address that an instruction accesses, and how many bytes; nothing if it accesses none by a register. */
function accessOf({
  row: { operation },
  dst,
  src,
}: Instruction): readonly [base: number, size: number] | undefined {
  switch (operation.kind) {
    case "load":
    case "load_acquire":
      return [src, operation.size];
    case "store":
    case "store_release":
    case "atomic":
      return [dst, operation.size];
    default:
      return undefined;
  }
}

/**
 * How many bytes of its context a program reaches, as the kernel's verifier has noted it; nothing where that cannot be seen: an access by another register than
 * the context's own before any jump, or a call.
 */
export function contextReach({ insns }: Program): number | undefined {
  let reach = 0;
  let isContext = true;
  for (const insn of insns) {
    if (insn === undefined) continue;
    const { kind } = insn.row.operation;
    if (kind === "call" || kind === "packet") return undefined;
    const access = accessOf(insn);
    if (access !== undefined && access[0] !== FRAME_POINTER) {
      if (!isContext || access[0] !== CONTEXT) return undefined;
      reach = Math.max(reach, insn.off + access[1]);
    }
    const isStore = kind === "store" || kind === "store_release";
    const mayChange = !isStore && (insn.dst === CONTEXT || (kind === "atomic" && insn.src === CONTEXT));
    if (mayChange || kind === "jump" || kind === "goto" || kind === "may_goto") isContext = false;
  }
  return reach;
}

/** Whether a program changes nothing but its registers and its stack: each run of it on the same is like the first. */
export function leavesNothing({ insns }: Program): boolean {
  return insns.every((insn) => {
    if (insn === undefined) return true;
    const { kind } = insn.row.operation;
    if (kind === "call") return false;
    const writes = kind === "store" || kind === "store_release" || kind === "atomic";
    return !writes || insn.dst === FRAME_POINTER;
  });
}

/** Whether a program calls nothing. */
export const callsNothing = ({ insns }: Program): boolean =>
  insns.every((insn) => insn?.row.operation.kind !== "call");
