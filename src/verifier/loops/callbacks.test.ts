/** Helpers that call back: what is accepted and how long it takes, and that no certificate of one proves what is not so. */
import { describe, expect, test } from "vitest";
import { RUNS } from "../../absint/state.ts";
import { assemble } from "../../semantics/isa/assemble.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { Certificate, CertificateNode, Measure } from "../certificate.ts";
import { readState, writeState } from "../certificate-format/state.ts";
import { checkCertificate } from "../check-certificate.ts";
import { verify } from "../verify.ts";

/** The callback begins where the main program ends. */
function program(main: readonly string[], callback: readonly string[]): Program {
  const insns = assemble([...main, "exit", "cb:", ...callback, "exit"]);
  const start = insns.findIndex(
    (insn, pc) => pc > 0 && insns[pc - 1]?.row.operation.kind === "exit" && insn !== undefined,
  );
  return {
    name: "test",
    type: "xdp",
    license: "GPL",
    flags: [],
    insns,
    maps: [],
    lines: [],
    functions: [
      { insn: 0, name: "main", typeId: 1, linkage: "global" },
      { insn: start, name: "cb", typeId: 2, linkage: "static" },
    ],
  };
}

/** A table of eight numbers on the stack, and a callback that writes to one of them. */
const table = (runs: string, ...callback: readonly string[]): Program =>
  program(
    [
      "r6 = *(u32 *)(r1 +12)",
      ...[8, 16, 24, 32, 40, 48, 56, 64].map((offset) => `*(u64 *)(r10 -${offset}) = 0`),
      `r1 = ${runs}`,
      "r2 = func cb",
      "r3 = r10",
      "r3 += -64",
      "r4 = 0",
      "call bpf_loop",
      "r0 = 2",
    ],
    callback,
  );

const FILL = ["r1 <<= 3", "r2 += r1", "*(u64 *)(r2 +0) = 7", "r0 = 0"];
const good = table("8", ...FILL);
/** Too many runs for the checker to go round. */
const many = table("1000000", "r1 &= 7", ...FILL);

function accepted(p: Program): { readonly certificate: Certificate; readonly longestRun: bigint } {
  const verdict = verify(p);
  if (verdict.verdict !== "accept") throw new Error(`not accepted: ${JSON.stringify(verdict)}`);
  return verdict;
}

const empty = (runs: string): Program =>
  program(
    ["r6 = *(u32 *)(r1 +12)", `r1 = ${runs}`, "r2 = func cb", "r3 = 0", "r4 = 0", "call bpf_loop", "r0 = 2"],
    ["r0 = 0"],
  );

describe("as many runs as bpf_loop makes", () => {
  test("are verified after one", () => {
    const verdict = verify(empty("8388608"));
    expect(verdict).toMatchObject({ verdict: "accept" });
    expect(verdict.statistics.processed).toBeLessThan(100);
  });

  test("take as long as the certificate says", () => {
    // A run of the callback is two instructions and the call again.
    expect(accepted(empty("8388608")).longestRun).toBeGreaterThanOrEqual(3n * 8_388_608n);
    expect(accepted(empty("8388608")).longestRun).toBeLessThan(3n * 8_388_608n + 100n);
  });

  test("more are none at all", () => {
    expect(accepted(empty("8388609")).longestRun).toBeLessThan(12n);
  });

  test("a number that is not known is no more than that", () => {
    expect(accepted(empty("r6")).longestRun).toBeLessThan(3n * 8_388_608n + 100n);
  });
});

test("the counter is the number of runs that are left", () => {
  const measures = accepted(good).certificate.nodes.flatMap(({ measure }) => measure ?? []);
  expect(measures).toMatchObject([
    { place: { kind: "register", frame: 0, register: RUNS }, direction: "down" },
  ]);
});

const refused = (p: Program, changed: Certificate): void =>
  expect(checkCertificate(p, changed, 4000)).toMatchObject({ ok: false });

describe("a certificate of a good program", () => {
  const bad: readonly (readonly [string, Program])[] = [
    ["one run more", table("9", ...FILL)],
    ["any number of runs", table("r6", ...FILL)],
    ["the place behind", table("8", "r1 <<= 3", "r2 += r1", "*(u64 *)(r2 +8) = 7", "r0 = 0")],
    ["another result", table("8", "r1 <<= 3", "r2 += r1", "*(u64 *)(r2 +0) = 7", "r0 = 2")],
    ["what is not initialised", table("8", "r1 <<= 3", "r2 += r1", "*(u64 *)(r2 +0) = r5", "r0 = 0")],
  ];
  test.each(bad)("does not prove one with %s", (_, p) => {
    refused(p, accepted(good).certificate);
  });

  test("does not prove one with a wider index", () => {
    refused(table("1000000", "r1 &= 15", ...FILL), accepted(many).certificate);
  });
});

describe("a certificate of many runs", () => {
  const { certificate } = accepted(many);

  const change = (make: (node: CertificateNode) => CertificateNode): Certificate => ({
    ...certificate,
    nodes: certificate.nodes.map((node) => (node.measure === undefined ? node : make(node))),
  });
  const measured = (make: (measure: Measure) => Measure): Certificate =>
    change((node) => (node.measure === undefined ? node : { ...node, measure: make(node.measure) }));

  test("with another measure is refused", () => {
    refused(
      many,
      change(({ measure: _, ...rest }) => rest),
    );
    refused(
      many,
      measured((m) => ({ ...m, direction: "up" })),
    );
    refused(
      many,
      measured((m) => ({ ...m, place: { kind: "register", frame: 0, register: RUNS + 1 } })),
    );
    refused(
      many,
      measured((m) => ({ ...m, place: { kind: "register", frame: 0, register: 10 } })),
    );
    refused(
      many,
      measured((m) => ({ ...m, place: { kind: "register", frame: 1, register: RUNS } })),
    );
  });

  /** The head's state with other runs left. */
  const withRuns = (most: bigint): Certificate =>
    change((node) => {
      const state = readState(node.state);
      const frames = state.frames.map((frame) => ({
        ...frame,
        registers: frame.registers.map((register, i) =>
          i === 10 && register !== undefined
            ? {
                ...register,
                scalar: { ...register.scalar, umax: most, smax: most, umax32: most, smax32: most },
              }
            : register,
        ),
      }));
      return { ...node, state: writeState({ ...state, frames }) };
    });

  test("that says of fewer runs than there are is refused", () => {
    expect(checkCertificate(many, withRuns(1_000_000n), 4000)).toMatchObject({ ok: true });
    refused(many, withRuns(900_000n));
    refused(many, withRuns(0n));
  });

  test("without runs in the head's state is refused", () => {
    const nothing = change((node) => {
      const state = readState(node.state);
      const frames = state.frames.map((frame) => ({
        ...frame,
        registers: frame.registers.map((register, i) => (i === 10 ? undefined : register)),
      }));
      return { ...node, state: writeState({ ...state, frames }) };
    });
    refused(many, nothing);
  });
});
