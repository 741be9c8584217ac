/** What a run is given, keeps and returns. Expectations follow from the programs and from RFC 9669; the kernel's part is in `properties/machine`. */
import { describe, expect, it } from "vitest";
import { InputError, Unsupported } from "../semantics/errors.ts";
import { Machine } from "./machine.ts";
import { createMap } from "./maps/create.ts";
import { FRAME, frame, map, program, result, run } from "./testing.ts";
import { loadTogether } from "./together.ts";
import type { StackByte, View } from "./view.ts";

const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const COUNT = `
  *(u32 *)(r10 -4) = 0
  r1 = map[m]
  r2 = r10
  r2 += -4
  call bpf_map_lookup_elem
  if r0 == 0 goto none
  r1 = 1
  lock *(u64 *)(r0 +0) += r1
none:
  r0 = 2
  exit`;

describe("the stack", () => {
  it("keeps pointers that are spilled whole", () => {
    const asm =
      "*(u64 *)(r10 -8) = r1\nr2 = *(u64 *)(r10 -8)\nr2 = *(u32 *)(r2 +0)\nr0 = *(u8 *)(r2 +13)\nexit";
    expect(result("xdp", asm)).toBe(0xb5n);
  });

  it("of a caller is its subprograms' to use", () => {
    const asm =
      "r1 = r10\nr1 += -8\ncall inner\nr0 = *(u64 *)(r10 -8)\nexit\ninner:\n*(u64 *)(r1 +0) = 7\nr0 = 0\nexit";
    expect(result("xdp", asm)).toBe(7n);
  });

  it("has eight frames", () => {
    // Frame n calls frame n + 1 with the depth in r1, and returns the deepest.
    const asm = "r1 = 0\ncall f\nexit\nf:\nr1 += 1\nr0 = r1\nif r1 == 7 goto out\ncall f\nout:\nexit";
    expect(result("xdp", asm)).toBe(7n);
  });
});

describe("calls", () => {
  it("keep r6 to r9 and give back r0", () => {
    const asm =
      "r6 = 1\nr7 = 2\nr8 = 3\nr9 = 4\nr1 = 10\ncall inner\nr0 += r6\nr0 += r9\nexit\ninner:\nr6 = 100\nr9 = 100\nr0 = r1\nexit";
    expect(result("xdp", asm)).toBe(15n);
  });

  it("to what is not modelled say so", () => {
    expect(() => run("xdp", "call kfunc#7\nr0 = 0\nexit")).toThrow(new Unsupported("kernel function 7"));
    expect(() => run("xdp", "call bpf_tcp_gen_syncookie\nr0 = 0\nexit")).toThrow(
      new Unsupported("the helper tcp_gen_syncookie"),
    );
    expect(() => createMap(map("struct_ops"), 1)).toThrow(Unsupported);
    expect(() => createMap(map("ringbuf"), 1)).toThrow(InputError);
    const read = new Machine(program("xdp", "r1 = map[m]\nr0 = *(u32 *)(r1 +76)\nexit", [map("array")]));
    expect(() => read.run({ packet: FRAME })).toThrow(
      new Unsupported("the kernel's structure behind a pointer to a map"),
    );
  });
});

describe("maps", () => {
  it("keep what a run left, until they are reset", () => {
    const machine = new Machine(program("xdp", COUNT, [map("array")]));
    for (let i = 0; i < 3; i += 1) machine.run({ packet: FRAME });
    const m = machine.map("m");
    if (m.kind !== "values") throw new Error("an array has values");
    expect(m.lookup(word(0))).toEqual(Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0));
    m.reset();
    expect(m.lookup(word(0))).toEqual(new Uint8Array(8));
  });

  it("of each processor are its own", () => {
    const machine = new Machine(program("xdp", COUNT, [map("percpu_array", { valueSize: 12 })]), { cpus: 2 });
    machine.run({ packet: FRAME });
    machine.run({ packet: FRAME, cpu: 1 });
    machine.run({ packet: FRAME, cpu: 1 });
    const m = machine.map("m");
    const both = m.kind === "values" ? m.lookup(word(0)) : 0;
    expect(both).toHaveLength(32);
    expect(typeof both === "number" ? [] : [both[0], both[16]]).toEqual([1, 2]);
    expect(() => machine.run({ packet: FRAME, cpu: 2 })).toThrow(InputError);
  });

  it("with data begin with it, and frozen take no other from user space", () => {
    const data = Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0);
    const m = map("array", { maxEntries: 1, data, frozen: true, flags: 128 });
    const machine = new Machine(program("xdp", "r1 = map_value[m]+0\nr0 = *(u32 *)(r1 +0)\nexit", [m]));
    expect(machine.run({ packet: FRAME })).toMatchObject({ outcome: "exit", r0: 5n });
    const storage = machine.map("m");
    expect(storage.kind === "values" && storage.update(word(0), new Uint8Array(8))).toBe(-1);
  });

  it("of maps lead to maps", () => {
    const inner = map("array", { name: "inner", maxEntries: 1, data: Uint8Array.of(9) });
    const outer = map("array_of_maps", { valueSize: 4, inner, holds: [{ index: 1, name: "inner" }] });
    const asm = (key: number): string => `*(u32 *)(r10 -4) = ${key}
      r1 = map[m]
      r2 = r10
      r2 += -4
      call bpf_map_lookup_elem
      if r0 == 0 goto out
      r1 = r0
      *(u32 *)(r10 -4) = 0
      r2 = r10
      r2 += -4
      call bpf_map_lookup_elem
      if r0 == 0 goto out
      r1 = *(u64 *)(r0 +0)
      r0 = r1
    out:
      exit`;
    expect(result("xdp", asm(1), { definitions: [outer, inner] })).toBe(9n);
    expect(result("xdp", asm(0), { definitions: [outer, inner] })).toBe(0n);
  });

  it("for events take them where user space listens", () => {
    const asm =
      "*(u64 *)(r10 -8) = 7\nr2 = map[m]\nr3 = 0x1000000000 ll\nr4 = r10\nr4 += -8\nr5 = 8\ncall bpf_perf_event_output\nexit";
    const machine = new Machine(program("xdp", asm, [map("perf_event_array", { valueSize: 4 })]));
    const events = machine.map("m");
    if (events.kind !== "events") throw new Error("a perf event array has events");
    expect(machine.run({ packet: FRAME })).toMatchObject({ r0: BigInt.asUintN(64, -2n) });
    events.attach(0);
    expect(machine.run({ packet: FRAME })).toMatchObject({ r0: 0n });
    // 16 bytes of the packet follow the 8 of the record.
    expect(events.records).toEqual([
      { index: 0, data: Uint8Array.from([7, 0, 0, 0, 0, 0, 0, 0, ...FRAME.subarray(0, 16)]) },
    ]);
  });
});

describe("tail calls", () => {
  const programs = map("prog_array", { name: "p", valueSize: 4, holds: [{ index: 0, name: "second" }] });
  const first = `*(u64 *)(r10 -8) = 1\nr2 = map[p]\nr3 = 0\ncall bpf_tail_call\nr0 = 77\nexit`;

  it("go on in the other program, which sees none of the first one's stack", () => {
    const second = { ...program("xdp", "r0 = *(u64 *)(r10 -8)\nexit"), name: "second" };
    const [machine] = loadTogether([program("xdp", first, [programs]), second]);
    expect(machine?.run({ packet: FRAME })).toMatchObject({
      outcome: "fault",
      fault: { kind: "uninitialised_stack", program: "second", insn: 0 },
    });
  });

  it("are 33 at most in a run, as in Linux (MAX_TAIL_CALL_CNT), so that a program runs 34 times", () => {
    const own = map("prog_array", { name: "p", valueSize: 4, holds: [{ index: 0, name: "again" }] });
    const count = "r2 = *(u32 *)(r6 +0)\nr0 = *(u8 *)(r2 +0)";
    const asm = `r6 = r1\n${count}\nr0 += 1\n*(u8 *)(r2 +0) = r0\nr2 = map[p]\nr3 = 0\ncall bpf_tail_call\n${count}\nexit`;
    const [machine] = loadTogether([{ ...program("xdp", asm, [own]), name: "again" }]);
    expect(machine?.run({ packet: new Uint8Array(64) })).toMatchObject({ outcome: "exit", r0: 34n });
  });

  it("from a subprogram return to its caller", () => {
    const asm = `r6 = 5\ncall inner\nr0 += r6\nr0 += 1\nexit\ninner:\n${first}`;
    const second = { ...program("xdp", "r0 = 10\nexit"), name: "second" };
    const [machine] = loadTogether([program("xdp", asm, [programs]), second]);
    expect(machine?.run({ packet: FRAME })).toMatchObject({ outcome: "exit", r0: 16n });
  });
});

describe("the environment", () => {
  it("decides time, chance and who runs", () => {
    const ask = (helper: string): string => `call bpf_${helper}\nexit`;
    const environment = { clockNs: 1000n, seed: 5, task: { pid: 3, tgid: 4, uid: 5, gid: 6 } };
    expect(result("xdp", ask("ktime_get_ns"), { environment })).toBe(1001n);
    expect(result("kprobe", ask("get_current_pid_tgid"), { environment })).toBe((4n << 32n) | 3n);
    expect(result("kprobe", ask("get_current_uid_gid"), { environment })).toBe((6n << 32n) | 5n);
    const random = result("xdp", ask("get_prandom_u32"), { environment });
    expect(result("xdp", ask("get_prandom_u32"), { environment })).toBe(random);
    expect(result("xdp", ask("get_prandom_u32"), { environment: { seed: 6 } })).not.toBe(random);
  });

  it("names the task", () => {
    const asm = "r1 = r10\nr1 += -8\nr2 = 8\ncall bpf_get_current_comm\nr0 = *(u64 *)(r10 -8)\nexit";
    // "a longe", little-endian, cut for the final NUL.
    expect(result("kprobe", asm, { environment: { task: { comm: "a longer name" } } })).toBe(
      0x65676e6f6c2061n,
    );
  });

  it("gives tracing programs their context", () => {
    const context = new Uint8Array(168).fill(7, 112, 120);
    expect(result("kprobe", "r0 = *(u64 *)(r1 +112)\nexit", { environment: { context } })).toBe(
      0x0707070707070707n,
    );
  });

  it.each([
    [{ packet: new Uint8Array(13) }, /13 bytes/],
    [{ packet: FRAME, context: new Uint8Array(25) }, /25 bytes/],
    [{ packet: FRAME, context: word(3) }, /multiple of 4/],
    [{ packet: FRAME, context: Uint8Array.of(0, 0, 0, 0, 255, 1) }, /data_end/],
  ])("that makes no sense is refused: %#", (environment, message) => {
    expect(() => run("xdp", "r0 = 0\nexit", { environment })).toThrow(message);
    expect(() => run("xdp", "r0 = 0\nexit", { environment })).toThrow(InputError);
  });

  it("of a classifier may not set what the kernel computes", () => {
    const context = Uint8Array.of(1);
    expect(() => run("sched_cls", "r0 = 0\nexit", { environment: { context } })).toThrow(
      /byte 0 of __sk_buff/,
    );
  });
});

describe("the result", () => {
  it("says whether it is a pointer", () => {
    expect(run("xdp", "r0 = r10\nexit")).toMatchObject({ outcome: "exit", pointer: true });
    expect(run("xdp", "r0 = 1\nexit")).toMatchObject({ outcome: "exit", pointer: false, steps: 2 });
  });

  it("has what was printed and where the packet goes", () => {
    const print = `r1 = 0x0a642520736920 ll\n*(u64 *)(r10 -8) = r1\nr1 = r10\nr1 += -8\nr2 = 8\nr3 = -5\ncall bpf_trace_printk\n`;
    const asm = `${print}r1 = 3\nr2 = 0\ncall bpf_redirect\nexit`;
    expect(run("xdp", asm)).toMatchObject({
      r0: 4n,
      printed: [" is -5\n"],
      effects: { clones: [], redirect: { to: "device", ifindex: 3, ingress: false } },
    });
  });

  it("has the packet as the program left it", () => {
    const asm =
      "r6 = r1\nr2 = 20\ncall bpf_xdp_adjust_head\nr2 = *(u32 *)(r6 +0)\n*(u8 *)(r2 +0) = 255\nr0 = 2\nexit";
    const ended = run("xdp", asm);
    expect(ended.outcome === "exit" && ended.packet).toEqual(
      Uint8Array.from([255, ...frame(64).subarray(21)]),
    );
  });

  it("does not touch the packet that was given", () => {
    const packet = frame(64);
    run("xdp", "r2 = *(u32 *)(r1 +0)\n*(u8 *)(r2 +0) = 255\nr0 = 2\nexit", { environment: { packet } });
    expect(packet).toEqual(FRAME);
  });
});

describe("an observer", () => {
  it("sees registers, frames and the stack before each instruction", () => {
    const asm =
      "*(u64 *)(r10 -16) = r1\n*(u8 *)(r10 -1) = 3\nr6 = *(u32 *)(r1 +0)\nr6 += 5\nr1 = 4\ncall inner\nexit\ninner:\nr0 = r1\nexit";
    const seen = new Map<number, unknown>();
    const bytes = (view: View, frame: number): readonly StackByte[] =>
      [-17, -16, -2, -1].map((o) => view.stackByte(o, frame));
    new Machine(program("xdp", asm)).run({ packet: FRAME }, (pc, view) => {
      const { depth } = view;
      seen.set(pc, {
        depth,
        r0: view.register(0).kind,
        r6: view.register(6, 0),
        bytes: bytes(view, 0),
        slot: view.stackSlot(-16, 0).kind,
        data: view.stackSlot(-8, 0).kind,
      });
    });
    expect([...seen.keys()]).toEqual([0, 1, 2, 3, 4, 5, 7, 8, 6]);
    expect(seen.get(0)).toEqual({
      depth: 0,
      r0: "uninitialised",
      r6: { kind: "uninitialised" },
      bytes: ["uninitialised", "uninitialised", "uninitialised", "uninitialised"],
      slot: "uninitialised",
      data: "uninitialised",
    });
    expect(seen.get(8)).toMatchObject({
      depth: 1,
      r0: "number",
      r6: { kind: "pointer", offset: 5, region: { place: { kind: "packet" }, start: 0, end: 64 } },
      bytes: ["uninitialised", "pointer", "uninitialised", "data"],
      slot: "pointer",
      data: "uninitialised",
    });
  });

  it("may run another program meanwhile", () => {
    const other = new Machine(program("xdp", "r0 = 1\nr1 = 2\nr2 = 3\nexit"));
    const machine = new Machine(program("xdp", "r0 = 40\nr2 = 2\nr0 += r2\nexit"));
    const ended = machine.run({ packet: FRAME }, () => {
      other.run({ packet: FRAME });
    });
    expect(ended).toMatchObject({ outcome: "exit", r0: 42n });
  });
});
