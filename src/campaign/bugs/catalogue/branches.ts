/** Faults of conditional jumps: what an edge teaches is not so, or an edge that can be taken counts as impossible. */
import { edit, ofClass, type SeededBug } from "../bug.ts";

const bug = ofClass("B");

const BRANCH = "absint/scalar/branch";

export const BRANCHES: readonly SeededBug[] = [
  bug(
    "signed-bound-taken-as-unsigned",
    "verifier",
    "4cabc5b186b5, Linux 4.13",
    "a signed comparison bounds the unsigned numbers, too, as if nothing were negative",
    edit(
      BRANCH,
      "{ ...a, smax: smin(a.smax, b.smax) },",
      "{ ...a, smax: smin(a.smax, b.smax), umax: umin(a.umax, b.smax) },",
    ),
  ),
  bug(
    "jmp32-equality-refines-the-whole",
    "verifier",
    "a12ca6277eca; PREVAIL, 2026",
    "equality of two low halves is taken for equality of the whole numbers",
    edit(
      BRANCH,
      "return [combine(wide(a), c), combine(wide(b), d)];",
      'return [combine(condition === "jeq" ? refine(condition, wide(a), wide(b))[0] : wide(a), c), combine(wide(b), d)];',
    ),
  ),
  bug(
    "less-than-by-at-most",
    "verifier",
    "off by one in the kernel's range of strict comparisons, 2017",
    "where one number is not above another it counts as below it",
    edit(
      BRANCH,
      "{ ...a, umax: umin(a.umax, b.umax) },",
      "{ ...a, umax: umin(a.umax, sub(b.umax, oneOf(b))) },",
    ),
  ),
  bug(
    "inequality-cuts-any-interval",
    "verifier",
    "refinement by inequality, Linux 6.8",
    "a number that is not equal to one of several loses the end that it shares with them",
    edit(BRANCH, "const isConstant = eq(b.umin, b.umax);", "const isConstant = eq(b.umin, b.umin);"),
  ),
  bug(
    "bit-test-says-which-bit",
    "verifier",
    "960ea056561a, JSET refinement, 2018",
    "where a bit test succeeds all bits that could have been common are set",
    edit(BRANCH, "const bit = ite(single, shared, zeroOf(a));", "const bit = ite(single, shared, shared);"),
  ),
  bug(
    "dead-branch-by-signed-order",
    "verifier",
    "CVE-2017-16995 and others: a live branch counts as dead",
    "an unsigned comparison is decided by the signed bounds",
    edit(BRANCH, "jlt: (a, b) => ult(a.umax, b.umin),", "jlt: (a, b) => slt(a.smax, b.smin),"),
  ),
  bug(
    "dead-branch-by-truncated-view",
    "verifier",
    "PREVAIL, 2026: 32-bit comparisons test truncated views",
    "a 64-bit comparison counts as decided if that of the low halves is",
    edit(BRANCH, `new Set(["jne", "jset"])`, `new Set(["jne", "jset", "jeq"])`),
  ),
];
