/**
 * Claim: where an arena has no page, atomic instructions leave their registers in the machine as in the running kernel, which leaves them as they are. Skipped with the reason where bpf(2) cannot be used.
 */
import { describe, expect, it } from "vitest";
import { readPrograms } from "../../src/object/read.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { Machine } from "../../src/vm/machine.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const ARENA = { name: "arena", type: "arena", key_size: 0, value_size: 0, max_entries: 4, flags: 1024 };

describe.skipIf(!kernel.ok || process.arch !== "x64")(
  "atomic instructions where an arena has no page",
  () => {
    it.each([
      "r1 = load_acquire((u8 *)(r6 +0))",
      "r1 = load_acquire((u32 *)(r6 +0))",
      "r1 = load_acquire((u64 *)(r6 +0))",
      "r1 = atomic_fetch_add((u32 *)(r6 +0), r1)",
      "r1 = atomic64_fetch_add((u64 *)(r6 +0), r1)",
      "r1 = atomic_xchg((u32 *)(r6 +0), r1)",
      "r1 = atomic64_xchg((u64 *)(r6 +0), r1)",
      "r0 = r1\nr2 = 3\nr0 = atomic_cmpxchg((u32 *)(r6 +0), r0, r2)\nr1 = r0",
      "r0 = r1\nr2 = 3\nr0 = atomic64_cmpxchg((u64 *)(r6 +0), r0, r2)\nr1 = r0",
      "lock *(u64 *)(r6 +0) += r1",
      "r1 = *(u32 *)(r6 +0)",
    ])("%s", (instructions) => {
      for (const half of ["r0 = r1", "r0 = r1\nr0 >>= 32"]) {
        const asm = `r1 = map[arena]\nr6 = 8192\nr6 = addr_space_cast(r6, 0, 1)\nr1 = 0x1122334455667788 ll\n${instructions}\n${half}\nexit`;
        const bundle = {
          name: "test",
          type: "syscall",
          license: "GPL",
          flags: ["sleepable"],
          asm: asm.split("\n"),
          maps: [ARENA],
        };
        const [program] = readPrograms("test.prog.json", Buffer.from(JSON.stringify(bundle))).programs;
        if (program === undefined) throw new Error("a bundle holds a program");
        const loaded = loadProgram(program);
        if (loaded.verdict === "reject") throw new Error(loaded.log);
        const expected = testRun(loaded.fd, { contextBack: false });
        loaded.close();
        const ended = new Machine(program).run({});
        expect(expected.ran).toBe(true);
        expect(ended.outcome === "exit" ? Number(BigInt.asUintN(32, ended.r0)) : ended.fault.message).toBe(
          expected.ran ? expected.retval : undefined,
        );
      }
    });
  },
);
