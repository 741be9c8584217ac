/** Tracing programs and what an environment shows them: memory, stacks, counters, the hook; and what they do to the system. */
import { describe, expect, it } from "vitest";
import { InputError, Unsupported } from "../semantics/errors.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Environment } from "./environment.ts";
import { MemoryImage } from "./image.ts";
import { Machine, type RunResult } from "./machine.ts";
import { map, program } from "./testing.ts";

const USER = 0x7f00_0000_0000n;
const TASK = 0xffff_8881_0000_0000n;

function run(tested: Program, environment: Environment = {}): Extract<RunResult, { outcome: "exit" }> {
  const ended = new Machine(tested).run(environment);
  if (ended.outcome === "fault") throw new Error(`${ended.fault.insn}: ${ended.fault.message}`);
  return ended;
}

const kprobe = (asm: string, environment: Environment = {}): ReturnType<typeof run> =>
  run(program("kprobe", asm), environment);
const traced = (attach: Program["attach"], asm: string): Program => ({
  ...program("tracing", asm),
  ...(attach === undefined ? {} : { attach }),
});

const words = (...values: readonly bigint[]): Uint8Array =>
  new Uint8Array(BigUint64Array.from(values).buffer);
const text = (characters: string): Uint8Array => new Uint8Array(Buffer.from(characters, "latin1"));

describe("the memory image", () => {
  const image = new MemoryImage([
    { address: 104n, bytes: Uint8Array.of(5, 6) },
    { address: 100n, bytes: Uint8Array.of(1, 2, 3, 4), readOnly: true },
  ]);

  it("is read across ranges, and only where there is all of it", () => {
    expect(image.read(102n, 4)).toEqual(Uint8Array.of(3, 4, 5, 6));
    expect(image.read(102n, 5)).toBeUndefined();
    expect(image.read(99n, 1)).toBeUndefined();
    expect(image.read(99n, 0)).toEqual(new Uint8Array(0));
  });

  it("is written whole or not at all", () => {
    expect(image.write(103n, Uint8Array.of(9, 9))).toBe(false);
    expect(image.write(104n, Uint8Array.of(7, 8))).toBe(true);
    expect(image.read(100n, 6)).toEqual(Uint8Array.of(1, 2, 3, 4, 7, 8));
  });

  it("has no two ranges at one address", () => {
    const overlapping = [
      { address: 100n, bytes: new Uint8Array(4) },
      { address: 103n, bytes: new Uint8Array(1) },
    ];
    expect(() => new MemoryImage(overlapping)).toThrow(InputError);
  });
});

describe("memory of the process and the kernel", () => {
  it("what is written is read again, and is the run's alone", () => {
    const asm = `*(u64 *)(r10 -8) = 0x41\nr1 = ${USER} ll\nr2 = r10\nr2 += -8\nr3 = 1\ncall bpf_probe_write_user\nr6 = r0\nr1 = r10\nr1 += -16\nr2 = 4\nr3 = ${USER} ll\ncall bpf_probe_read_user_str\nr6 += r0\nr0 = *(u32 *)(r10 -16)\nr6 <<= 32\nr0 |= r6\nexit`;
    const memory = [{ address: USER, bytes: text("xyz\0") }];
    const ended = kprobe(asm, { memory });
    expect(ended.r0).toBe((4n << 32n) | 0x007a7941n);
    expect(ended.effects.tracing?.writes).toEqual([{ address: USER, bytes: text("A") }]);
    expect(memory[0]?.bytes).toEqual(text("xyz\0"));
  });

  it("a task's fields are followed from pointer to pointer; where nothing is, there are zeros", () => {
    const memory = [
      { address: TASK, bytes: words(7n, TASK + 0x1000n, TASK + 0x2000n) },
      { address: TASK + 0x1000n, bytes: words(0n, 42n) },
    ];
    const follow = (at: number, then: number): bigint =>
      kprobe(`call bpf_get_current_task_btf\nr1 = *(u64 *)(r0 +${at})\nr0 = *(u32 *)(r1 +${then})\nexit`, {
        memory,
      }).r0;
    expect(follow(8, 8)).toBe(42n);
    expect(follow(8, 4096)).toBe(0n);
    expect(() => follow(16, 0)).toThrow(Unsupported);
    expect(() => kprobe("call bpf_get_current_task_btf\nr0 = *(u64 *)(r0 +8)\nexit")).toThrow(Unsupported);
  });

  it("the kernel's objects are not written to", () => {
    const asm = "call bpf_get_current_task_btf\n*(u64 *)(r0 +8) = 1\nr0 = 0\nexit";
    const ended = new Machine(program("kprobe", asm)).run({
      memory: [{ address: TASK, bytes: words(1n, 2n) }],
    });
    expect(ended).toMatchObject({ outcome: "fault", fault: { kind: "read_only" } });
  });

  it("next to what the program may access it is not known what there is", () => {
    const asm = "r1 = r10\nr1 += -8\nr2 = 8\nr3 = r10\nr3 += -4\ncall bpf_probe_read_kernel\nr0 = 0\nexit";
    expect(() => kprobe(asm)).toThrow(Unsupported);
  });
});

describe("a traced function", () => {
  const context = words(3n, TASK, 0xffff_ffff_ffff_fff2n);
  const memory = [{ address: TASK, bytes: words(99n) }];

  it("has arguments, and a result when it has run", () => {
    expect(run(traced("trace_fentry", "r0 = *(u64 *)(r1 +0)\nexit"), { context }).r0).toBe(3n);
    const pointer = "r2 = *(u64 *)(r1 +8)\nr0 = *(u64 *)(r2 +0)\nexit";
    expect(run(traced("trace_fentry", pointer), { context, memory }).r0).toBe(99n);
    expect(run(traced("trace_fentry", "call bpf_get_func_arg_cnt\nexit"), { context }).r0).toBe(3n);
    expect(run(traced("trace_fexit", "call bpf_get_func_arg_cnt\nexit"), { context }).r0).toBe(2n);
    const result = "r2 = r10\nr2 += -8\ncall bpf_get_func_ret\nr0 = *(u64 *)(r10 -8)\nexit";
    expect(run(traced("trace_fexit", result), { context }).r0).toBe(0xffff_ffff_ffff_fff2n);
  });

  it("by number", () => {
    const asm = (n: number): string =>
      `*(u64 *)(r10 -8) = 0\nr2 = ${n}\nr3 = r10\nr3 += -8\ncall bpf_get_func_arg\nr1 = *(u64 *)(r10 -8)\nr0 += r1\nexit`;
    expect(run(traced("trace_fentry", asm(0)), { context }).r0).toBe(3n);
    expect(BigInt.asIntN(64, run(traced("trace_fexit", asm(2)), { context }).r0)).toBe(-22n);
  });

  it("its arguments have 8 bytes each", () => {
    const asked = (): unknown => run(traced("trace_fentry", "r0 = 0\nexit"), { context: new Uint8Array(9) });
    expect(asked).toThrow(InputError);
  });
});

describe("what is asked of the hook and the system", () => {
  it("cookie, address, result", () => {
    const attachment = { cookie: 11n, functionAddress: 0xffff_ffff_8100_0000n };
    expect(kprobe("call bpf_get_attach_cookie\nexit", { attachment }).r0).toBe(11n);
    expect(kprobe("call bpf_get_func_ip\nexit", { attachment }).r0).toBe(attachment.functionAddress);
    const asm =
      "call bpf_get_retval\nr6 = r0\nr1 = -1\ncall bpf_set_retval\ncall bpf_get_retval\nr0 -= r6\nexit";
    const ended = run({ ...program("cgroup_device", asm), attach: "cgroup_device" }, { hookResult: -13 });
    expect(BigInt.asIntN(32, ended.r0)).toBe(12n);
    expect(ended.effects.tracing?.hookResult).toBe(-1);
  });

  it("stacks, cut and counted", () => {
    const kernelStack = [0xan, 0xbn, 0xcn, 0xdn];
    const asm = (size: number, skip: number): string =>
      `r2 = r10\nr2 += -32\nr3 = ${size}\nr4 = ${skip}\ncall bpf_get_stack\nr1 = *(u64 *)(r10 -32)\nr0 <<= 8\nr0 |= r1\nexit`;
    expect(kprobe(asm(32, 0), { kernelStack }).r0).toBe(0x200an);
    expect(kprobe(asm(32, 3), { kernelStack }).r0).toBe(0x80dn);
    expect(kprobe(asm(8, 1), { kernelStack }).r0).toBe(0x80bn);
    expect(() => kprobe(asm(8, 0x100), { kernelStack })).toThrow(Unsupported);
  });

  it("counters of events that are there", () => {
    const m = map("perf_event_array", { valueSize: 4 });
    const machine = new Machine(
      program("kprobe", "r1 = map[m]\nr2 = 1\ncall bpf_perf_event_read\nexit", [m]),
    );
    const events = machine.map("m");
    if (events.kind === "events") events.attach(1);
    const counters = { m: { 1: { counter: 1234n, enabled: 5n, running: 6n } } };
    expect(machine.run({ counters })).toMatchObject({ r0: 1234n });
  });

  it("signals", () => {
    const asm =
      "r1 = 9\ncall bpf_send_signal\nr1 = 10\ncall bpf_send_signal_thread\nr1 = 0\ncall bpf_send_signal\nexit";
    const { effects } = kprobe(asm, { task: { pid: 5, tgid: 5 } });
    expect(effects.tracing?.signals).toEqual([
      { number: 9, to: "process" },
      { number: 10, to: "thread" },
    ]);
    const refused = kprobe("r1 = 9\ncall bpf_send_signal\nexit", { task: { pid: 1, tgid: 1 } });
    expect(BigInt.asIntN(64, refused.r0)).toBe(-1n);
    expect(refused.effects.tracing).toBeUndefined();
  });

  it("functions by name and address", () => {
    const functions = [{ name: "vfs_read", address: 0xffff_ffff_8123_4000n, size: 0x200 }];
    const stores = ["%ps %pS ", "%pB\0"].map(
      (part, i) =>
        `r1 = ${Buffer.from(part.padEnd(8, "\0")).readBigUInt64LE(0)} ll\n*(u64 *)(r10 -${16 - 8 * i}) = r1\n`,
    );
    const address = 0xffff_ffff_8123_4010n;
    const asm = `${stores.join("")}r1 = r10\nr1 += -16\nr2 = 16\nr3 = ${address} ll\nr4 = r3\nr5 = ${address - 16n} ll\ncall bpf_trace_printk\nexit`;
    expect(kprobe(asm, { functions }).printed).toEqual(["vfs_read vfs_read+0x10/0x200 0xffffffff81234000"]);
  });

  it("clocks go on together", () => {
    const asm = "call bpf_ktime_get_ns\nr6 = r0\ncall bpf_ktime_get_boot_ns\nr0 -= r6\nexit";
    expect(kprobe(asm, { clockNs: 10n ** 9n }).r0).toBe(2n);
    expect(kprobe("call bpf_jiffies64\nexit", { clockNs: 10n ** 9n }).r0).toBe(
      2n ** 32n - 300n * 250n + 250n,
    );
    const tai = kprobe("call bpf_ktime_get_tai_ns\nexit", {
      clockNs: 10n ** 9n,
      wallClockNs: 5n * 10n ** 18n,
    });
    expect(tai.r0).toBe(5n * 10n ** 18n + 1n);
    const coarse = program("sched_cls", "call bpf_ktime_get_coarse_ns\nexit");
    expect(run(coarse, { clockNs: 11_999_000n, packet: new Uint8Array(64) }).r0).toBe(8_000_000n);
  });

  it("an iterator's text", () => {
    const SEQ = TASK + 0x100n;
    const context = words(TASK, 0n);
    const memory = [
      { address: TASK, bytes: words(SEQ) },
      { address: SEQ, bytes: new Uint8Array(8) },
    ];
    const asm = `r2 = *(u64 *)(r1 +0)\nr6 = *(u64 *)(r2 +0)\nr1 = ${Buffer.from("n=%d\n\0\0\0").readBigUInt64LE(0)} ll\n*(u64 *)(r10 -8) = r1\n*(u64 *)(r10 -16) = 7\nr1 = r6\nr2 = r10\nr2 += -8\nr3 = 8\nr4 = r10\nr4 += -16\nr5 = 8\ncall bpf_seq_printf\nr1 = r6\nr2 = r10\nr2 += -8\nr3 = 2\ncall bpf_seq_write\nexit`;
    expect(run(traced("trace_iter", asm), { context, memory }).effects.tracing?.sequence).toBe("n=7\nn=");
  });

  it("a remote control's keys", () => {
    const asm = "r6 = *(u32 *)(r1 +0)\nr2 = 1\nr3 = r6\nr4 = 0\ncall bpf_rc_keydown\nexit";
    const { effects } = run(program("lirc_mode2", asm), { context: Uint8Array.of(9, 1, 0, 0) });
    expect(effects.tracing?.remoteControl).toEqual([
      { kind: "key", protocol: 1, scancode: 265n, toggle: false },
    ]);
  });
});
