/**
 * Certificates that were tampered with. What is claimed: whatever the checker confirms is true. So
 * - no certificate makes it accept a program that faults: not one that was changed from a similar program's, and not one that was
 *   forged for the program itself, with a lie at any place on the way to the fault;
 * - a certificate of a safe program that was changed is refused, or what it says now holds in every run at every step.
 *
 * SOUNDCHECK_RUNS sets the number of tries (default 1,000), SOUNDCHECK_SEED the seed.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { allocate, reset } from "../../src/absint/arena.ts";
import { initialise, LIVE_STATE_BYTES, toBytes } from "../../src/absint/state.ts";
import { runProgram } from "../../src/campaign/run-program.ts";
import { InputError, Unsupported } from "../../src/semantics/errors.ts";
import { encode } from "../../src/semantics/isa/codec.ts";
import { DEFAULT_RULES } from "../../src/semantics/profile/rules.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { Certificate, CertificateNode } from "../../src/verifier/certificate.ts";
import { ByteReader } from "../../src/verifier/certificate-format/bytes.ts";
import { decodeCertificate } from "../../src/verifier/certificate-format/decode.ts";
import { encodeCertificate } from "../../src/verifier/certificate-format/encode.ts";
import { type CertificateCheck, checkCertificate } from "../../src/verifier/check-certificate.ts";
import { replay } from "../../src/verifier/explain/replay.ts";
import type { Verdict } from "../../src/verifier/verdict.ts";
import { verify } from "../../src/verifier/verify.ts";
import { casePrograms, compiledPrograms } from "./corpus.ts";
import { nearMisses } from "./mutate.ts";
import { Chance, mended, tamper, tamperBytes } from "./tamper.ts";

const numRuns = Number(process.env["SOUNDCHECK_RUNS"] ?? 1_000);
const seed = Number(process.env["SOUNDCHECK_SEED"] ?? 1);
const STEPS = 50_000;
const LIMIT = 20_000;

const programs = [...casePrograms(), ...compiledPrograms(3)].filter(({ insns }) => insns.length < 200);
const verifyShort = (program: Program): Verdict => verify(program, undefined, undefined, LIMIT);

type Accepted = Extract<Verdict, { verdict: "accept" }>;
type Rejected = Extract<Verdict, { verdict: "reject" }>;

const accepted = programs.flatMap((program) => {
  const verdict = verifyShort(program);
  return verdict.verdict === "accept" ? [{ program, verdict }] : [];
});

test("every certificate of the corpus is confirmed when it has been written and read", () => {
  for (const { program, verdict } of accepted) {
    const read = decodeCertificate(new ByteReader(encodeCertificate(verdict.certificate)));
    expect([program.name, checkCertificate(program, read)]).toMatchObject([program.name, { ok: true }]);
  }
});

/** Rejected programs of which a run is known that faults. */
interface Unsafe {
  readonly program: Program;
  readonly verdict: Rejected;
}

function unsafe(program: Program, runSeed: number): Unsafe | undefined {
  const verdict = verifyShort(program);
  if (verdict.verdict !== "reject" || verdict.path.length === 0) return undefined;
  return runProgram(program, verdict, runSeed, 12).witness === undefined ? undefined : { program, verdict };
}

/** What the checker says; undefined for what is not modelled. */
function check(program: Program, certificate: Certificate): CertificateCheck | undefined {
  try {
    return checkCertificate(program, certificate, STEPS);
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

/** A certificate with true states at some places of the way to the fault, of which `tamper` makes lies. */
function forged({ program, verdict }: Unsafe, chance: Chance): Certificate {
  const { path } = verdict;
  const wanted = new Set([path.length - 1, ...Array.from({ length: 2 }, () => chance.below(path.length))]);
  const nodes: CertificateNode[] = [];
  replay(
    program,
    path,
    {
      before: (m, index) => {
        if (index > 0 && wanted.has(index))
          nodes.unshift({ pc: m.pc, state: toBytes(m.state), edges: [], loops: [] });
      },
    },
    DEFAULT_RULES,
  );
  reset();
  const start = allocate(LIVE_STATE_BYTES);
  initialise(start);
  nodes.push({ pc: 0, state: toBytes(start), edges: [], loops: [] });
  const edges = (i: number): number[] => Array.from({ length: i }, (_, to) => to);
  return { nodes: nodes.map((node, i) => ({ ...node, edges: edges(i) })), roots: [] };
}

/** Says of the register that the refusal is about what would have been needed, where the program faults. */
function withLie({ program, verdict }: Unsafe, { nodes }: Certificate, chance: Chance): Certificate {
  const [, named] = /\bR(\d+)\b/.exec(verdict.message) ?? [];
  const insn = program.insns[verdict.insn ?? 0];
  const register = named === undefined ? chance.one([0, insn?.dst ?? 0, insn?.src ?? 0]) : Number(named);
  const [fault, ...rest] = nodes;
  if (fault === undefined || rest.length === 0) return { nodes, roots: [] };
  return { nodes: [mended(fault, register, chance.below(2 ** 31)), ...rest], roots: [] };
}

const faulting = programs.flatMap((program) => unsafe(program, seed) ?? []);

test("no certificate that was forged makes the checker accept a program that faults", () => {
  expect(faulting.length).toBeGreaterThan(20);
  let refused = 0;
  for (let i = 0; i < numRuns; i += 1) {
    const chance = new Chance(seed * 1_000_003 + i);
    const target = chance.one(faulting);
    const truth = forged(target, chance);
    const lie = chance.below(2) === 0 ? tamper(truth, chance.below(2 ** 31)) : withLie(target, truth, chance);
    const found = check(target.program, lie);
    expect([target.program.name, i, found?.ok ?? false]).toEqual([target.program.name, i, false]);
    if (found !== undefined) refused += 1;
  }
  expect(refused).toBeGreaterThan(numRuns * 0.9);
});

test("no certificate of a similar program, changed, makes the checker accept a program that faults", () => {
  let tries = 0;
  fc.assert(
    fc.property(
      nearMisses(accepted.map(({ program }) => program)),
      fc.nat(0x7fff_ffff),
      ({ original, mutant }, s) => {
        try {
          encode(mutant.insns);
        } catch {
          return;
        }
        const target = unsafe(mutant, s);
        if (target === undefined) return;
        const own = accepted.find(({ program }) => program === original);
        if (own === undefined) throw new Error("one of the accepted");
        for (let i = 0; i < 20; i += 1) {
          tries += 1;
          const lie = tamper(own.verdict.certificate, s + i);
          if (lie.nodes.length > 0) expect(check(mutant, lie)?.ok ?? false).toBe(false);
        }
      },
    ),
    { numRuns: numRuns / 10, seed },
  );
  expect(tries).toBeGreaterThan(numRuns / 10);
});

/** What is confirmed holds in generated runs. */
function expectTrue(
  program: Program,
  before: Accepted,
  certificate: Certificate,
  longestRun: bigint,
  s: number,
): void {
  const { violations } = runProgram(program, { ...before, certificate, longestRun }, s, 4);
  expect(violations).toEqual([]);
}

test("a certificate that was changed is refused, or what it says now holds in every run", () => {
  const outcomes = { refused: 0, equivalent: 0 };
  for (let i = 0; i < numRuns; i += 1) {
    const chance = new Chance(seed * 1_000_033 + i);
    const { program, verdict } = chance.one(accepted);
    const changed = tamper(verdict.certificate, chance.below(2 ** 31));
    if (changed.nodes.length === 0) continue;
    const found = check(program, changed);
    if (found?.ok !== true) outcomes.refused += 1;
    else {
      outcomes.equivalent += 1;
      expectTrue(program, verdict, changed, found.longestRun, i);
    }
  }
  expect(outcomes.refused).toBeGreaterThan(numRuns / 4);
  expect(outcomes.equivalent).toBeGreaterThan(0);
  if (process.env["SOUNDCHECK_RUNS"] !== undefined) console.info(outcomes);
});

test("a file of which bytes were changed is refused, or what it says now holds in every run", () => {
  const outcomes = { unreadable: 0, refused: 0, equivalent: 0 };
  for (let i = 0; i < numRuns; i += 1) {
    const chance = new Chance(seed * 1_000_037 + i);
    const { program, verdict } = chance.one(accepted);
    const bytes = encodeCertificate(verdict.certificate);
    const changed = tamperBytes(bytes, chance.below(2 ** 31));
    if (Buffer.compare(bytes, changed) === 0) continue;
    let read: Certificate;
    try {
      read = decodeCertificate(new ByteReader(changed));
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      outcomes.unreadable += 1;
      continue;
    }
    const found = check(program, read);
    if (found?.ok !== true) outcomes.refused += 1;
    else {
      outcomes.equivalent += 1;
      expectTrue(program, verdict, read, found.longestRun, i);
    }
  }
  expect(outcomes.unreadable).toBeGreaterThan(numRuns / 10);
  if (process.env["SOUNDCHECK_RUNS"] !== undefined) console.info(outcomes);
});
