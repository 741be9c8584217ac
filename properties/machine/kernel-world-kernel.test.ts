/**
 * Claim: programs find the kernel's variables, its structures and the objects that callbacks are given in the machine as in the running kernel, given what lies in memory there. Skipped with the reason
 * where bpf(2) cannot be used.
 */
import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rulesOf } from "../../src/campaign/compare/rules.ts";
import { readPrograms } from "../../src/object/read.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { createMap, word } from "../../src/oracle/linux/maps.ts";
import { objectOptionsFor } from "../../src/oracle/linux/object-options.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { Environment } from "../../src/vm/environment.ts";
import { Machine } from "../../src/vm/machine.ts";
import { mapUserMemory, USER_AT } from "./user-memory.ts";

const kernel = kernelAvailable();
const btf = kernel.ok ? objectOptionsFor(THIS_MACHINE).targetBtf : undefined;
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);
else if (btf === undefined) console.warn("skipped: the kernel has no BTF");

const VALUE = 256;
const OUT = { name: "out", type: "array", key_size: 4, value_size: VALUE, max_entries: 1, flags: 0 } as const;
/** Somewhere in the upper half, away from all that the machine has there. */
const AT = 0xffff_8881_0000_0000n;

function bundle(parts: object): Program {
  const text = JSON.stringify({ name: "test", license: "GPL", maps: [OUT], ...parts });
  const [program] = readPrograms("test.prog.json", new TextEncoder().encode(text)).programs;
  if (program === undefined) throw new Error("a bundle holds a program");
  return program;
}

interface Seen {
  readonly retval: number;
  readonly out: Buffer;
}

function onKernel(program: Program, context?: Uint8Array): Seen {
  const maps = program.maps.map((definition) => createMap(definition));
  const loaded = loadProgram(program, { maps });
  try {
    if (loaded.verdict === "reject") throw new Error(loaded.log);
    const ended = testRun(loaded.fd, {
      contextBack: false,
      ...(context === undefined ? {} : { context }),
    });
    if (!ended.ran) throw new Error(ended.message);
    return { retval: ended.retval, out: Buffer.from(maps[0]?.lookup(word(0)) ?? []) };
  } finally {
    if (loaded.verdict === "accept") loaded.close();
    for (const map of maps) map.close();
  }
}

function onMachine(program: Program, environment: Environment, cpus = 1): Seen {
  const machine = new Machine(program, { cpus, uninitialisedStack: "allow" });
  const ended = machine.run(environment);
  if (ended.outcome === "fault") throw new Error(`${ended.fault.insn}: ${ended.fault.message}`);
  const map = machine.map("out");
  const bytes = map.kind === "values" ? map.find(word(0), 0)?.bytes : undefined;
  return { retval: Number(BigInt.asUintN(32, ended.r0)), out: Buffer.from(bytes ?? []) };
}

/** A function by name, as /proc/kallsyms has it. */
function symbol(name: string): { readonly name: string; readonly address: bigint; readonly size: number } {
  const lines = readFileSync("/proc/kallsyms", "latin1").split("\n");
  const [address = "0"] = lines.find((line) => line.split(" ")[2] === name)?.split(" ") ?? [];
  return { name, address: BigInt(`0x${address}`), size: 1 };
}

describe.skipIf(btf === undefined)("the kernel around a program", () => {
  // Of variables the kernels at hand know no addresses: they are left to definitions (kernel-world.test.ts).
  it("the address of a function", () => {
    const asm = [
      "r9 = map_value[out]+0",
      "r1 = btf_id[bpf_dynptr_size, 0]",
      "*(u64 *)(r9 +0) = r1",
      "r0 = 0",
      "exit",
    ];
    const program = bundle({ type: "raw_tracepoint", ksyms: ["bpf_dynptr_size"], asm });
    const expected = onKernel(program);
    const own = onMachine(program, { functions: [symbol("bpf_dynptr_size")] });
    expect(own.out.toString("hex")).toBe(expected.out.toString("hex"));
    expect(expected.out.readBigUInt64LE(0)).not.toBe(0n);
  });

  it("the structure of a map", () => {
    const types = rulesOf(THIS_MACHINE).types;
    const struct = types?.structId("bpf_map") ?? 0;
    const offset = Array.from({ length: 256 }, (_, at) => at).find((at) => {
      const field = types?.fieldAt(struct, at, 4);
      return field?.kind === "found" && field.name === "max_entries";
    });
    const looks = ["r1 = map[looked_at]", `r6 = *(u32 *)(r1 +${offset ?? 0})`];
    const copies = ["r3 = r1", "r1 = map_value[out]+0", `r2 = ${VALUE}`, "call bpf_probe_read_kernel"];
    const asm = [...looks, ...copies, "r0 = r6", "exit"];
    const maps = [OUT, { ...OUT, name: "looked_at", max_entries: 7 }];
    const expected = onKernel(bundle({ type: "raw_tracepoint", asm, maps }));
    const memory = [{ address: AT, bytes: new Uint8Array(expected.out) }];
    // What helpers read at a map's address is not modelled: the load is compared.
    const load = bundle({ type: "raw_tracepoint", asm: [...looks, "r0 = r6", "exit"], maps });
    expect(expected.retval).toBe(7);
    expect(onMachine(load, { memory, mapAddresses: { looked_at: AT } }).retval).toBe(expected.retval);
  });

  it("casts of what lies in the program's memory, and of numbers", () => {
    const asm = [
      "r9 = map_value[out]+0",
      "r1 = 0x1122334455667788 ll",
      "*(u64 *)(r9 +128) = r1",
      "r1 = r9",
      "r2 = 0",
      "call bpf_rdonly_cast",
      "r1 = *(u32 *)(r0 +130)",
      "*(u64 *)(r9 +0) = r1",
      "r0 += 64",
      "r1 = *(u64 *)(r0 +64)",
      "*(u64 *)(r9 +8) = r1",
      "r1 = 4096",
      "r2 = 0",
      "call bpf_rdonly_cast",
      "r1 = *(u64 *)(r0 +8)",
      "*(u64 *)(r9 +16) = r1",
      "r0 = 5",
      "exit",
    ];
    const program = bundle({ type: "syscall", flags: ["sleepable"], kfuncs: ["bpf_rdonly_cast"], asm });
    const [expected, own] = [onKernel(program), onMachine(program, {})];
    expect(own.out.toString("hex")).toBe(expected.out.toString("hex"));
    expect(expected.out.readUInt32LE(0)).toBe(0x33445566);
  });

  it("a callback's object: read, changed, changed atomically, and null", () => {
    const asm = [
      "r6 = *(u64 *)(r1 +0)",
      "r0 = 77",
      "if r6 == 0 goto out",
      "r7 = *(u32 *)(r6 +0)",
      "r1 = r7",
      "r1 *= 3",
      "*(u32 *)(r6 +0) = r1",
      "*(u8 *)(r6 +3) = 9",
      "r1 = 5",
      "lock *(u32 *)(r6 +0) += r1",
      "r0 = *(u32 *)(r6 +0)",
      "out:",
      "exit",
    ];
    const program = bundle({ type: "struct_ops", target: "bpf_dummy_ops/test_1", asm });
    const layout = rulesOf(THIS_MACHINE).profile.contexts["bpf_dummy_ops: bpf_dummy_ops_state"];
    if (layout === undefined) throw new Error("the profile has the structure");
    mapUserMemory();
    const state = Buffer.from(Uint32Array.of(0x01020304).buffer);
    const file = openSync("/proc/self/mem", "r+");
    const before = Buffer.alloc(4);
    readSync(file, before, 0, 4, USER_AT);
    writeSync(file, state, 0, 4, USER_AT);
    const after = Buffer.alloc(4);
    const given = (address: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(address).buffer);
    try {
      const expected = onKernel(program, given(BigInt(USER_AT)));
      readSync(file, after, 0, 4, USER_AT);
      const environment = {
        context: given(AT),
        memory: [{ address: AT, bytes: new Uint8Array(state) }],
        objects: [{ address: AT, layout }],
      };
      const own = onMachine(program, environment);
      expect(own.retval).toBe(expected.retval);
      expect(own.retval).toBe(after.readUInt32LE(0));
      expect(onMachine(program, { ...environment, context: given(0n) }).retval).toBe(
        onKernel(program, given(0n)).retval,
      );
      expect(onMachine(program, environment).retval).toBe(expected.retval);
    } finally {
      writeSync(file, before, 0, 4, USER_AT);
      closeSync(file);
    }
  });
});
