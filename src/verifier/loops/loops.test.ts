/** Loops that are closed: what is accepted and after how many instructions it ends, and that no certificate of one proves what is not so. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assemble } from "../../semantics/isa/assemble.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { Certificate, CertificateNode, Measure, Place } from "../certificate.ts";
import { checkCertificate } from "../check-certificate.ts";
import { verify } from "../verify.ts";

const KFUNCS = ["bpf_iter_num_new", "bpf_iter_num_next", "bpf_iter_num_destroy"];

function program(...asm: readonly string[]): Program {
  const insns = assemble(asm, { kfuncs: KFUNCS });
  const kfuncs = insns.flatMap((insn, at) =>
    insn?.row.name === "call_kfunc" ? [{ insn: at, name: KFUNCS[insn.imm] as string }] : [],
  );
  const rest = { maps: [], lines: [], functions: [], kfuncs };
  return { name: "test", type: "xdp", license: "GPL", flags: [], insns, ...rest };
}

function accepted(p: Program): { readonly certificate: Certificate; readonly longestRun: bigint } {
  const verdict = verify(p);
  if (verdict.verdict !== "accept") throw new Error(`not accepted: ${JSON.stringify(verdict)}`);
  return verdict;
}

const UP = ["r7 = 0", "l:", "r7 += 1", "if r7 < 1000000 goto l", "r0 = 2", "exit"];

describe("a loop of a million passages", () => {
  test("is closed after a few", () => {
    const verdict = verify(program(...UP));
    expect(verdict).toMatchObject({ verdict: "accept" });
    expect(verdict.statistics.processed).toBeLessThan(500);
  });

  test("ends when the certificate says", () => {
    const { longestRun } = accepted(program(...UP));
    // A run executes 2,000,003. Passages before the loop is closed count once more.
    expect(longestRun).toBeGreaterThanOrEqual(2_000_003n);
    expect(longestRun).toBeLessThan(2_001_000n);
  });

  test("may not be one of more passages than Linux lets its own loops have", () => {
    const bounded = (limit: number): Program =>
      program("r7 = 0", "l:", "r7 += 1", `if r7 < ${limit} goto l`, "r0 = 2", "exit");
    expect(verify(bounded(2 ** 23), undefined, undefined, 5000)).toMatchObject({ verdict: "accept" });
    expect(verify(bounded(2 ** 23 + 2), undefined, undefined, 5000)).toMatchObject({ errno: "E2BIG" });
  });

  test("inside of another takes as many times as long", () => {
    const nested = program(
      "r6 = 0",
      "o:",
      "r7 = 0",
      "l:",
      "r7 += 1",
      "if r7 < 1000 goto l",
      "r6 += 1",
      "if r6 < 1000 goto o",
      "r0 = 2",
      "exit",
    );
    const { longestRun, certificate } = accepted(nested);
    expect(longestRun).toBeGreaterThanOrEqual(2_003_003n);
    expect(longestRun).toBeLessThan(2_200_000n);
    expect(certificate.nodes.some(({ loops, measure }) => loops.length === 1 && measure !== undefined)).toBe(
      true,
    );
  });
});

test("of a loop's invariant stays what is used of it", () => {
  // Twelve numbers on the stack are 0 or 1 before a loop, which uses one of them; what comes after the loop uses another one.
  const branches = Array.from({ length: 12 }, (_, i) => [
    `r1 = *(u8 *)(r6 +${i})`,
    `if r1 == 0 goto n${i}`,
    `*(u64 *)(r10 -${8 + 8 * i}) = 1`,
    `n${i}:`,
  ]).flat();
  const p = program(
    "r6 = *(u32 *)(r1 +0)",
    "r2 = *(u32 *)(r1 +4)",
    "r0 = r6",
    "r0 += 12",
    "if r0 > r2 goto e",
    ...Array.from({ length: 12 }, (_, i) => `*(u64 *)(r10 -${8 + 8 * i}) = 0`),
    ...branches,
    "r7 = 0",
    "l:",
    "r1 = *(u64 *)(r10 -24)",
    "if r1 > 1 goto l",
    "r7 += 1",
    "if r7 < 1000 goto l",
    "r1 = *(u64 *)(r10 -40)",
    "if r1 > 1 goto l",
    "e:",
    "r0 = 2",
    "exit",
  );
  const verdict = verify(p);
  expect(verdict).toMatchObject({ verdict: "accept" });
  expect(verdict.statistics.processed).toBeLessThan(2500);
});

test("what is tried in vain leaves no trace but the time that it took", () => {
  const p = program("r7 = 0", "l:", "r7 += 1", "if r7 < 40 goto l", "r0 = *(u64 *)(r10 -520)", "exit");
  const verdict = verify(p);
  expect(verdict).toMatchObject({ verdict: "reject", insn: 3 });
  if (verdict.verdict !== "reject") return;
  expect(verdict.path.length).toBe(1 + 2 * 40 + 1);
});

/** Programs of the same shape, of which the first ends and the others do not, or fault. */
/** A loop over an iterator at fp-16; `again` stands where another passage begins. */
const iterated = (...again: readonly string[]): readonly string[] => [
  "r6 = *(u32 *)(r1 +12)",
  "r1 = r10",
  "r1 += -16",
  "r2 = 0",
  "r3 = 1000000",
  "call bpf_iter_num_new",
  "l:",
  "r1 = r10",
  "r1 += -16",
  ...again,
  "r1 = r10",
  "r1 += -16",
  "call bpf_iter_num_destroy",
  "r0 = 2",
  "exit",
];

/** Loops over a budget; they end at `e`. */
const budgeted = (...loops: readonly string[]): readonly string[] => [
  "r6 = *(u32 *)(r1 +12)",
  ...loops,
  "e:",
  "r0 = 2",
  "exit",
];

/** A loop that calls a function with a loop over its own budget. */
const calling = (...rest: readonly string[]): readonly string[] => [
  "r6 = *(u32 *)(r1 +12)",
  "s:",
  "call f",
  ...rest,
  "e:",
  "r0 = 2",
  "exit",
  "f:",
  "may_goto g",
  "r0 = 0",
  "goto f",
  "g:",
  "r0 = 0",
  "exit",
];

const FAMILIES: readonly (readonly [good: readonly string[], ...bad: (readonly string[])[]])[] = [
  [
    iterated("call bpf_iter_num_next", "if r0 != 0 goto l"),
    // Another passage whatever comes; none asked for; a new iterator each time; without an end of its own.
    iterated("call bpf_iter_num_next", "if r6 != 0 goto l"),
    iterated("r0 = r6", "if r0 != 0 goto l"),
    iterated("call bpf_iter_num_destroy", "goto l"),
    iterated("call bpf_iter_num_next", "if r0 == 0 goto l"),
  ],
  [
    ["r6 = *(u32 *)(r1 +12)", "l:", "may_goto e", "r6 += 1", "goto l", "e:", "r0 = 2", "exit"],
    ["r6 = *(u32 *)(r1 +12)", "l:", "may_goto l", "r6 += 1", "goto l", "e:", "r0 = 2", "exit"],
    ["r6 = *(u32 *)(r1 +12)", "l:", "if r6 == 0 goto e", "r6 += 2", "goto l", "e:", "r0 = 2", "exit"],
    ["r6 = *(u32 *)(r1 +12)", "may_goto e", "l:", "r6 += 1", "goto l", "e:", "r0 = 2", "exit"],
  ],
  [
    budgeted("o:", "may_goto e", "l:", "may_goto n", "r6 += 1", "goto l", "n:", "goto o"),
    // The loop outside passes none that ends it, the one inside, the one outside but for the first time.
    budgeted("o:", "may_goto a", "a:", "l:", "may_goto n", "r6 += 1", "goto l", "n:", "goto o"),
    budgeted("o:", "may_goto e", "l:", "may_goto a", "a:", "r6 += 1", "goto l", "n:", "goto o"),
    budgeted("may_goto e", "o:", "l:", "may_goto n", "r6 += 1", "goto l", "n:", "goto o"),
  ],
  [
    // Each call of a function has a budget of its own.
    calling("r6 += 1", "may_goto e", "goto s"),
    calling("r6 += 1", "may_goto s", "goto s"),
    calling("r6 += 1", "may_goto a", "a:", "goto s"),
  ],
  [
    ["r6 = *(u32 *)(r1 +12)", "r7 = 0", "l:", "r7 += 1", "if r7 < 1000000 goto l", "r0 = 2", "exit"],
    ["r6 = *(u32 *)(r1 +12)", "r7 = 0", "l:", "r7 += 0", "if r7 < 1000000 goto l", "r0 = 2", "exit"],
    ["r6 = *(u32 *)(r1 +12)", "r7 = 0", "l:", "r7 = r6", "if r7 < 1000000 goto l", "r0 = 2", "exit"],
    ["r6 = *(u32 *)(r1 +12)", "r7 = 0", "l:", "r7 ^= 1", "if r7 < 1000000 goto l", "r0 = 2", "exit"],
    ["r6 = *(u32 *)(r1 +12)", "r7 = 0", "l:", "r7 += 1", "if r7 != 0 goto l", "r0 = 2", "exit"],
    ["r6 = *(u32 *)(r1 +12)", "r7 = 0", "l:", "r7 += -1", "if r7 s< 1000000 goto l", "r0 = 2", "exit"],
    ["r6 = *(u32 *)(r1 +12)", "r7 = 0", "l:", "r7 += 1", "if r7 < 1000000 goto l", "r0 = r5", "exit"],
  ],
  [
    [
      "r8 = 0",
      "o:",
      "r7 = 0",
      "l:",
      "r7 += 1",
      "if r7 < 1000000 goto l",
      "r8 += 1",
      "if r8 < 1000000 goto o",
      "r0 = 2",
      "exit",
    ],
    [
      "r8 = 0",
      "o:",
      "r7 = 0",
      "l:",
      "r7 += 1",
      "if r7 < 1000000 goto l",
      "r8 = 1",
      "if r8 < 1000000 goto o",
      "r0 = 2",
      "exit",
    ],
    [
      "r8 = 0",
      "o:",
      "r7 = 0",
      "l:",
      "r7 += 1",
      "if r8 < 1000000 goto l",
      "r8 += 1",
      "if r8 < 1000000 goto o",
      "r0 = 2",
      "exit",
    ],
    [
      "r8 = 0",
      "o:",
      "r7 = 0",
      "l:",
      "r7 = 1",
      "if r7 < 1000000 goto l",
      "r8 += 1",
      "if r8 < 1000000 goto o",
      "r0 = 2",
      "exit",
    ],
  ],
];

const places: readonly Place[] = [
  ...[0, 6, 7, 8].map((register): Place => ({ kind: "register", frame: 0, register })),
  { kind: "slot", frame: 0, slot: 0 },
];
const measures: fc.Arbitrary<Measure> = fc.record({
  kind: fc.constant("counter"),
  place: fc.constantFrom(...places),
  order: fc.record({ bits: fc.constantFrom(32, 64), signed: fc.boolean() }),
  direction: fc.constantFrom("up", "down"),
});

/** One change to a certificate: to a measure, to what a node rests on or is inside of, or to bytes of a state. */
function tampered(certificate: Certificate): fc.Arbitrary<Certificate> {
  const { nodes } = certificate;
  const change = (
    make: (node: CertificateNode) => fc.Arbitrary<CertificateNode>,
  ): fc.Arbitrary<Certificate> =>
    fc.nat(nodes.length - 1).chain((index) =>
      make(nodes[index] as CertificateNode).map((node) => ({
        ...certificate,
        nodes: nodes.map((old, i) => (i === index ? node : old)),
      })),
    );
  const someNodes = fc.array(fc.nat(nodes.length - 1), { maxLength: 2 });
  const bytes = fc.array(fc.tuple(fc.nat(4096), fc.constantFrom(0, 1, 2, 127, 128, 255)), {
    minLength: 1,
    maxLength: 4,
  });
  return fc.oneof(
    change((node) => measures.map((measure) => ({ ...node, measure }))),
    change((node) => someNodes.map((loops) => ({ ...node, loops }))),
    change((node) => someNodes.map((edges) => ({ ...node, edges }))),
    change((node) =>
      bytes.map((changes) => {
        const state = node.state.slice();
        for (const [at, byte] of changes) state[at % state.length] = byte;
        return { ...node, state };
      }),
    ),
    change((node) => fc.nat(9).map((pc) => ({ ...node, pc }))),
  );
}

describe.each(FAMILIES)("%s", (good, ...bad) => {
  const { certificate } = accepted(program(...good));
  const others = bad.map((asm) => program(...asm));

  test("the certificate is confirmed, and names a measure", () => {
    expect(checkCertificate(program(...good), certificate)).toMatchObject({ ok: true });
    expect(certificate.nodes.some(({ measure }) => measure !== undefined)).toBe(true);
  });

  test("it proves none of the programs that are no good", () => {
    for (const other of others)
      expect(checkCertificate(other, certificate, 4000)).toMatchObject({ ok: false });
  });

  test("nor does it if it is tampered with", () => {
    const property = fc.property(tampered(certificate), fc.constantFrom(...others), (changed, other) => {
      expect(checkCertificate(other, changed, 2000)).toMatchObject({ ok: false });
    });
    fc.assert(property, { numRuns: 200, seed: 1 });
  });

  const heads = certificate.nodes.flatMap(({ measure }, index) => (measure === undefined ? [] : [index]));
  const withMeasure = (index: number, change: (measure: Measure) => Measure | undefined): Certificate => ({
    ...certificate,
    nodes: certificate.nodes.map((node, i) => {
      if (i !== index || node.measure === undefined) return node;
      const { measure, ...rest } = node;
      const changed = change(measure);
      return changed === undefined ? rest : { ...rest, measure: changed };
    }),
  });
  const refused = (changed: Certificate): void =>
    expect(checkCertificate(program(...good), changed, 4000)).toMatchObject({ ok: false });

  test.each([heads.at(0) ?? 0, heads.at(-1) ?? 0])("a wrong measure of node %i is noticed", (head) => {
    refused(withMeasure(head, () => undefined));
    refused(withMeasure(head, (m) => ({ ...m, direction: m.direction === "up" ? "down" : "up" })));
    refused(withMeasure(head, (m) => ({ ...m, place: { kind: "register", frame: 0, register: 9 } })));
    refused(withMeasure(head, (m) => ({ ...m, place: { kind: "slot", frame: 0, slot: 0 } })));
    refused(withMeasure(head, (m) => ({ ...m, place: { kind: "register", frame: 3, register: 7 } })));
  });

  test("a node that does not say that it is inside of a loop is noticed", () => {
    certificate.nodes.forEach(({ loops }, index) => {
      if (loops.length === 0 || index % 5 !== 0) return;
      const nodes = certificate.nodes.map((node, i) => (i === index ? { ...node, loops: [] } : node));
      refused({ ...certificate, nodes });
    });
  });
});
