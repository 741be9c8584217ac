/**
 * Claim: filters of system calls are taken and refused as the running kernel does (seccomp(2)), their results are those that it computes from a system call's number and
 * arguments, and of the results of several filters the same one counts. Skipped where seccomp(2) cannot be used.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generator } from "../../src/campaign/random.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { assembleFilter } from "../../src/semantics/classic/assemble.ts";
import { checkFilter } from "../../src/semantics/classic/check.ts";
import { encodeFilter } from "../../src/semantics/classic/codec.ts";
import type { Filter } from "../../src/semantics/classic/instruction.ts";
import { ClassicMachine } from "../../src/semantics/classic/machine.ts";
import {
  SECCOMP_ACTIONS,
  seccompAction,
  seccompData,
  strictest,
} from "../../src/semantics/classic/seccomp.ts";
import { CLASSIC_ROWS, classicRow } from "../../src/semantics/classic/table.ts";
import { EFFORT } from "../scalar/settings.ts";
import { filters } from "./arbitrary.ts";
import { carelessFilter } from "./careless.ts";
import { SeccompProcess } from "./seccomp-process.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const hexOf = (filter: Filter): string => Buffer.from(encodeFilter(filter)).toString("hex");
const AUDIT_ARCH = process.arch === "arm64" ? 0xc000_00b7 : 0xc000_003e;
/** System calls that no kernel has, from here on. */
const UNUSED = 5000;
const GETPPID = process.arch === "arm64" ? 173 : 110;
const ENOSYS = 38;

/** A filter that has a system call of its own, for which 12 bits of A become the error's number; no return before the end does harm. */
function harmless(body: Filter, index: number): Filter {
  const head = assembleFilter(`ld [0]\njeq #${UNUSED + index}, own\nret #0x7fff0000\nown: ldi #0\nldxi #0`);
  const tail = assembleFilter(`rsh #${12 * (index % 3)}\nand #0xfff\nor #0x50000\nret a`);
  const inner = body.slice(0, -1).map((insn) => {
    const { kind } = classicRow(insn.code)?.operation ?? {};
    return kind === "return" ? { code: 0x06, jt: 0, jf: 0, k: 0x5_004d } : insn;
  });
  return [...head, ...inner, ...tail];
}

describe.skipIf(!kernel.ok)("seccomp", () => {
  let child: SeccompProcess;
  beforeAll(() => {
    child = new SeccompProcess();
  });
  afterAll(async () => child.close());

  test("the checker", async () => {
    const random = generator(21);
    const single = CLASSIC_ROWS.flatMap(({ code }) =>
      [0, 1, 3, 4, 15, 16, 31, 32, 60, 61, 64, 0xffff_f000].map(
        (k): Filter => [
          { code: 0x02, jt: 0, jf: 0, k: 1 },
          { code, jt: 0, jf: 0, k },
          { code: 0x06, jt: 0, jf: 0, k: 0x7fff_0000 },
        ],
      ),
    );
    const all = [
      ...single,
      ...Array.from({ length: 3000 * EFFORT }, () => carelessFilter(random, "seccomp")),
    ];
    const answers = await child.order({ do: "try", filters: all.map(hexOf) });
    if (typeof answers === "string") throw new Error(answers);
    for (const [index, filter] of all.entries()) {
      const ours = checkFilter(filter, "seccomp") === undefined ? null : "EINVAL";
      expect({ filter, errno: ours }).toEqual({ filter, errno: answers[index] });
    }
    expect(answers.filter((errno) => errno === null).length).toBeGreaterThan(300);
  });

  test("results", async () => {
    const random = filters({ use: "seccomp", longest: 16, reach: 0, negative: false, extensions: [] });
    const bodies = fc.sample(random, { numRuns: 80, seed: 4 });
    const safe = bodies.map((body, index) => ({ filter: harmless(body, index), number: UNUSED + index }));
    // What ends early, dividing by 0, would kill: such calls are not made.
    const numbers = [0, 1, 77, 4096, 0x7fff_ffff, 0x1_0000_0001, 123_456_789_012];
    const calls = safe.flatMap(({ filter, number }) => {
      const machine = new ClassicMachine(filter, "seccomp");
      return numbers.flatMap((first, at) => {
        const args = [first, at, first + at, 3, 4, numbers[at - 1] ?? 0];
        const data = seccompData({
          nr: number,
          arch: AUDIT_ARCH,
          instructionPointer: 0n,
          args: args.map(BigInt),
        });
        const { name, data: errno } = seccompAction(machine.runOnCall(data));
        return name === "ERRNO" ? [{ call: [number, ...args], errno }] : [];
      });
    });
    // The instruction pointer is not known here.
    const reads = safe.filter(({ filter }) =>
      filter.some(({ code, k }) => code === 0x20 && (k === 8 || k === 12)),
    );
    const unknown = new Set(reads.map(({ number }) => number));
    const known = calls.filter(({ call }) => !unknown.has(call[0] ?? 0));
    const installed = safe.filter(({ number }) => !unknown.has(number)).map(({ filter }) => hexOf(filter));
    expect(await child.order({ do: "install", filters: installed })).toEqual(installed.map(() => null));
    const answers = await child.order({ do: "call", calls: known.map(({ call }) => call) });
    expect(answers).toEqual(known.map(({ errno }) => errno));
    expect(known.length).toBeGreaterThan(150);
  });

  const value = (name: string): number => SECCOMP_ACTIONS.find((action) => action.name === name)?.value ?? 0;
  /** What a call of getppid gives under an action that does not kill: nobody traces or is notified. */
  const outcome = (result: number): number => {
    const { name, data } = seccompAction(result);
    if (name === "ERRNO") return data;
    return name === "TRACE" || name === "USER_NOTIF" ? ENOSYS : 0;
  };

  test("precedence", async () => {
    const values = [
      ...["ALLOW", "LOG", "TRACE", "USER_NOTIF", "ERRNO"].map(value),
      ...[1, 2, 0x123].map((data) => value("ERRNO") + data),
      value("TRACE") + 5,
      value("ALLOW") + 0xffff,
      // More than an errno can be.
      value("ERRNO") + 0xffff,
    ];
    const pairs = values.flatMap((first) => values.map((second) => [first, second] as const));
    const at = (position: 0 | 1): readonly string[] =>
      pairs.map((pair, index) =>
        hexOf(
          assembleFilter(
            `ld [0]\njne #${GETPPID}, other\nld [16]\njeq #${1000 + index}, own, other\nown: ret #${pair[position]}\nother: ret #0x7fff0000`,
          ),
        ),
      );
    for (const position of [0, 1] as const) {
      const installed = await child.order({ do: "install", filters: at(position) });
      expect(installed).toEqual(pairs.map(() => null));
    }
    const answers = await child.order({
      do: "call",
      calls: pairs.map((_, index) => [GETPPID, 1000 + index]),
    });
    expect(answers).toEqual(pairs.map((pair) => outcome(strictest(pair))));
  });

  test("actions that kill the process, and one that there is not", async () => {
    const pairs = [
      [value("ERRNO") + 1, value("KILL_PROCESS")],
      [value("TRAP"), value("ERRNO") + 1],
      [value("ALLOW"), 0x1234_0000],
    ];
    const ends = pairs.map(async (values) => {
      expect(["KILL_PROCESS", "TRAP"]).toContain(seccompAction(strictest(values)).name);
      const doomed = new SeccompProcess();
      const texts = values.map(
        (result) => `ld [0]\njeq #${UNUSED}, own\nret #0x7fff0000\nown: ret #${result}`,
      );
      await doomed.order({ do: "install", filters: texts.map((text) => hexOf(assembleFilter(text))) });
      return doomed.order({ do: "call", calls: [[UNUSED]] });
    });
    expect(await Promise.all(ends)).toEqual(["SIGSYS", "SIGSYS", "SIGSYS"]);
  });
});
