/**
 * Claim: the programs that `soundcheck prove --keep` made (corpus/proofs) show what they were made to show. Each is safe and accepted, and
 * returns 1 in the machine and in the kernel: a verifier that believes the wrong rule that one refutes takes that return for dead code.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CertificateWalk } from "../../src/campaign/walk.ts";
import { readBundle } from "../../src/object/bundle.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { verify } from "../../src/verifier/verify.ts";
import { Machine } from "../../src/vm/machine.ts";

const FOLDER = new URL("../../corpus/proofs/", import.meta.url);
const programs = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".prog.json"))
  .map((name) => {
    const { program, expect: expected } = readBundle(readFileSync(new URL(name, FOLDER), "utf8"));
    return { name: program.name, program, run: expected!.runs[0]! };
  });

describe("accepted, and inside its certificate while it returns 1", () => {
  test.each(programs)("$name", ({ program, run: { packet, retval } }) => {
    const verdict = verify(program);
    if (verdict.verdict !== "accept") throw new Error(verdict.verdict);
    const walk = new CertificateWalk(program, verdict.certificate);
    walk.start();
    const result = new Machine(program).run({ packet: packet! }, (pc, view) => walk.observe(pc, view));
    expect(walk.escape).toBeUndefined();
    expect(result).toMatchObject({ outcome: "exit", r0: BigInt(retval) });
    expect(retval).toBe(1);
  });
});

const kernel = kernelAvailable();
describe.skipIf(!kernel.ok)(`the kernel${kernel.ok ? "" : ` (skipped: ${kernel.reason})`}`, () => {
  test.each(programs)("$name", ({ program, run: { packet, retval } }) => {
    const loaded = loadProgram(program);
    if (loaded.verdict !== "accept") throw new Error(loaded.log);
    try {
      expect(testRun(loaded.fd, { packet: packet! })).toMatchObject({ ran: true, retval });
    } finally {
      loaded.close();
    }
  });
});
