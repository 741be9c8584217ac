import { expect, test } from "vitest";
import { assemble } from "../semantics/isa/assemble.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Certificate } from "./certificate.ts";
import { checkCertificate } from "./check-certificate.ts";
import { verify } from "./verify.ts";

const program = (...asm: string[]): Program => ({
  name: "test",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble(asm),
  maps: [],
  lines: [],
  functions: [],
});

function certificateOf(p: Program): Certificate {
  const verdict = verify(p);
  if (verdict.verdict !== "accept") throw new Error(`not accepted: ${JSON.stringify(verdict)}`);
  return verdict.certificate;
}

/** Two ways lead to the access; the state at the join is what both are covered by. */
const checked = (size: number): Program =>
  program(
    "r2 = *(u32 *)(r1 +0)",
    "r3 = *(u32 *)(r1 +4)",
    "r6 = *(u32 *)(r1 +12)",
    "r4 = r2",
    `r4 += ${size}`,
    "r0 = 1",
    "if r4 > r3 goto out",
    "r0 = 2",
    "if r6 > 7 goto join",
    "r0 = 3",
    "join:",
    "r0 = *(u8 *)(r2 +13)",
    "out:",
    "exit",
  );

test("the certificate of an accepted program is confirmed", () => {
  const p = checked(14);
  const certificate = certificateOf(p);
  expect(certificate.nodes.length).toBeGreaterThan(1);
  expect(checkCertificate(p, certificate)).toMatchObject({ ok: true });
});

test("a program without the bounds check is not proved by the certificate of the one with it", () => {
  const certificate = certificateOf(checked(14));
  const check = checkCertificate(checked(13), certificate);
  expect(check).toMatchObject({ ok: false, reason: expect.stringContaining("invalid access to packet") });
});

test("a certificate without a start proves nothing", () => {
  const p = checked(14);
  const { nodes } = certificateOf(p);
  expect(checkCertificate(p, { nodes: [], roots: [] })).toMatchObject({ ok: false, node: -1 });
  const elsewhere = nodes.find(({ pc }) => pc !== 0);
  expect(elsewhere).toBeDefined();
  if (elsewhere !== undefined)
    expect(checkCertificate(p, { nodes: [elsewhere], roots: [] })).toMatchObject({ ok: false, node: -1 });
});

test("the start must cover the state that programs start in", () => {
  const p = program("r0 = 1", "exit");
  const other = program("r0 = r1", "exit");
  const [start] = certificateOf(other).nodes;
  if (start === undefined) throw new Error("a certificate has a start");
  // Where the start's r1 is said to be a number, no program starts.
  const state = start.state.slice();
  const kind = state.findIndex((byte, i) => byte === 2 && i % 4 === 0 && i > 144);
  state[kind] = 1;
  expect(checkCertificate(p, { nodes: [{ ...start, state }], roots: [] })).toMatchObject({ ok: false });
});

test("a claim may rest on earlier claims alone", () => {
  const p = checked(14);
  const { nodes } = certificateOf(p);
  const last = nodes.length - 1;
  const circular = nodes.map((node, i) => (i === 0 ? { ...node, edges: [0] } : node));
  expect(checkCertificate(p, { nodes: circular, roots: [] })).toMatchObject({ ok: false, node: 0 });
  const forward = nodes.map((node, i) => (i === 0 ? { ...node, edges: [last] } : node));
  expect(checkCertificate(p, { nodes: forward, roots: [] })).toMatchObject({ ok: false, node: 0 });
});

test("no certificate proves that an endless loop ends", () => {
  const endless = program("r0 = 0", "again:", "r0 ^= 1", "if r0 < 5 goto again", "exit");
  expect(verify(endless)).toMatchObject({ verdict: "reject" });
  const finite = program("r0 = 0", "again:", "r0 += 1", "if r0 < 5 goto again", "exit");
  const check = checkCertificate(endless, certificateOf(finite), 100_000);
  expect(check).toMatchObject({ ok: false });
});

test("a node whose state is narrower than what reaches it covers nothing that is wider", () => {
  // At the join, the number is anything up to 15; a certificate of the same program with 7 says that it is up to 7.
  const masked = (mask: number): Program =>
    program(
      "r6 = *(u32 *)(r1 +12)",
      `r6 &= ${mask}`,
      "r7 = *(u32 *)(r1 +16)",
      "if r7 > 3 goto join",
      "r7 = 1",
      "join:",
      "*(u64 *)(r10 -8) = 0",
      "*(u64 *)(r10 -16) = 0",
      "r2 = r10",
      "r2 += -16",
      "r2 += r6",
      "r0 = *(u8 *)(r2 +0)",
      "exit",
    );
  expect(verify(masked(15))).toMatchObject({ verdict: "accept" });
  expect(verify(masked(31))).toMatchObject({ verdict: "reject" });
  expect(checkCertificate(masked(31), certificateOf(masked(15)))).toMatchObject({ ok: false });
  expect(checkCertificate(masked(7), certificateOf(masked(15)))).toMatchObject({ ok: true });
});

test("paths that wait go on with what they knew, however many wait", () => {
  const sides = 40;
  const p = program(
    "r3 = r10",
    "r3 += -8",
    "*(u64 *)(r10 -8) = 1",
    "r6 = *(u32 *)(r1 +12)",
    ...Array.from({ length: sides }, (_, i) => `if r6 == ${i + 1} goto out`),
    "r3 = 0",
    "r0 = 0",
    "exit",
    "out:",
    "r0 = *(u8 *)(r3 +0)",
    "exit",
  );
  const start = certificateOf(p).nodes.at(-1);
  if (start === undefined) throw new Error("a certificate has a start");
  const alone = { nodes: [{ ...start, edges: [] }], roots: [] };
  // All jumps once, each side to its end; no run is longer than the one on which no jump is taken.
  const steps = 4 + sides + 3 + 2 * sides;
  expect(checkCertificate(p, alone)).toEqual({ ok: true, steps, longestRun: BigInt(4 + sides + 3) });
});
