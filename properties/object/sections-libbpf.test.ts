/**
 * Claim: a section's name means to us what it means to libbpf (`libbpf_prog_type_by_name`), for every name that the kernel's documentation lists
 * (Documentation/bpf/libbpf/program_types.rst), with and without something after the slash.
 */
import { createRequire } from "node:module";
import type Koffi from "koffi";
import { describe, expect, test } from "vitest";
import { sectionMeaning } from "../../src/object/sections.ts";
import { ATTACH_TYPES, PROGRAM_TYPES } from "../../src/semantics/program/program-types.ts";

/** As documented; a plus allows `/anything`. */
const DOCUMENTED = `
  cgroup/dev cgroup/skb cgroup_skb/egress cgroup_skb/ingress cgroup/getsockopt cgroup/setsockopt
  cgroup/bind4 cgroup/connect4 cgroup/getpeername4 cgroup/getsockname4 cgroup/bind6 cgroup/connect6 cgroup/getpeername6
  cgroup/getsockname6 cgroup/recvmsg4 cgroup/sendmsg4 cgroup/recvmsg6 cgroup/sendmsg6 cgroup/post_bind4 cgroup/post_bind6
  cgroup/sock_create cgroup/sock cgroup/sock_release cgroup/sysctl freplace+ flow_dissector kprobe+ kretprobe+ ksyscall+ kretsyscall+
  uprobe+ uprobe.s+ uretprobe+ uretprobe.s+ usdt+ kprobe.multi+ kretprobe.multi+ lirc_mode2 lsm_cgroup+ lsm+ lsm.s+
  lwt_in lwt_out lwt_seg6local lwt_xmit perf_event raw_tp.w+ raw_tracepoint.w+ raw_tp+ raw_tracepoint+ action classifier tc
  sk_lookup sk_msg sk_reuseport/migrate sk_reuseport sk_skb sk_skb/stream_parser sk_skb/stream_verdict socket sockops struct_ops+
  syscall tp+ tracepoint+ fmod_ret+ fmod_ret.s+ fentry+ fentry.s+ fexit+ fexit.s+ iter+ iter.s+ tp_btf+
  xdp.frags/cpumap xdp/cpumap xdp.frags/devmap xdp/devmap xdp.frags xdp`
  .trim()
  .split(/\s+/);

type ByName = (name: string, type: number[], attach: number[]) => number;

function libbpf(): ByName | string {
  try {
    const koffi: typeof Koffi = createRequire(import.meta.url)("koffi");
    return koffi
      .load("libbpf.so.1")
      .func("int libbpf_prog_type_by_name(const char *name, _Out_ int *type, _Out_ int *attach)");
  } catch {
    return "there is no libbpf.so.1, or no koffi to call it";
  }
}

const ask = libbpf();
const reason = typeof ask === "string" ? ask : undefined;
if (reason !== undefined) console.log(`properties/object/sections-libbpf skipped: ${reason}`);

function theirs(name: string): unknown {
  if (typeof ask === "string") throw new Error(ask);
  const type = [0];
  const attach = [0];
  if (ask(name, type, attach) !== 0) return undefined;
  return { type: PROGRAM_TYPES[type[0] ?? 0], attach: ATTACH_TYPES[attach[0] ?? 0] };
}

/** libbpf says 0, the first attach type, where there is none. */
function ours(name: string): unknown {
  const meaning = sectionMeaning(name);
  return meaning === undefined
    ? undefined
    : { type: meaning.type, attach: meaning.attach ?? ATTACH_TYPES[0] };
}

describe.skipIf(reason !== undefined)(
  `sections as libbpf takes them${reason === undefined ? "" : ` (skipped: ${reason})`}`,
  () => {
    test.each(DOCUMENTED)("%s", (documented) => {
      const name = documented.replace("+", "");
      expect(theirs(name)).toBeDefined();
      expect(ours(name)).toEqual(theirs(name));
      if (!documented.endsWith("+")) return;
      expect(ours(`${name}/some/thing`)).toEqual(theirs(`${name}/some/thing`));
      expect(sectionMeaning(`${name}/some/thing`)?.target).toBe("some/thing");
    });

    test("names that say nothing", () => {
      for (const name of ["", "xd", "xdpx", "kprobes", "cgroup", "maps", "tpx/y"]) {
        expect([name, ours(name)]).toEqual([name, theirs(name)]);
      }
    });
  },
);

test("sleepable sections, as documented", () => {
  for (const name of [
    "uprobe.s",
    "uretprobe.s",
    "lsm.s",
    "syscall",
    "fmod_ret.s",
    "fentry.s",
    "fexit.s",
    "iter.s",
  ]) {
    expect([name, sectionMeaning(name)?.flags]).toEqual([name, ["sleepable"]]);
  }
  for (const name of ["xdp.frags", "xdp.frags/devmap", "xdp.frags/cpumap"]) {
    expect([name, sectionMeaning(name)?.flags]).toEqual([name, ["xdp_has_frags"]]);
  }
});
