/** Expected: bpf-helpers(7), linux/bpf.h, the kernel's documentation of program types (docs.kernel.org/bpf). */
import { describe, expect, it } from "vitest";
import { HELPER_NAMES, helperId } from "../helpers/names.ts";
import type { AttachType, ProgramType } from "../program/program-types.ts";
import { defaultProfile } from "./default.ts";
import {
  contextFor,
  fieldAt,
  helperCall,
  helperFacts,
  helperTakesMap,
  idsOf,
  kfuncFacts,
  knowsInstruction,
  programFacts,
  rangesOf,
} from "./lookup.ts";
import type { Context } from "./profile.ts";

const profile = defaultProfile();

function call(type: ProgramType, name: string, attach?: AttachType) {
  const kind = { type, flags: [], ...(attach === undefined ? {} : { attach }) };
  const facts = programFacts(profile, kind);
  const id = helperId(name);
  if (facts === undefined || id === undefined) throw new Error(`no ${type} or ${name}`);
  return helperCall(profile, facts, id);
}

describe("helpers", () => {
  it("are allowed to whom the manual says", () => {
    expect(call("xdp", "xdp_adjust_head")?.permission).toBe("everybody");
    expect(call("sched_cls", "xdp_adjust_head")?.permission).toBe("forbidden");
    expect(call("socket_filter", "skb_store_bytes")?.permission).toBe("forbidden");
    expect(call("sched_cls", "skb_store_bytes")?.permission).toBe("everybody");
    expect(call("kprobe", "trace_printk")?.permission).toBe("gpl_only");
    expect(call("kprobe", "get_stackid")?.permission).toBe("gpl_only");
    expect(call("xdp", "map_lookup_elem")?.permission).toBe("everybody");
  });

  it("depend on the attach type where the kernel's answer does", () => {
    expect(call("cgroup_sock_addr", "bind", "cgroup_inet4_connect")?.permission).toBe("everybody");
    expect(call("cgroup_sock_addr", "bind", "cgroup_inet4_bind")?.permission).toBe("forbidden");
  });

  it("have the prototypes of the manual", () => {
    expect(call("xdp", "map_lookup_elem")?.prototype).toMatchObject({
      args: [{ kind: "const_map_ptr" }, { kind: "map_key" }],
      returns: { kind: "map_value", flags: ["ptr_maybe_null"] },
      packetMemory: true,
    });
    expect(call("xdp", "csum_diff")?.prototype?.args.map(({ kind }) => kind)).toEqual([
      "mem",
      "const_size_or_zero",
      "mem",
      "const_size_or_zero",
      "anything",
    ]);
    expect(call("sched_cls", "tail_call")?.prototype).toMatchObject({
      args: [{ kind: "ctx" }, { kind: "const_map_ptr" }, { kind: "anything" }],
      returns: { kind: "void" },
    });
    expect(call("kprobe", "copy_from_user")?.prototype?.sleeps).toBe(true);
    expect(call("sched_cls", "sk_release")?.prototype?.args[0]?.flags).toContain("obj_release");
  });

  it("have another prototype for other types of programs", () => {
    expect(call("sched_cls", "get_socket_cookie")?.prototype?.args[0]?.kind).toBe("ctx");
    expect(call("sk_reuseport", "get_socket_cookie")?.prototype?.args[0]?.kind).toBe("btf_id_sock_common");
    expect(call("xdp", "perf_event_output")?.prototype?.func).not.toBe(
      call("kprobe", "perf_event_output")?.prototype?.func,
    );
  });

  it("change packets where the manual warns that they do", () => {
    const change = (name: string): true | undefined =>
      helperFacts(profile, helperId(name) ?? -1)?.changesPacket;
    for (const name of [
      "skb_store_bytes",
      "l4_csum_replace",
      "skb_pull_data",
      "xdp_adjust_head",
      "clone_redirect",
    ]) {
      expect([name, change(name)]).toEqual([name, true]);
    }
    for (const name of [
      "skb_load_bytes",
      "map_lookup_elem",
      "redirect",
      "csum_diff",
      "fib_lookup",
      "xdp_load_bytes",
    ]) {
      expect([name, change(name)]).toEqual([name, undefined]);
    }
  });

  it("take the maps that they are for", () => {
    const takes = (name: string, map: "hash" | "ringbuf" | "prog_array" | "perf_event_array"): boolean => {
      const facts = helperFacts(profile, helperId(name) ?? -1);
      if (facts === undefined) throw new Error(`no ${name}`);
      return helperTakesMap(facts, map);
    };
    expect(takes("map_lookup_elem", "hash")).toBe(true);
    expect(takes("map_lookup_elem", "ringbuf")).toBe(false);
    expect(takes("tail_call", "prog_array")).toBe(true);
    expect(takes("tail_call", "hash")).toBe(false);
    expect(takes("perf_event_output", "perf_event_array")).toBe(true);
    expect(takes("ringbuf_reserve", "ringbuf")).toBe(true);
    expect(takes("ktime_get_ns", "hash")).toBe(true);
  });

  it("are all there, and no others", () => {
    expect(profile.helpers.map(({ id }) => id)).toEqual([...HELPER_NAMES.keys()]);
    expect(helperFacts(profile, 212)).toBeUndefined();
  });
});

describe("kinds of programs", () => {
  it("are not guessed", () => {
    expect(programFacts(profile, { type: "unspec", flags: [] })).toBeUndefined();
    expect(programFacts(profile, { type: "cgroup_skb", flags: [], attach: "xdp" })).toBeUndefined();
    expect(programFacts(profile, { type: "xdp", flags: ["sleepable"] })).toBeUndefined();
  });

  it("have the results that they must keep to", () => {
    const returns = (type: ProgramType, attach?: AttachType) =>
      programFacts(profile, { type, flags: [], ...(attach === undefined ? {} : { attach }) })?.returns;
    expect(returns("xdp")).toBeUndefined();
    expect(returns("cgroup_skb")).toEqual([0, 1]);
    expect(returns("cgroup_skb", "cgroup_inet_ingress")).toEqual([0, 1]);
    expect(returns("cgroup_skb", "cgroup_inet_egress")).toEqual([0, 3]);
    expect(returns("cgroup_sock_addr", "cgroup_udp4_recvmsg")).toEqual([1, 1]);
    expect(returns("sk_lookup", "sk_lookup")).toEqual([0, 1]);
  });
});

describe("contexts", () => {
  const context = (type: ProgramType, attach?: AttachType): Context => {
    const found = contextFor(profile, { type, flags: [], ...(attach === undefined ? {} : { attach }) });
    if (found === undefined) throw new Error(`no context of ${type}`);
    return found;
  };

  it("have the fields of linux/bpf.h", () => {
    const xdp = context("xdp");
    expect(xdp.struct).toBe("xdp_md");
    expect(fieldAt(xdp, "read", 0, 4)).toMatchObject({ name: "data", value: "packet" });
    expect(fieldAt(xdp, "read", 4, 4)).toMatchObject({ name: "data_end", value: "packet_end" });
    expect(fieldAt(xdp, "read", 20, 4)).toBeUndefined();
    expect(fieldAt(context("xdp", "xdp_devmap"), "read", 20, 4)?.name).toBe("egress_ifindex");
    const skb = context("sched_cls");
    expect(skb.struct).toBe("__sk_buff");
    expect(fieldAt(skb, "read", 168, 8)).toMatchObject({
      name: "sk",
      value: "sock_common",
      flags: ["ptr_maybe_null"],
    });
    expect(fieldAt(skb, "write", 8, 4)?.name).toBe("mark");
    expect(fieldAt(skb, "write", 0, 4)).toBeUndefined();
  });

  it("are read at aligned places of the sizes that fields permit", () => {
    const skb = context("sched_cls");
    expect(fieldAt(skb, "read", 0, 1)?.name).toBe("len");
    expect(fieldAt(skb, "read", 1, 2)).toBeUndefined();
    expect(fieldAt(skb, "read", 76, 2)).toBeUndefined();
    expect(fieldAt(skb, "read", 0, 8)).toBeUndefined();
    expect(fieldAt(skb, "write", 48, 8)?.name).toBe("cb");
  });

  it("permit parts of members where the kernel does", () => {
    const sock = context("cgroup_sock");
    expect(fieldAt(sock, "read", 4, 4)?.name).toBe("family");
    expect(fieldAt(sock, "read", 4, 2)?.name).toBe("family");
    expect(fieldAt(sock, "read", 6, 2)).toBeUndefined();
  });
});

describe("instructions and kernel functions", () => {
  it("are known by name", () => {
    expect(knowsInstruction(profile, "add64_imm")).toBe(true);
    expect(kfuncFacts(profile, "bpf_task_acquire")).toMatchObject({ returns: { to: "struct task_struct" } });
    expect(kfuncFacts(profile, "bpf_task_acquire")?.flags).toEqual(
      expect.arrayContaining(["acquire", "ret_null"]),
    );
    expect(kfuncFacts(profile, "bpf_iter_num_new")?.flags).toContain("iter_new");
    expect(kfuncFacts(profile, "printk")).toBeUndefined();
  });
});

describe("ranges", () => {
  it("are read as they are written", () => {
    expect(rangesOf([1, 2, 3, 5, 7, 8])).toBe("1-3 5 7-8");
    expect(idsOf("1-3 5 7-8")).toEqual([1, 2, 3, 5, 7, 8]);
    expect(idsOf("")).toEqual([]);
    expect(rangesOf([])).toBe("");
  });
});
