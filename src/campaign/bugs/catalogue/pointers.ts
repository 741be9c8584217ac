/** Faults of pointers: what they point to, how far, and what may be done to them. */
import { edit, ofClass, type SeededBug } from "../bug.ts";

const bug = ofClass("PT");

const BRANCH = "absint/transfer/branch";
const ARITHMETIC = "absint/transfer/arithmetic";
const REGION = "absint/transfer/region";

export const POINTERS: readonly SeededBug[] = [
  bug(
    "packet-range-for-all",
    "verifier",
    "1f415a74b0ca, 2016",
    "what a comparison shows of one packet pointer holds for all of them, whatever was added to them",
    edit(
      BRANCH,
      "if (kindOf(at) !== kind || idOf(at) !== id || rangeOf(at) >= range)",
      "if (kindOf(at) !== kind || rangeOf(at) >= range)",
    ),
  ),
  bug(
    "packet-range-survives-addition",
    "verifier",
    "2d2be8cab26e, Linux 4.7 to 4.9",
    "a packet pointer to which an unknown number is added keeps the range that it had",
    edit(
      ARITHMETIC,
      "setId(pointer, takeId(m.state)); setRange(pointer, 0);",
      "setId(pointer, takeId(m.state));",
    ),
  ),
  bug(
    "packet-range-one-more",
    "verifier",
    "2fa7d94afc1a, 2021",
    "a comparison that is not strict gives a byte more than it shows to be there",
    edit(
      BRANCH,
      "setRanges(marks, state, lower, strict ? off + 1 : off);",
      "setRanges(marks, state, lower, off + 1);",
    ),
  ),
  bug(
    "offset-wraps-in-32-bits",
    "verifier",
    "CVE-2017-17854, CVE-2017-17863, bb7f0f989ca7",
    "the greatest place of an access is computed in 32 bits, and nothing limits what is added to a pointer",
    edit(
      REGION,
      "if (greatest >= MAX_VARIABLE_OFFSET && smaxOf(at) >= MAX_VARIABLE_OFFSET)",
      "if (greatest >= 2 ** 63 && smaxOf(at) >= 2 ** 63)",
    ),
    edit(REGION, "if (!inside(off + last))", "if (!inside((off + last) | 0))"),
  ),
  bug(
    "mask-keeps-a-pointer",
    "verifier",
    "fce366a9dd0d, 79adffcd6489, 2017",
    "a pointer that is masked stays the pointer that it was",
    edit(
      ARITHMETIC,
      'return reject("EACCES", `R${insn.dst} bitwise',
      'if (op === "and") break; return reject("EACCES", `R${insn.dst} bitwise',
    ),
  ),
  bug(
    "arithmetic-on-what-may-be-null",
    "verifier",
    "CVE-2022-23222, c25b2ae13603",
    "numbers may be added to a pointer that may be null, after which it is compared with null",
    edit(ARITHMETIC, "if (mayBeNull(kind))", "if (mayBeNull(kind) && kind === 0)"),
  ),
  bug(
    "null-check-by-exact-type",
    "verifier",
    "bff61f6faedb, 2022",
    "a pointer that may be null counts as never null where it is compared with null",
    edit(
      BRANCH,
      "if (mayBeNull(kind) || hasFlag(kind, FLAG.untrusted))",
      "if (hasFlag(kind, FLAG.untrusted))",
    ),
  ),
  bug(
    "null-check-for-all",
    "verifier",
    "8374bfd5a3c9, 2022",
    "the check of one pointer for null says something of others, which came of other calls",
    edit(BRANCH, "if (!mayBeNull(kindOf(at)) || idOf(at) !== id)", "if (!mayBeNull(kindOf(at)))"),
  ),
  bug(
    "flow-keys-at-a-variable-offset",
    "verifier",
    "CVE-2024-26589, 22c7fa171a02; again in 2026",
    "an unknown number may be added to a pointer to flow keys, and accesses do not mind it",
    edit(
      ARITHMETIC,
      "const fixed = kind === KIND.flowKeys && constant === undefined;",
      "const fixed = kind === KIND.flowKeys && kind === 0;",
    ),
    edit(
      REGION,
      "if (!isConstant(at) || sminOf(at) !== 0 || start < 0 || start + size > FLOW_KEYS_SIZE)",
      "if (start < 0 || start + size > FLOW_KEYS_SIZE)",
    ),
  ),
  bug(
    "buffer-before-its-beginning",
    "verifier",
    "CVE-2026-68462, fd4cfa8c8f9a",
    "an access in front of a buffer is accepted if the offset is constant",
    edit(REGION, "if (off + offOf(at) < 0)", "if (off + offOf(at) < -64)"),
  ),
  bug(
    "number-plus-pointer-loses-the-frame",
    "verifier",
    "CVE-2026-74720, Linux 4.16 to 7.1",
    "a number to which a pointer into a caller's stack is added points into the outermost frame",
    edit(
      ARITHMETIC,
      "return pointerArithmetic(m, insn, operation, source, SCRATCH.operand, destination);",
      "pointerArithmetic(m, insn, operation, source, SCRATCH.operand, destination); const moved = offOf(destination); if (kindOf(destination) === KIND.stack) { setPointer(destination, KIND.stack, 0); setOff(destination, moved); } return;",
    ),
  ),
  bug(
    "moved-context-for-packet-loads",
    "verifier",
    "a modified context passed to BPF_LD_ABS and BPF_LD_IND, 2020; soundcheck itself, 2026",
    "a legacy packet load takes a context that was moved",
    edit(
      "absint/transfer/packet-load",
      'requireUnmoved({ number: 6, at: register(m, 6), off: 0 }, "ctx");',
      "",
    ),
  ),
  bug(
    "subtraction-moves-upwards",
    "verifier",
    "direction of pointer arithmetic, 2017",
    "a constant that is subtracted from a pointer is forgotten",
    edit(ARITHMETIC, "setOff(pointer, offOf(pointer) - constant);", "setOff(pointer, offOf(pointer));"),
  ),
  bug(
    "map-value-end-by-least-offset",
    "verifier",
    "the upper end of an access to a map's value, as in CVE-2017-17854",
    "the end of an access is looked at for the least place alone",
    edit(REGION, "if (!inside(off + last))", "if (!inside(off + least))"),
  ),
  bug(
    "map-value-negative-offset",
    "verifier",
    "the lower end of an access, 2017",
    "an access in front of an object is accepted if the end of it is inside",
    edit(REGION, "start >= 0 && start + size <= limit;", "start + size <= limit;"),
  ),
  bug(
    "read-only-memory-written",
    "verifier",
    "CVE-2022-0500, 20b2aff4bc15",
    "a store through a pointer to memory is judged as a load, so that read-only memory is written",
    edit(
      "absint/transfer/access",
      'if (!checkPlainMemory(m, target, size, "write"))',
      'if (!checkPlainMemory(m, target, size, "read"))',
    ),
  ),
  bug(
    "read-only-map-written",
    "verifier",
    "flags of maps for programs, 2019",
    "a store to the value of a map that programs may only read is accepted",
    edit(
      REGION,
      'if (direction === "write" && isReadOnlyToPrograms(map))',
      'if (direction === "write" && map.valueSize === 0)',
    ),
  ),
];
