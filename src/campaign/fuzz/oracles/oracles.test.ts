/** Each oracle sees what it is there for, and no other does: a campaign without it would not find that. */
import { describe, expect, test, vi } from "vitest";
import { assemble } from "../../../semantics/isa/assemble.ts";
import { DEFAULT_RULES } from "../../../semantics/profile/rules.ts";
import type { Program } from "../../../semantics/program/program.ts";
import { verify } from "../../../verifier/verify.ts";
import type { CheckedRun } from "../../check-report.ts";
import { NO_RUNS } from "../cross-check.ts";
import { ORACLE_NAMES, type OracleName, oraclesFor } from "../oracle-names.ts";
import { oraclesNamed } from "./all.ts";
import { faultsAfterAll } from "./harmless.ts";
import type { Case } from "./oracle.ts";

/** A compiler that is told what is true of another program: the one that its certificate is of. */
vi.mock(import("../../proved-facts.ts"), async (original) => {
  const { provedFacts } = await original();
  return {
    provedFacts: (of, certificate, rules) =>
      provedFacts(of.name === LIED ? byte(40) : of, certificate, rules),
  };
});
const LIED = "lied about";

function program(...asm: readonly string[]): Program {
  const rest = { license: "GPL", flags: [], maps: [], lines: [], functions: [] };
  return { name: "test", type: "xdp", insns: assemble(asm.join("\n"), { maps: [] }), ...rest };
}

const accepted = program("r0 = 0", "exit");
const refused = program("exit");
/** A byte of the packet behind a comparison for so many. */
const byte = (compared: number): Program =>
  program(
    "r0 = 0",
    "r2 = *(u32 *)(r1 +0)",
    "r3 = *(u32 *)(r1 +4)",
    "r4 = r2",
    `r4 += ${compared}`,
    "if r4 > r3 goto out",
    "r0 = *(u8 *)(r2 +30)",
    "out:",
    "exit",
  );

const run: CheckedRun = {
  packet: new Uint8Array(64),
  context: new Uint8Array(0),
  seed: 0,
  steps: 2,
  outcome: { kind: "exit", r0: "0x0" },
};
const short: CheckedRun = { ...run, packet: new Uint8Array(14) };
const faulting: CheckedRun = {
  ...run,
  outcome: { kind: "fault", fault: "out_of_bounds", insn: 0, message: "it does" },
};
const input = { packet: new Uint8Array(0), value: new Uint8Array(0), seed: 0 };

/** An accepted program that ran as it should, on a seed that all oracles look at. */
const sound: Case = {
  program: accepted,
  seed: 64,
  rules: DEFAULT_RULES,
  answer: { verdict: "accept", message: "" },
  verdict: verify(accepted),
  ran: { ...NO_RUNS, runs: [run] },
  broken: undefined,
};

const walked = (kind: "containment" | "termination"): Case => ({
  ...sound,
  ran: { ...sound.ran, violations: [{ kind, insn: 0, message: "it is not", run }] },
});
const kernel = (oracle: "hole" | "bounds" | "dead" | "run"): Case => ({
  ...sound,
  kernel: [{ oracle, message: "it is not", cause: "something", input }],
});
const broken = (message: string): Case => ({ ...sound, verdict: undefined, broken: new Error(message) });
const says = (answer: Case["answer"], of = accepted): Case => ({ ...sound, verdict: verify(of), answer });

const CASES: readonly (readonly [OracleName, Case])[] = [
  ["certificate", broken("the certificate is not confirmed: a state is missing")],
  ["crash", broken("an invariant")],
  ["containment", walked("containment")],
  ["termination", walked("termination")],
  ["fault", { ...sound, ran: { ...sound.ran, witness: faulting } }],
  ["fault", kernel("hole")],
  // What is proved is proved of another program.
  [
    "jit",
    {
      ...sound,
      program: { ...byte(14), name: LIED },
      verdict: verify(byte(40)),
      ran: { ...NO_RUNS, runs: [short] },
    },
  ],
  ["bounds", kernel("bounds")],
  ["dead", kernel("dead")],
  ["run", kernel("run")],
  ["beside", { ...sound, beside: { verdict: "reject", message: "R1 !read_ok" } }],
  ["verdict", says({ verdict: "reject", message: "R1 !read_ok" })],
  ["message", says({ verdict: "reject", message: "invalid access to packet, off=0 size=1" }, refused)],
  ["processed", says({ verdict: "accept", message: "", processed: 3 })],
  ["target", says({ verdict: "unsupported", message: "", lost: "it ended" })],
];

const speaking = (names: readonly OracleName[], given: Case): readonly string[] =>
  oraclesNamed(names).flatMap(({ judge }) => judge(given).map(({ oracle }) => oracle));

describe("oracles", () => {
  test("all of a case have one here", () => {
    const without = ORACLE_NAMES.filter((name) => !CASES.some(([own]) => own === name));
    // These see what is not in a case (engine.test.ts, kernel-work.test.ts), or have nothing to say (below; `word` in word/word.test.ts).
    expect(without).toEqual(["console", "harmless", "word", "broken"]);
  });

  test.each(CASES)("%s", (name, given) => {
    expect(new Set(speaking(ORACLE_NAMES, given))).toEqual(new Set([name]));
    expect(
      speaking(
        ORACLE_NAMES.filter((each) => each !== name),
        given,
      ),
    ).toEqual([]);
  });

  test("have nothing to say of what is sound", () => expect(speaking(ORACLE_NAMES, sound)).toEqual([]));
});

describe("rejected programs", () => {
  const rejected = (of: Program, seed: number): Case => ({
    ...sound,
    program: of,
    seed,
    verdict: verify(of),
    ran: NO_RUNS,
  });
  // What nobody can make fault: the packet has 14 bytes in any case.
  const safe = program("r2 = *(u32 *)(r1 +0)", "r0 = *(u8 *)(r2 +3)", "r0 = 0", "exit");
  const unsafe = program("r2 = *(u32 *)(r1 +0)", "r0 = *(u8 *)(r2 +5000)", "r0 = 0", "exit");

  test("of which some fault after all, and some do not", () => {
    expect(faultsAfterAll(rejected(unsafe, 8))).toBe(true);
    expect(faultsAfterAll(rejected(safe, 8))).toBe(false);
    expect(faultsAfterAll(rejected(safe, 9))).toBeUndefined();
    expect(faultsAfterAll(rejected(accepted, 8))).toBeUndefined();
  });
});

describe("which are asked", () => {
  test("those that have something to look at; differences where they are named", () => {
    expect(oraclesFor("ours", [], ["jit"])).toEqual([
      "certificate",
      "containment",
      "fault",
      "termination",
      "harmless",
      "crash",
      "broken",
    ]);
    expect(oraclesFor("seeded:x", [], [])).toEqual(oraclesFor("ours", [], []));
    expect(oraclesFor("kernel:linux-6.1", [], ["broken"])).toEqual([
      "fault",
      "bounds",
      "dead",
      "run",
      "console",
      "beside",
      "crash",
    ]);
    expect(oraclesFor("kernel:linux-6.1", ["verdict", "bounds"], [])).toEqual(["bounds", "verdict"]);
    expect(oraclesFor("command:x", [], [])).toContain("target");
  });

  test("one that has nothing to look at is bad usage", () => {
    expect(() => oraclesFor("ours", ["bounds"], [])).toThrow(
      "--oracle bounds has nothing to look at with --target ours: it is for kernel",
    );
  });
});
