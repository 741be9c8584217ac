import { describe, expect, test } from "vitest";
import { attachTarget, needsTarget } from "./attach-target.ts";
import type { Btf } from "./btf.ts";

type Names = Pick<Btf, "findKind" | "type">;

/** A kernel that has what the names say, by kind and name. */
function kernelWith(names: Readonly<Record<string, number>>): Names {
  const findKind: Names["findKind"] = (name, ...kinds) =>
    kinds.map((kind) => names[`${kind} ${name}`]).find(Boolean);
  const type: Names["type"] = () => ({
    kind: "struct",
    name: "tcp_congestion_ops",
    size: 16,
    members: ["ssthresh", "cong_avoid"].map((name, at) => ({
      name,
      type: 1,
      bitOffset: 64 * at,
      bitSize: 0,
    })),
  });
  return { findKind, type };
}

const kernel = kernelWith({
  "func vfs_read": 1,
  "typedef btf_trace_sched_switch": 2,
  "func bpf_iter_task": 3,
  "func bpf_lsm_file_open": 4,
  "struct tcp_congestion_ops": 5,
});

describe("the name that a kernel's BTF has for a target", () => {
  test.each([
    ["trace_fentry", "vfs_read", 1],
    ["trace_fexit", "vfs_read", 1],
    ["modify_return", "vfs_read", 1],
    ["trace_raw_tp", "sched_switch", 2],
    ["trace_iter", "task", 3],
  ] as const)("%s %s", (attach, target, id) => {
    expect(attachTarget({ type: "tracing", attach, target }, kernel)).toEqual({ id });
  });

  test("an LSM hook", () => {
    expect(attachTarget({ type: "lsm", attach: "lsm_mac", target: "file_open" }, kernel)).toEqual({ id: 4 });
  });
});

test("a callback is a member of a structure", () => {
  expect(attachTarget({ type: "struct_ops", target: "tcp_congestion_ops/cong_avoid" }, kernel)).toEqual({
    id: 5,
    member: 1,
  });
});

test("why there is none", () => {
  const missing = (program: Parameters<typeof attachTarget>[0], of: Names | undefined = kernel): unknown =>
    attachTarget(program, of);
  expect(missing({ type: "tracing", attach: "trace_fentry", target: "gone" })).toEqual({
    missing: "the kernel has no func gone in its BTF",
  });
  expect(missing({ type: "tracing", attach: "trace_fentry" })).toEqual({
    missing: "the program does not name its target",
  });
  expect(missing({ type: "struct_ops", target: "gone/f" })).toEqual({
    missing: "the kernel has no struct gone in its BTF",
  });
  expect(missing({ type: "struct_ops", target: "tcp_congestion_ops/f" })).toEqual({
    missing: "the kernel's struct tcp_congestion_ops has no member f",
  });
  expect(missing({ type: "struct_ops", target: "f" })).toEqual({
    missing: "the program does not name a structure and its member",
  });
  expect(missing({ type: "ext", target: "f" })).toMatchObject({
    missing: expect.stringContaining("type ext"),
  });
  expect(attachTarget({ type: "lsm", attach: "lsm_mac", target: "file_open" }, undefined)).toEqual({
    missing: "the kernel does not tell its types",
  });
});

test("types that attach without one", () => {
  for (const type of ["xdp", "kprobe", "tracepoint", "raw_tracepoint"] as const)
    expect(needsTarget(type)).toBe(false);
});
