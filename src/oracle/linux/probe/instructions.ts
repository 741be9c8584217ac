/** Which rows of the instruction table a kernel knows, and the limits that it sets to a program. */
import { encode } from "../../../semantics/isa/codec.ts";
import type { Row } from "../../../semantics/isa/instruction.ts";
import { insn as instruction, layOut } from "../../../semantics/isa/make.ts";
import { ROWS } from "../../../semantics/isa/table.ts";
import type { Limits } from "../../../semantics/profile/profile.ts";
import type { Kernel } from "../calls.ts";
import { parseKernelLog } from "../log.ts";
import { type Ask, all } from "./ask.ts";
import { EXIT, insn, type Kind, load, loads, setImm } from "./program.ts";

/** The kernel's words for an encoding that it does not know. */
const UNKNOWN =
  /unknown opcode|reserved fields?|unrecognized bpf_ld_imm64|invalid atomic opcode|unknown insn class/i;

/** Names of the rows that the kernel takes for no instruction. What else it has against a program of the row alone does not matter. */
export function* probeInstructions(kernel: Kernel, kind: Kind): Ask<string[]> {
  const unknown = yield* all(
    ROWS.map(function* (row): Ask<boolean> {
      const insns = chunks(encode(layOut([instruction(row.name, operands(row))])));
      const said = yield* load(kernel, kind, [setImm(0, 1), setImm(2, 1), setImm(3, 1), ...insns]);
      return !said.accepted && UNKNOWN.test(said.log);
    }),
  );
  return ROWS.filter((_, index) => unknown[index]).map(({ name }) => name);
}

/** Operands that are no reason of their own to refuse an instruction: numbers in r2 and r3, a shift by 1. */
function operands({ fields: { dst, src, imm } }: Row): { dst: number; src: number; imm: number } {
  return { dst: dst === "any" ? 2 : 0, src: src === "any" ? 3 : 0, imm: imm === "any" ? 1 : 0 };
}

function chunks(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / 8 }, (_, i) => bytes.slice(i * 8, i * 8 + 8));
}

// --- Limits

/** The two limits that Linux has had for a privileged user's programs. */
const LENGTHS = [4096, 1_000_000];
const MOST_STACK = 1 << 16;
const MOST_FRAMES = 64;

export function* probeLimits(
  kernel: Kernel,
  kind: Kind,
): Ask<Pick<Limits, "insns" | "stack" | "frames" | "processed">> {
  const { log } = yield* load(kernel, kind, []);
  let insns = Number.POSITIVE_INFINITY;
  for (const length of LENGTHS) {
    if (yield* isTooLong(kernel, kind, length + 1)) {
      insns = length;
      break;
    }
  }
  return {
    insns,
    stack:
      8 *
      (yield* largest(MOST_STACK / 8, (words) => loads(kernel, kind, [insn(0x7a, 10, 0, -8 * words, 0)]))),
    frames: yield* largest(MOST_FRAMES, (frames) => loads(kernel, kind, [], { end: nested(frames) })),
    processed: parseKernelLog(log).counts?.limit ?? 0,
  };
}

/** Whether the kernel refuses the length alone: every instruction is one that it would refuse otherwise. */
function* isTooLong(kernel: Kernel, kind: Kind, length: number): Ask<boolean> {
  const insns = new Uint8Array(length * 8).fill(0xff);
  const { accepted, errno } = yield* load(kernel, kind, [], { logLevel: 0, end: [insns] });
  if (accepted) throw new Error("the kernel accepts an opcode that does not exist");
  return errno === "E2BIG";
}

/** The largest number from 1 to `most` for which something holds that holds for all smaller ones. */
function* largest(most: number, holds: (n: number) => Ask<boolean>): Ask<number> {
  let [yes, no] = [0, most + 1];
  while (no - yes > 1) {
    const middle = (yes + no) >>> 1;
    if (yield* holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

/** Functions each of which calls the next. */
function nested(frames: number): Uint8Array[] {
  return Array.from({ length: frames }, (_, i) =>
    i === frames - 1 ? [setImm(0, 0), EXIT] : [insn(0x85, 0, 1, 0, 1), EXIT],
  ).flat();
}
