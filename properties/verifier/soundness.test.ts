/**
 * Soundness, by experiment: what the verifier accepts runs inside the abstract states of its certificate and never faults; and a
 * certificate proves no program but one that is safe. Near misses of the corpus are programs just at the border.
 *
 * SOUNDCHECK_RUNS sets the number of near misses (default 600), SOUNDCHECK_SEED the seed.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { runProgram } from "../../src/campaign/run-program.ts";
import { disassemble } from "../../src/semantics/isa/disassemble.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { checkCertificate } from "../../src/verifier/check-certificate.ts";
import type { Verdict } from "../../src/verifier/verdict.ts";
import { verify } from "../../src/verifier/verify.ts";
import { casePrograms, compiledPrograms } from "./corpus.ts";
import { nearMisses, wellEncoded } from "./mutate.ts";

const numRuns = Number(process.env["SOUNDCHECK_RUNS"] ?? 600);
const seed = Number(process.env["SOUNDCHECK_SEED"] ?? 1);
/** A certificate for another program may have endless paths to follow there. */
const STEPS = 200_000;
/** Near misses of loops go round for ever, or nearly so: what takes more instructions is not waited for. */
const LIMIT = 20_000;
const verifyShort = (program: Program): Verdict => verify(program, undefined, undefined, LIMIT);
const programs = [...casePrograms(), ...compiledPrograms(3)].filter(({ insns }) => insns.length < 200);

test("accepted near misses stay inside their certificate, in every run and at every step", () => {
  let accepted = 0;
  fc.assert(
    fc.property(nearMisses(programs), fc.nat(0xffff), ({ mutant }, runSeed) => {
      fc.pre(wellEncoded(mutant));
      const verdict = verifyShort(mutant);
      if (verdict.verdict !== "accept") return;
      accepted += 1;
      const { violations } = runProgram(mutant, verdict, runSeed, 12);
      expect(
        violations.map(({ insn, message }) => `${insn}: ${message}\n${disassemble(mutant.insns)}`),
      ).toEqual([]);
    }),
    { numRuns, seed },
  );
  expect(accepted).toBeGreaterThan(numRuns / 20);
});

test("every accepted near miss has a certificate that the checker confirms", () => {
  fc.assert(
    fc.property(nearMisses(programs), ({ mutant }) => {
      fc.pre(wellEncoded(mutant));
      const verdict = verifyShort(mutant);
      if (verdict.verdict === "accept") {
        expect(checkCertificate(mutant, verdict.certificate)).toMatchObject({ ok: true });
      }
    }),
    { numRuns, seed },
  );
});

test("a certificate that is confirmed for another program proves that program", () => {
  fc.assert(
    fc.property(nearMisses(programs), fc.nat(0xffff), ({ original, mutant }, runSeed) => {
      fc.pre(wellEncoded(mutant));
      const verdict = verifyShort(original);
      if (verdict.verdict !== "accept") return;
      const { certificate } = verdict;
      const check = checkCertificate(mutant, certificate, STEPS);
      if (!check.ok) return;
      const { longestRun } = check;
      const { violations } = runProgram(mutant, { ...verdict, longestRun }, runSeed, 6);
      expect(violations).toEqual([]);
    }),
    { numRuns, seed },
  );
});
