/**
 * What is accepted for a loader without `cap_perfmon` keeps addresses to itself: wherever an abstract state on the way has a number, the
 * machine has a number and no address, in registers and on the stack. (Parts of addresses are numbers to the machine.) By near misses of the cases of such programs, and of others taken for theirs.
 *
 * SOUNDCHECK_RUNS sets the number of near misses (default 600), SOUNDCHECK_SEED the seed.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { runProgram } from "../../src/campaign/run-program.ts";
import { readProfile } from "../../src/oracle/profiles.ts";
import { disassemble } from "../../src/semantics/isa/disassemble.ts";
import { type Capability, isCapable } from "../../src/semantics/program/privileges.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { verify } from "../../src/verifier/verify.ts";
import { casePrograms } from "./corpus.ts";
import { nearMisses, wellEncoded } from "./mutate.ts";

const numRuns = Number(process.env["SOUNDCHECK_RUNS"] ?? 600);
const seed = Number(process.env["SOUNDCHECK_SEED"] ?? 1);
const rules = { profile: readProfile("linux-6.18") };
/** Instructions processed. */
const LIMIT = 5000;
const NETWORK: readonly Capability[] = ["cap_bpf", "cap_net_admin"];

/** Of the programs that say nothing of their loader one in so many is taken. */
const ONE_IN = 4;

/** Programs of the corpus with no more capabilities than their type needs. */
const programs = casePrograms()
  .filter(({ insns, privileges }, i) => insns.length < 60 && (privileges !== undefined || i % ONE_IN === 0))
  .map((program): Program => ({ ...program, privileges: program.privileges ?? NETWORK }))
  .filter((program) => !isCapable(program, "cap_perfmon"))
  .filter((program) => verify(program, undefined, rules, LIMIT).verdict === "accept");

test("no address is a number in any run", () => {
  let accepted = 0;
  fc.assert(
    fc.property(nearMisses(programs), fc.nat(0xffff), ({ mutant }, runSeed) => {
      fc.pre(wellEncoded(mutant));
      const verdict = verify(mutant, undefined, rules, LIMIT);
      if (verdict.verdict !== "accept") return;
      accepted += 1;
      const { violations } = runProgram(mutant, verdict, runSeed, 6, [], rules);
      expect(
        violations.map(({ insn, message }) => `${insn}: ${message}\n${disassemble(mutant.insns)}`),
      ).toEqual([]);
    }),
    { numRuns, seed },
  );
  expect(accepted).toBeGreaterThan(numRuns / 20);
});
