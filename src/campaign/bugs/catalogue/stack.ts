/** Faults of the stack: what is remembered of its bytes. */
import { edit, ofClass, type SeededBug } from "../bug.ts";

const bug = ofClass("ST");

const STACK = "absint/transfer/stack";

export const STACK_BUGS: readonly SeededBug[] = [
  bug(
    "unaligned-stack-access",
    "verifier",
    "CVE-2017-17856, a5ec6ae161d7",
    "an access to the stack that is not aligned is treated as if all of it lay in the slot where it begins",
    edit("absint/transfer/access", "(!strict && kind !== KIND.stack)", "!strict"),
  ),
  bug(
    "helper-reads-what-was-not-written",
    "verifier",
    "CVE-2017-17857, ea25f914dc16",
    "a buffer on the stack that a helper reads need not have been written",
    edit(STACK, "requireInitialised(m, frame, first, last, message);", ""),
  ),
  bug(
    "variable-offset-by-the-wrong-end",
    "verifier",
    "107c26a70ca8, 2019",
    "the end of an access to the stack at a variable offset is not looked at",
    edit(
      STACK,
      "if (base + least < -STACK_BYTES || base + least >= 0 || base + greatest + size > 0)",
      "if (base + least < -STACK_BYTES || base + least >= 0)",
    ),
  ),
  bug(
    "variable-write-marks-another-byte",
    "verifier",
    "f5e477a861e4, 2022",
    "a write at a variable offset looks at the wrong byte of a slot before it forgets that this is zero",
    edit(STACK, "const kind = slotByte(slot, byteOf(off));", "const kind = slotByte(slot, 7 - byteOf(off));"),
  ),
  bug(
    "partial-store-keeps-the-spill",
    "verifier",
    "CVE-2023-52462",
    "a store to some bytes of a slot leaves what was spilled there",
    edit(STACK, "forgetSpill(m, slot); if (size === 8)", "if (size === 8)"),
  ),
  bug(
    "variable-write-keeps-the-spill",
    "verifier",
    "CVE-2023-52462 and CVE-2023-52452: writes at a variable offset",
    "a write somewhere on the stack leaves the numbers that were spilled where it may go",
    edit(STACK, "forgetSpill(m, slot); const kind = slotByte", "const kind = slotByte"),
  ),
  bug(
    "zero-from-any-store",
    "verifier",
    "what counts as a zero on the stack (STACK_ZERO), 2017",
    "a store of some bytes of a slot makes them zero, whatever is stored",
    edit(
      STACK,
      "const kind = isZeroNumber(value) && !shared ? BYTE.zero : BYTE.misc;",
      "const kind = BYTE.zero;",
    ),
  ),
  bug(
    "narrow-fill-gives-the-whole",
    "verifier",
    "bounds of narrow fills of 64-bit spills, 2021",
    "a load of the low bytes of a spilled number gives the whole number",
    edit(STACK, "truncate(destination, size);", ""),
  ),
  bug(
    "narrow-spill-keeps-the-whole",
    "verifier",
    "bounds of 32-bit spills, 2021 and 2026",
    "a spill of the low bytes of a number remembers the whole number",
    edit(STACK, "truncate(to, size);", ""),
  ),
  bug(
    "half-slot-keeps-the-metadata",
    "verifier",
    "CVE-2026-72426",
    "a store to the upper half of a slot leaves the lower half a spill of the whole number",
    edit(
      STACK,
      "forgetSpill(m, slot); if (size === 8)",
      "if (byteOf(first) !== 4) forgetSpill(m, slot); if (size === 8)",
    ),
  ),
  bug(
    "call-stack-not-added-up",
    "verifier",
    "CVE-2024-35905, CVE-2023-52452: the size of the stack",
    "the frames of functions that call each other are not added up",
    edit(
      "verifier/stack-use",
      "const total = isElsewhere ? above : above + own;",
      "const total = isElsewhere ? above : own;",
    ),
  ),
];
