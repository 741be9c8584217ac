/**
 * Claim: loads through pointers to the kernel's objects find in the machine what they find in the running kernel, given the words of memory that lie on their way. Skipped with
 * the reason where bpf(2) cannot be used.
 */
import { describe, expect, it } from "vitest";
import { kernelTypes } from "../../src/object/kernel-types.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { createMap, word } from "../../src/oracle/linux/maps.ts";
import { objectOptionsFor } from "../../src/oracle/linux/object-options.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import { Machine } from "../../src/vm/machine.ts";

const kernel = kernelAvailable();
const btf = kernel.ok ? objectOptionsFor(THIS_MACHINE).targetBtf : undefined;
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);
else if (btf === undefined) console.warn("skipped: the kernel has no BTF");

const OUT: MapDefinition = { name: "out", type: "array", keySize: 4, valueSize: 64, maxEntries: 1, flags: 0 };
/** No structure of a task is longer. */
const LONGEST = 16384;

describe.skipIf(btf === undefined)("the kernel's objects", () => {
  it("a task's process and the parent of that", () => {
    if (btf === undefined) return;
    const types = kernelTypes(btf);
    const task = types.structId("task_struct") ?? 0;
    const offsetOf = (name: string, size: number): number => {
      for (let at = 0; at < LONGEST; at += size) {
        const field = types.fieldAt(task, at, size);
        if (field.kind === "found" && field.name === name) return at;
      }
      throw new Error(`a task has no ${name}`);
    };
    const [leader, parent, tgid] = [
      offsetOf("group_leader", 8),
      offsetOf("real_parent", 8),
      offsetOf("tgid", 4),
    ];
    const asm = `r9 = map_value[out]+0\ncall bpf_get_current_task_btf\nr6 = *(u64 *)(r0 +${leader})\nr1 = *(u32 *)(r6 +${tgid})\n*(u64 *)(r9 +0) = r1\nr7 = *(u64 *)(r6 +${parent})\nr1 = *(u32 *)(r7 +${tgid})\n*(u64 *)(r9 +8) = r1\n*(u64 *)(r9 +16) = r6\n*(u64 *)(r9 +24) = r7\ncall bpf_get_current_task\n*(u64 *)(r9 +32) = r0\nr0 = 0\nexit`;
    const maps = [OUT];
    const program = {
      name: "task",
      type: "raw_tracepoint",
      license: "GPL",
      flags: [],
      insns: assemble(asm, { maps }),
      maps,
      lines: [],
      functions: [],
    } as const;
    const map = createMap(OUT);
    const loaded = loadProgram(program, { maps: [map] });
    if (loaded.verdict === "reject") throw new Error(loaded.log);
    try {
      expect(testRun(loaded.fd, { contextBack: false }).ran).toBe(true);
      const expected = Buffer.from(map.lookup(word(0)) ?? []);
      expect([expected.readUInt32LE(0), expected.readUInt32LE(8)]).toEqual([process.pid, process.ppid]);
      const [atLeader = 0n, atParent = 0n, atTask = 0n] = [16, 24, 32].map((at) =>
        expected.readBigUInt64LE(at),
      );
      const machine = new Machine(program);
      const pointer = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value).buffer);
      const words = [
        { address: atTask + BigInt(leader), bytes: pointer(atLeader) },
        { address: atLeader + BigInt(parent), bytes: pointer(atParent) },
        { address: atLeader + BigInt(tgid), bytes: word(process.pid) },
        { address: atParent + BigInt(tgid), bytes: word(process.ppid) },
        // Where pointers lead there is something.
        { address: atParent, bytes: new Uint8Array(1) },
        ...(atLeader === atTask ? [] : [{ address: atTask, bytes: new Uint8Array(1) }]),
        { address: atLeader, bytes: new Uint8Array(1) },
      ];
      const ended = machine.run({ memory: words, task: { address: atTask } });
      expect(ended).toMatchObject({ outcome: "exit", r0: 0n });
      const own = machine.map("out");
      const found = own.kind === "values" ? own.find(word(0), 0)?.bytes : undefined;
      expect(Buffer.from(found ?? []).toString("hex")).toBe(expected.toString("hex"));
    } finally {
      loaded.close();
      map.close();
    }
  });
});
