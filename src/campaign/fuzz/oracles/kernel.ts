/** A kernel under test, by its log and its runs: what `campaign/kernels/examine.ts` and `judge.ts` found of a program that it accepts. */
import type { KernelOracle, Violation as KernelViolation } from "../../kernels/examine.ts";
import type { OracleName } from "../oracle-names.ts";
import type { Oracle, Violation } from "./oracle.ts";

/** As campaigns have it. */
const violation = (oracle: OracleName, { message, cause, insn, input }: KernelViolation): Violation => ({
  oracle,
  message,
  cause,
  input,
  ...(insn === undefined ? {} : { insn }),
});

/** What of a kernel's violations is an oracle's. */
export const violationsOf = (
  oracle: OracleName,
  theirs: KernelOracle,
  found: readonly KernelViolation[] = [],
): readonly Violation[] => found.flatMap((each) => (each.oracle === theirs ? [violation(oracle, each)] : []));

const looked = (name: OracleName & KernelOracle): Oracle => ({
  name,
  judge: ({ kernel }) => violationsOf(name, name, kernel),
});

/** Each number is inside of the bounds that the kernel's log gives for it. */
export const bounds: Oracle = looked("bounds");

/** No run goes a way that the kernel has taken for impossible. */
export const dead: Oracle = looked("dead");

/** The kernel's run ends as the machine's does. */
export const run: Oracle = looked("run");

/** The kernel finds nothing wrong with itself. Nothing of a case says so: a kernel that does gives no answers (`kernel-work.ts`). */
export const console: Oracle = { name: "console", judge: () => [] };
