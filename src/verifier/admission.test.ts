import { describe, expect, test } from "vitest";
import { rightsOf } from "../absint/transfer/rights.ts";
import { assemble } from "../semantics/isa/assemble.ts";
import { defaultProfile } from "../semantics/profile/default.ts";
import type { Capability } from "../semantics/program/privileges.ts";
import type { Program } from "../semantics/program/program.ts";
import { admit } from "./admission.ts";

const profile = { ...defaultProfile(), capabilities: { bpf: "118", perfmon: "6" } };

const program = (
  kind: Pick<Program, "type"> & Partial<Program>,
  asm: readonly string[] = ["r0 = 0", "exit"],
): Program => ({
  name: "test",
  license: "GPL",
  flags: [],
  insns: assemble(asm),
  maps: [],
  lines: [],
  functions: [],
  ...kind,
});

// Capabilities by type: measured on Linux 6.18, every type with every set of them.
describe("who may load programs of which types", () => {
  const ALL: readonly Capability[] = ["cap_bpf", "cap_perfmon", "cap_net_admin"];
  test.each<[Program["type"], readonly Capability[]]>([
    ["socket_filter", []],
    ["cgroup_skb", []],
    ["sk_reuseport", ["cap_bpf"]],
    ["xdp", ["cap_bpf", "cap_net_admin"]],
    ["sched_cls", ["cap_bpf", "cap_net_admin"]],
    ["sock_ops", ["cap_bpf", "cap_net_admin"]],
    ["flow_dissector", ["cap_bpf", "cap_net_admin"]],
    ["kprobe", ["cap_bpf", "cap_perfmon"]],
    ["tracepoint", ["cap_bpf", "cap_perfmon"]],
    ["raw_tracepoint", ["cap_bpf", "cap_perfmon"]],
    ["perf_event", ["cap_bpf", "cap_perfmon"]],
  ])("%s: %j", (type, needed) => {
    expect(() => admit(program({ type, privileges: needed }), profile)).not.toThrow();
    expect(() => admit(program({ type, privileges: ["cap_sys_admin"] }), profile)).not.toThrow();
    for (const missing of needed) {
      const privileges = ALL.filter((capability) => capability !== missing);
      expect(() => admit(program({ type, privileges }), profile)).toThrow(missing);
    }
  });
});

describe("attach types and sleeping", () => {
  test.each<[Pick<Program, "type"> & Partial<Program>, string | undefined]>([
    [{ type: "cgroup_sock_addr" }, "expected attach type of cgroup_sock_addr programs"],
    [{ type: "cgroup_sock_addr", attach: "cgroup_inet6_connect" }, undefined],
    [{ type: "cgroup_sock_addr", attach: "cgroup_device" }, "not cgroup_device"],
    [{ type: "xdp", attach: "cgroup_device" }, undefined],
    [{ type: "cgroup_skb", attach: "cgroup_inet_ingress" }, undefined],
    [{ type: "syscall", attach: "xdp", flags: ["sleepable"] }, "not xdp"],
    [{ type: "xdp", flags: ["sleepable"] }, "can be sleepable"],
    [{ type: "kprobe", flags: ["sleepable"] }, undefined],
    [{ type: "syscall" }, "can only be sleepable"],
  ])("%j", (kind, message) => {
    const admission = expect(() => admit(program(kind), profile));
    if (message === undefined) admission.not.toThrow();
    else admission.toThrow(message);
  });
});

describe("what programs without capabilities may contain", () => {
  const LOOP = ["r1 = 0", "r1 += 1", "if r1 < 4 goto pc-2", "r0 = 0", "exit"];
  const BACKWARDS = ["goto pc+2", "r0 = 0", "exit", "goto pc-3"];
  const FUNCTION = ["call pc+2", "r0 = 0", "exit", "r0 = 0", "exit"];
  const long = (count: number): string[] => [...Array.from({ length: count - 1 }, () => "r0 = 0"), "exit"];
  test.each<[string, readonly Capability[], readonly string[], string | undefined]>([
    ["a loop", [], LOOP, "back-edge from insn 2 to 1"],
    ["a loop", ["cap_perfmon"], LOOP, "back-edge from insn 2 to 1"],
    ["a loop", ["cap_bpf"], LOOP, undefined],
    ["a loop", ["cap_bpf", "cap_perfmon"], LOOP, undefined],
    ["a jump back to what was not passed", [], BACKWARDS, undefined],
    ["a function", [], FUNCTION, "allowed for CAP_BPF"],
    ["a function", ["cap_bpf"], FUNCTION, undefined],
    ["4096 instructions", [], long(4096), undefined],
    ["4097 instructions", [], long(4097), "program of 4097 insns"],
    ["4097 instructions", ["cap_bpf"], long(4097), undefined],
  ])("%s with %j", (_, privileges, asm, message) => {
    const admission = expect(() => admit(program({ type: "socket_filter", privileges }, asm), profile));
    if (message === undefined) admission.not.toThrow();
    else admission.toThrow(message);
  });
});

test("other kernels' rules for programs without capabilities are not known", () => {
  const { capabilities: _, ...old } = profile;
  const filter = program({ type: "socket_filter", privileges: [] });
  expect(() => rightsOf(filter, old)).toThrow(`programs without capabilities on Linux ${profile.kernel}`);
  expect(rightsOf(filter, profile)).toEqual({
    leaks: false,
    uninitialisedStack: false,
    bpf: false,
    withoutHelpers: new Set([118, 6]),
  });
});
