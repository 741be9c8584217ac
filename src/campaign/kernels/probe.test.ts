/** Probes. That most of them are accepted is a goal of theirs; that runs of accepted ones stay inside their certificates is the verifier's claim. */
import { describe, expect, it } from "vitest";
import { encode } from "../../semantics/isa/codec.ts";
import { verify } from "../../verifier/verify.ts";
import { runProgram } from "../run-program.ts";
import { probe } from "./probe.ts";
import { CALLEE_STEPS, PROBE_STEPS } from "./probe-steps.ts";

const SEEDS = Array.from({ length: 60 }, (_, i) => 7000 + i);
const all = { steps: PROBE_STEPS, calleeSteps: CALLEE_STEPS };

describe("probes", () => {
  it("are the same for the same seed", () => {
    for (const seed of SEEDS.slice(0, 10)) {
      const [one, other] = [probe(seed, { ...all, version: 618 }), probe(seed, { ...all, version: 618 })];
      expect(encode(one.insns)).toEqual(encode(other.insns));
    }
  });

  it("are mostly accepted, and safe then", () => {
    let accepted = 0;
    const few = SEEDS.slice(0, 24);
    for (const seed of few) {
      const program = probe(seed, { ...all, version: 619 });
      const verdict = verify(program);
      if (verdict.verdict !== "accept") continue;
      accepted += 1;
      expect(runProgram(program, verdict, seed, 3).violations).toEqual([]);
    }
    expect(accepted).toBeGreaterThan(0.8 * few.length);
  });

  it("have no newer instructions than the kernel", () => {
    const newer = /^(movsx|bswap|ldxs|sdiv|smod|may_goto)/;
    const rowsOf = (version: number): readonly string[] =>
      SEEDS.flatMap((seed) => probe(seed, { ...all, version }).insns.flatMap((insn) => insn?.row.name ?? []));
    expect(rowsOf(601).filter((name) => newer.test(name))).toEqual([]);
    expect(rowsOf(619).filter((name) => newer.test(name))).not.toEqual([]);
  });

  it("are of shapes that the running kernel may load: no legacy packet loads, and no load flag but one", () => {
    for (const seed of SEEDS) {
      const { insns, flags } = probe(seed, { ...all, version: 618 });
      const kinds = new Set(insns.map((insn) => insn?.row.operation.kind));
      expect(kinds.has("packet")).toBe(false);
      expect(flags.filter((flag) => flag !== "test_state_freq")).toEqual([]);
    }
  });
});
