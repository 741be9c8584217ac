/**
 * Claim: what the reader makes of the test objects, in either byte order, the kernel takes: BTF with externs and hidden functions made good,
 * callbacks, maps in maps, calls of kernel functions; and programs find the configuration values that they asked for.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readBtf } from "../../src/object/btf.ts";
import { readObject } from "../../src/object/programs.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { KERNEL_BTF, objectOptionsFor } from "../../src/oracle/linux/object-options.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { verify } from "../../src/verifier/verify.ts";

const kernel = kernelAvailable();
const reason = !kernel.ok ? kernel.reason : kernel.btf ? undefined : "the kernel does not tell its types";
if (reason !== undefined) console.log(`properties/object/reader-kernel skipped: ${reason}`);

const TESTDATA = new URL("../../src/object/testdata/", import.meta.url);

const kconfig = new Map([
  ["LINUX_KERNEL_VERSION", "0x061200"],
  ["CONFIG_HZ", "250"],
  ["CONFIG_TRISTATE", "m"],
  ["CONFIG_NAME", '"abc"'],
  ["CONFIG_STRONG", "2"],
]);

describe.skipIf(reason !== undefined)(
  `the kernel takes the test objects${reason === undefined ? "" : ` (skipped: ${reason})`}`,
  () => {
    const read = (file: string): ReturnType<typeof readObject> =>
      readObject(readFileSync(new URL(file, TESTDATA)), {
        kconfig,
        targetBtf: readBtf(readFileSync(KERNEL_BTF)),
      });

    for (const file of ["everything.el.o", "everything.eb.o", "legacy.el.o", "legacy.eb.o", "externs.el.o"]) {
      test(file, () => {
        const { programs } = read(file);
        expect(programs.length).toBeGreaterThan(0);
        for (const program of programs) {
          const result = loadProgram(program);
          if (result.verdict === "reject") expect.fail(`${program.name}: ${result.log}`);
          result.close();
        }
      });
    }

    test("a program that attaches by a tracepoint's types, and one whose tracepoint the kernel lacks", () => {
      const program = (target: string): Program => ({
        name: "traced",
        type: "tracing",
        attach: "trace_raw_tp",
        target,
        license: "GPL",
        flags: [],
        insns: assemble(["r0 = 0", "exit"], { maps: [] }),
        maps: [],
        lines: [],
        functions: [],
      });
      const result = loadProgram(program("sched_switch"));
      if (result.verdict === "reject") return expect.fail(result.message);
      result.close();
      expect(() => loadProgram(program("no_such_tracepoint"))).toThrow(
        "the kernel has no typedef btf_trace_no_such_tracepoint in its BTF",
      );
    });

    test("a symbol that the kernel lacks is the number 0 to it and to us", () => {
      const { programs, failures } = readObject(
        readFileSync(new URL("symbols.el.o", TESTDATA)),
        objectOptionsFor(),
      );
      expect(programs.map(({ name }) => name)).toEqual(["present", "absent"]);
      expect(failures.map(({ name }) => name)).toEqual(["strong"]);
      for (const program of programs) {
        expect(verify(program), program.name).toMatchObject({ verdict: "accept" });
        const result = loadProgram(program);
        if (result.verdict === "reject") expect.fail(`${program.name}: ${result.log}`);
        result.close();
      }
    });

    test("configuration values reach the program", () => {
      const program = read("externs.el.o").programs.find(({ name }) => name === "configuration");
      if (program === undefined) return expect.fail("no program configuration");
      const result = loadProgram(program);
      if (result.verdict === "reject") return expect.fail(result.log);
      try {
        expect(testRun(result.fd, { packet: new Uint8Array(64) })).toMatchObject({ ran: true, retval: 0 });
        const results = result.maps
          .find(({ definition }) => definition.name === ".bss")
          ?.lookup(new Uint8Array(4));
        const view = new DataView((results ?? expect.fail("no results")).buffer);
        const values = [0, 1, 2, 3, 4].map((index) => Number(view.getBigUint64(index * 8, true)));
        expect(values).toEqual([0x061200, 250, 2, 0, "b".charCodeAt(0)]);
      } finally {
        result.close();
      }
    });
  },
);
