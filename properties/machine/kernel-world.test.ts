/** Claim: the kernel's objects, variables and structures are in the machine what an environment says: what programs load, what callbacks may store, and what is a fault. */
import { describe, expect, it } from "vitest";
import { readPrograms } from "../../src/object/read.ts";
import { Unsupported } from "../../src/semantics/errors.ts";
import type { Context } from "../../src/semantics/profile/profile.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { Environment } from "../../src/vm/environment.ts";
import { Machine, type RunResult } from "../../src/vm/machine.ts";

const AT = 0xffff_8881_0000_0000n;

function bundle(parts: object): Program {
  const text = JSON.stringify({ name: "test", license: "GPL", ...parts });
  const [program] = readPrograms("test.prog.json", new TextEncoder().encode(text)).programs;
  if (program === undefined) throw new Error("a bundle holds a program");
  return program;
}

const words = (...values: readonly bigint[]): Uint8Array =>
  new Uint8Array(BigUint64Array.from(values).buffer);

function run(parts: object, environment: Environment, cpu = 0): RunResult {
  return new Machine(bundle(parts), { cpus: 2 }).run({ ...environment, cpu });
}

function result(...given: Parameters<typeof run>): bigint {
  const ended = run(...given);
  if (ended.outcome === "fault") throw new Error(`${ended.fault.insn}: ${ended.fault.message}`);
  return ended.r0;
}

const LAYOUT: Context = {
  struct: "object",
  size: 16,
  fields: [{ name: "field", offset: 8, size: 4, value: "scalar", reads: [], writes: [1, 2, 4] }],
};

describe("what callbacks store", () => {
  const callback = (...asm: readonly string[]): object => ({
    type: "struct_ops",
    target: "tcp_congestion_ops/ssthresh",
    asm: ["r6 = *(u64 *)(r1 +0)", ...asm, "exit"],
  });
  const environment: Environment = {
    context: words(AT),
    memory: [{ address: AT, bytes: new Uint8Array(16) }],
    objects: [{ address: AT, layout: LAYOUT }],
  };

  it("lies in the object afterwards, and the environment stays as it is", () => {
    const asm = [
      "r1 = 7",
      "*(u32 *)(r6 +8) = r1",
      "*(u8 *)(r6 +9) = 1",
      "lock *(u32 *)(r6 +8) += r1",
      "r0 = *(u64 *)(r6 +8)",
    ];
    expect(result(callback(...asm), environment)).toBe(0x10en);
    expect(environment.memory?.[0]?.bytes).toEqual(new Uint8Array(16));
  });

  it.each([
    ["*(u32 *)(r6 +4) = 1", "elsewhere in the object"],
    ["*(u64 *)(r6 +8) = 1", "beyond the field"],
  ])("%s is a fault: %s", (store) => {
    expect(run(callback(store, "r0 = 0"), environment)).toMatchObject({
      outcome: "fault",
      fault: { kind: "read_only" },
    });
  });

  it("to an object that nobody has named is not modelled", () => {
    expect(() => run(callback("*(u32 *)(r6 +8) = 1", "r0 = 0"), { ...environment, objects: [] })).toThrow(
      Unsupported,
    );
  });

  it("is a fault in programs that are no callbacks", () => {
    const parts = {
      type: "raw_tracepoint",
      asm: ["call bpf_get_current_task_btf", "*(u32 *)(r0 +0) = 1", "r0 = 0", "exit"],
    };
    expect(run(parts, environment)).toMatchObject({ outcome: "fault", fault: { kind: "read_only" } });
  });

  it("a callback that returns nothing need not have a result", () => {
    const parts = { type: "struct_ops", target: "tcp_congestion_ops/release", asm: ["exit"] };
    expect(run(parts, environment)).toMatchObject({ outcome: "exit" });
    expect(run({ ...parts, target: "tcp_congestion_ops/ssthresh" }, environment)).toMatchObject({
      outcome: "fault",
      fault: { kind: "uninitialised_register" },
    });
  });
});

describe("variables of the kernel", () => {
  const environment: Environment = {
    variables: [{ name: "printk_count", address: AT }],
    processorOffsets: [8n, 16n],
    memory: [{ address: AT, bytes: words(1n, 2n, 3n) }],
  };
  const ofProcessor = (...asm: readonly string[]): object => ({
    type: "raw_tracepoint",
    ksyms: ["printk_count"],
    asm: ["r1 = btf_id[printk_count, 0]", ...asm, "exit"],
  });
  const load = ["if r0 == 0 goto pc+1", "r0 = *(u32 *)(r0 +0)"];

  it("each processor has its own", () => {
    const at = (cpu: number): bigint =>
      result(ofProcessor(`r2 = ${cpu}`, "call bpf_per_cpu_ptr", ...load), environment);
    expect([at(0), at(1), at(2)]).toEqual([2n, 3n, 0n]);
    expect(result(ofProcessor("call bpf_this_cpu_ptr", ...load), environment, 1)).toBe(3n);
  });

  it("one without a type is a number", () => {
    const parts = {
      type: "raw_tracepoint",
      ksyms: [{ name: "linux_banner", typed: false }],
      asm: ["r1 = btf_id[linux_banner, 0]", "r0 = *(u8 *)(r1 +0)", "exit"],
    };
    const variables = [{ name: "linux_banner", address: AT }];
    expect(run(parts, { ...environment, variables })).toMatchObject({
      outcome: "fault",
      fault: { kind: "not_a_pointer" },
    });
    expect(() => run(parts, environment)).toThrow(
      new Unsupported("the kernel's linux_banner without its address"),
    );
  });
});

describe("structures of the kernel", () => {
  it("a task that is held, as long as it is", () => {
    const asm = [
      "call bpf_get_current_task_btf",
      "r1 = r0",
      "call bpf_task_acquire",
      "r6 = r0",
      "r7 = *(u32 *)(r6 +4)",
      "r1 = r6",
      "call bpf_task_release",
      "r0 = r7",
      "exit",
    ];
    const kfuncs = ["bpf_task_acquire", "bpf_task_release"];
    const memory = [{ address: AT, bytes: words(0x5_0000_0000n) }];
    expect(result({ type: "raw_tracepoint", asm, kfuncs }, { memory })).toBe(5n);
    expect(() => run({ type: "raw_tracepoint", asm, kfuncs }, {})).toThrow(Unsupported);
  });

  it("the context as the kernel has it", () => {
    const asm = ["call bpf_cast_to_kern_ctx", "r0 = *(u32 *)(r0 +8)", "exit"];
    const parts = { type: "sched_cls", asm, kfuncs: ["bpf_cast_to_kern_ctx"] };
    const memory = [{ address: AT, bytes: words(1n, 42n) }];
    const packet = new Uint8Array(64);
    expect(result(parts, { packet, memory, contextAddress: AT })).toBe(42n);
    expect(() => run(parts, { packet, memory })).toThrow(Unsupported);
  });
});

describe("what nobody knows", () => {
  const asm = [
    "r1 = r10",
    "r1 += -16",
    "r2 = 16",
    "r3 = map_value[m]+0",
    "call bpf_probe_read_kernel",
    "r6 = *(u64 *)(r10 -16)",
    "r0 = *(u64 *)(r10 -8)",
    "exit",
  ];
  const maps = [{ name: "m", type: "array", key_size: 4, value_size: 4, max_entries: 1, flags: 0 }];
  const parts = { type: "raw_tracepoint", asm, maps };

  it("is made up from a number, the same each time, or not modelled", () => {
    const made = result(parts, { unknownMemory: 1 });
    expect(result(parts, { unknownMemory: 1 })).toBe(made);
    expect(result(parts, { unknownMemory: 2 })).not.toBe(made);
    expect(() => run(parts, {})).toThrow(
      new Unsupported("reading kernel memory around what the program may access"),
    );
  });

  it("is not what the program may access", () => {
    const own = { ...parts, asm: [...asm.slice(0, -2), "r0 = r6", "r0 <<= 32", "exit"] };
    expect(result(own, { unknownMemory: 1 })).toBe(0n);
  });
});
