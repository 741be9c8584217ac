/**
 * Claim: the conversion of a filter to eBPF is accepted by our verifier and by the running kernel's, and returns what the filter does: in our machine, and in the kernel
 * (BPF_PROG_TEST_RUN). Random filters of packets and of system calls. Without bpf(2) the kernel's part is left out.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { type TestInput, testRun } from "../../src/oracle/linux/test-run.ts";
import { assembleFilter } from "../../src/semantics/classic/assemble.ts";
import { convertFilter } from "../../src/semantics/classic/convert.ts";
import { frameProtocol, type PacketInput } from "../../src/semantics/classic/input.ts";
import { ClassicMachine } from "../../src/semantics/classic/machine.ts";
import { SECCOMP_DATA_SIZE } from "../../src/semantics/classic/seccomp.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { verify } from "../../src/verifier/verify.ts";
import type { Environment } from "../../src/vm/environment.ts";
import { Machine } from "../../src/vm/machine.ts";
import { EFFORT } from "../scalar/settings.ts";
import { filters } from "./arbitrary.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`without the kernel: ${kernel.reason}`);

/** A program in both machines; each run gives the low 32 bits of r0. */
interface Both {
  readonly ours: (environment: Environment) => number;
  readonly theirs: ((input: TestInput) => number) | undefined;
  readonly close: () => void;
}

function both(program: Program): Both {
  const verdict = verify(program);
  expect(verdict).toMatchObject({ verdict: "accept" });
  const machine = new Machine(program);
  const ours = (environment: Environment): number => {
    const result = machine.run(environment);
    if (result.outcome === "fault") throw new Error(result.fault.message);
    return Number(BigInt.asUintN(32, result.r0));
  };
  if (!kernel.ok) return { ours, theirs: undefined, close: () => undefined };
  const loaded = loadProgram(program, { logLevel: 0 });
  if (loaded.verdict === "reject") throw new Error(`the kernel refuses it: ${loaded.message}`);
  const theirs = (input: TestInput): number => {
    const run = testRun(loaded.fd, input);
    if (!run.ran) throw new Error(run.message);
    return run.retval;
  };
  return { ours, theirs, close: loaded.close };
}

const LOOPBACK = 1;

/** A test run's packet, as a socket filter has it: from the network header on, come in over the loopback device. */
function received(bytes: Uint8Array): PacketInput {
  const local = bytes.subarray(0, 6).every((byte) => byte === 0);
  const group = ((bytes[0] ?? 0) & 1) === 1;
  return {
    bytes,
    data: 14,
    protocol: frameProtocol(bytes),
    pkttype: local ? 0 : group ? 2 : 3,
    ifindex: LOOPBACK,
  };
}

/** A test run looks for addresses behind the EtherTypes of IP: this is another. */
const frame = fc
  .uint8Array({ minLength: 40, maxLength: 100 })
  .map((bytes) => Uint8Array.from(bytes, (byte, at) => (at === 12 ? 0x88 : at === 13 ? 0xb5 : byte)));

const TYPES = [0, 1, 2, 4, 5, 8] as const;
const header = fc
  .tuple(fc.constantFrom(3, 4, 4, 4, 4, 5, 8, 8, 8, 12, 20, 60), fc.constantFrom(...TYPES))
  .map(([length, type]) => [length, 0, type, 0]);
/** Headers of netlink attributes, some of them in each other. */
const attributes = fc
  .array(header, { minLength: 10, maxLength: 20 })
  .map((headers) => Uint8Array.from([...new Uint8Array(12), 0x88, 0xb5, ...headers.flat()]));

describe("conversions", () => {
  test("of filters of packets", () => {
    let kept = 0;
    const random = filters({
      use: "socket",
      longest: 24,
      reach: 40,
      negative: true,
      extensions: [
        ...(["protocol", "pkttype", "ifindex", "mark", "queue", "alu_xor_x"] as const),
        ...(["vlan_tag", "vlan_tag_present", "vlan_tpid"] as const),
      ],
    });
    const property = fc.property(
      random,
      fc.array(frame, { minLength: 4, maxLength: 4 }),
      (filter, frames) => {
        const classic = new ClassicMachine(filter);
        const converted = both(convertFilter("filter", filter, "socket"));
        for (const packet of frames) {
          const value = classic.run(received(packet));
          expect(converted.ours({ packet })).toBe(value);
          if (converted.theirs !== undefined) expect(converted.theirs({ packet })).toBe(value);
          if (value !== 0) kept += 1;
        }
        converted.close();
      },
    );
    fc.assert(property, { numRuns: 150 * EFFORT, seed: 6 });
    expect(kept).toBeGreaterThan(200);
  });

  test("of searches for netlink attributes", () => {
    let found = 0;
    const number = fc.constantFrom(...TYPES);
    const step = fc.constantFrom("ld nla", "ld nlan", "ldx #1", "ldx #2", "ldx #4");
    const search = fc
      .tuple(number, number, fc.array(step, { maxLength: 2 }))
      .map(([a, x, steps]) => [`ldi #${a}`, `ldxi #${x}`, ...steps, "ld nla", "ret a"].join("\n"));
    const property = fc.property(
      search,
      fc.array(attributes, { minLength: 8, maxLength: 8 }),
      (text, frames) => {
        const filter = assembleFilter(text);
        const converted = both(convertFilter("search", filter, "socket"));
        for (const packet of frames) {
          const value = new ClassicMachine(filter).run(received(packet));
          expect(converted.ours({ packet })).toBe(value);
          if (converted.theirs !== undefined) expect(converted.theirs({ packet })).toBe(value);
          if (value !== 0) found += 1;
        }
        converted.close();
      },
    );
    fc.assert(property, { numRuns: 6 * EFFORT, seed: 8 });
    expect(found).toBeGreaterThan(5);
  });

  test("of filters of system calls", () => {
    let nonzero = 0;
    const random = filters({ use: "seccomp", longest: 24, reach: 40, negative: false, extensions: [] });
    const data = fc.uint8Array({ minLength: SECCOMP_DATA_SIZE, maxLength: SECCOMP_DATA_SIZE });
    const property = fc.property(random, fc.array(data, { minLength: 4, maxLength: 4 }), (filter, calls) => {
      const classic = new ClassicMachine(filter, "seccomp");
      const converted = both(convertFilter("filter", filter, "seccomp"));
      for (const context of calls) {
        const value = classic.runOnCall(context);
        expect(converted.ours({ context })).toBe(value);
        const theirs = converted.theirs?.({ context, contextBack: false });
        if (theirs !== undefined) expect(theirs).toBe(value);
        if (value !== 0) nonzero += 1;
      }
      converted.close();
    });
    fc.assert(property, { numRuns: 100 * EFFORT, seed: 7 });
    expect(nonzero).toBeGreaterThan(200);
  });

  test("numbers of chance and of the processor are the machine's", () => {
    const load = (offset: number) => [
      { code: 0x20, jt: 0, jf: 0, k: (-0x1000 + offset) >>> 0 },
      { code: 0x16, jt: 0, jf: 0, k: 0 },
    ];
    const packet = new Uint8Array(20);
    const random = convertFilter("random", load(56), "socket");
    const result = new Machine(random).run({ packet, seed: 9 });
    const expected = new ClassicMachine(load(56)).run({ bytes: packet, seed: 9 });
    expect(result).toMatchObject({ outcome: "exit", r0: BigInt(expected) });
    const cpu = new Machine(convertFilter("cpu", load(36), "socket"), { cpus: 4 }).run({ packet, cpu: 3 });
    expect(cpu).toMatchObject({ outcome: "exit", r0: 3n });
    expect(new ClassicMachine(load(36)).run({ bytes: packet, cpu: 3 })).toBe(3);
  });
});
