/** Expected: what bpf-helpers(7) and the kernel's documentation say of who may call what, and the probed profile of Linux 6.18. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { PROGRAM_TYPES } from "../program/program-types.ts";
import { helperAllowed, helperPermission, helperSleeps, isGplCompatible, isGplOnly } from "./allow.ts";
import { HELPER_NAMES, helperId } from "./names.ts";

const ids = z.array(z.number());
const profile = z
  .object({
    helpers: z.record(z.string(), ids),
    gpl: ids,
    gpl_exceptions: z.record(z.string(), ids),
    sleepable: ids,
  })
  .parse(JSON.parse(readFileSync("profiles/linux-6.18.json", "utf8")));

function id(name: string): number {
  const found = helperId(name);
  if (found === undefined) throw new Error(`no helper ${name}`);
  return found;
}

describe("helper names", () => {
  it("are the kernel's: the numbers of linux/bpf.h", () => {
    const known: [string, number][] = [
      ["unspec", 0],
      ["map_lookup_elem", 1],
      ["tail_call", 12],
      ["perf_event_output", 25],
      ["xdp_adjust_head", 44],
      ["ringbuf_reserve", 131],
      ["loop", 181],
      ["user_ringbuf_drain", 209],
      ["cgrp_storage_delete", 211],
    ];
    for (const [name, number] of known) expect([name, helperId(name)]).toEqual([name, number]);
    expect(HELPER_NAMES).toHaveLength(212);
    expect(new Set(HELPER_NAMES).size).toBe(212);
    expect(helperId("bpf_map_lookup_elem")).toBe(1);
    expect(helperId("map_lookup")).toBeUndefined();
  });
});

describe("who may call a helper", () => {
  it("says what the profile of the kernel says, for every type and helper", () => {
    for (const [name, allowed] of Object.entries(profile.helpers)) {
      const [typeName, attachName] = name.split("/");
      const type = PROGRAM_TYPES.find((known) => known === typeName);
      if (type === undefined) throw new Error(`no program type ${name}`);
      if (attachName !== undefined) continue;
      const gpl = profile.gpl.filter((n) => profile.gpl_exceptions[name]?.includes(n) !== true);
      for (const n of HELPER_NAMES.keys()) {
        const expected = allowed.includes(n) ? (gpl.includes(n) ? "gpl_only" : "everybody") : "forbidden";
        expect([name, n, helperPermission(type, n)]).toEqual([name, n, expected]);
      }
    }
  });

  it("knows what the manual says", () => {
    expect(helperAllowed("xdp", id("xdp_adjust_head"))).toBe(true);
    expect(helperAllowed("sched_cls", id("xdp_adjust_head"))).toBe(false);
    expect(helperAllowed("socket_filter", id("skb_store_bytes"))).toBe(false);
    expect(helperAllowed("sched_cls", id("skb_store_bytes"))).toBe(true);
    expect(helperAllowed("kprobe", id("probe_read"))).toBe(true);
    expect(helperPermission("kprobe", id("trace_printk"))).toBe("gpl_only");
    expect(isGplOnly(id("trace_printk"))).toBe(true);
    expect(isGplOnly(id("get_stackid"), "kprobe")).toBe(true);
    expect(isGplOnly(id("get_stackid"), "perf_event")).toBe(false);
    expect(isGplOnly(id("map_lookup_elem"))).toBe(false);
    expect(helperPermission("xdp", id("map_lookup_elem"))).toBe("everybody");
    expect(helperSleeps(id("copy_from_user"))).toBe(true);
    expect(helperSleeps(id("map_lookup_elem"))).toBe(false);
  });

  it("depends on the attach type where the kernel's answer does", () => {
    expect(helperAllowed("cgroup_sock_addr", id("bind"), "cgroup_inet4_connect")).toBe(true);
    expect(helperAllowed("cgroup_sock_addr", id("bind"), "cgroup_inet4_bind")).toBe(false);
  });

  it("does not guess about a type that was not probed", () => {
    expect(helperPermission("lsm", 1)).toBeUndefined();
    expect(helperAllowed("lsm", 1)).toBe(false);
  });

  it("takes the kernel's licenses as GPL-compatible", () => {
    expect(isGplCompatible("Dual BSD/GPL")).toBe(true);
    expect(isGplCompatible("GPL v3")).toBe(false);
    expect(isGplCompatible("Proprietary")).toBe(false);
  });
});
