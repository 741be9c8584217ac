/** What attachments keep, and what takes them away: the scenarios that documentation tells (docs/attachments.md). */
import { beforeEach, describe, expect, it } from "vitest";
import {
  ATTACH_TYPES,
  type AttachType,
  PROGRAM_TYPES,
  type ProgramType,
} from "../../semantics/program/program-types.ts";
import type { Operation } from "../operation.ts";
import type { AttributeValue, BpfOperation } from "../operations/bpf.ts";
import { Runtime } from "../runtime.ts";

type Act = Operation extends infer O ? (O extends Operation ? Omit<O, "process"> : never) : never;

const ENOENT = -2;
const EBUSY = -16;
const EEXIST = -17;
const ENOSPC = -28;
const ENOLINK = -67;
const ENOTSUPP = -524;

let runtime = new Runtime();

const answer = (act: Act, process = 1): ReturnType<Runtime["do"]> => runtime.do({ process, ...act });

/** The result of something that succeeds. */
function done(act: Act, process = 1): number {
  const { result } = answer(act, process);
  expect(result).toBeGreaterThanOrEqual(0);
  expect(runtime.audit()).toEqual([]);
  return result;
}

const bpf = (command: BpfOperation["command"], attr: Readonly<Record<string, AttributeValue>>): Act => ({
  do: "bpf",
  command,
  attr,
});
const number = (attach: AttachType): number => ATTACH_TYPES.indexOf(attach);

const load = (type: ProgramType, attach?: AttachType): number =>
  done(
    bpf("prog_load", {
      prog_type: PROGRAM_TYPES.indexOf(type),
      insn_cnt: 2,
      insns: { hex: "b7000000010000009500000000000000" },
      license: { text: "GPL" },
      ...(attach === undefined ? {} : { expected_attach_type: number(attach) }),
    }),
  );

const close = (fd: number, process = 1): number => done({ do: "close", fd }, process);
const programs = (): readonly number[] => runtime.observe().alive.program;
const links = (): readonly number[] => runtime.observe().alive.link;

/** Ids that a query tells. */
function queried(attr: Readonly<Record<string, AttributeValue>>): readonly number[] {
  const { result, out = {} } = answer(
    bpf("prog_query", { count: 16, prog_ids: { hex: "00".repeat(64) }, ...attr }),
  );
  expect(result).toBe(0);
  const bytes = Buffer.from(String(out["prog_ids"] ?? ""), "hex");
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, at) => bytes.readUInt32LE(4 * at)).filter(
    (id) => id !== 0,
  );
}

beforeEach(() => {
  runtime = new Runtime();
  done({ do: "veth_create", first: { name: "a", index: 10 }, second: { name: "b", index: 11 } });
});

describe("XDP", () => {
  it("a device holds its program until it goes, and the other one of its pair goes with it", () => {
    const fd = load("xdp", "xdp");
    done({ do: "xdp_set", index: 10, fd, flags: 0 });
    close(fd);
    expect(programs()).toEqual([1]);
    done({ do: "device_delete", index: 11 });
    expect(programs()).toEqual([]);
  });

  it("a link's program cannot be replaced by netlink, and is away with the link's last descriptor", () => {
    const [fd, other] = [load("xdp", "xdp"), load("xdp", "xdp")];
    const link = done(bpf("link_create", { prog_fd: fd, target_ifindex: 10, attach_type: number("xdp") }));
    expect(answer({ do: "xdp_set", index: 10, fd: other, flags: 0 }).result).toBe(EBUSY);
    close(link);
    expect(answer({ do: "xdp_query", index: 10 }).out).toEqual({ native: 0, generic: 0 });
    done({ do: "xdp_set", index: 10, fd: other, flags: 0 });
  });

  it("a link outlives its device and holds its program, attached to nothing", () => {
    const fd = load("xdp", "xdp");
    const link = done(bpf("link_create", { prog_fd: fd, target_ifindex: 10, attach_type: number("xdp") }));
    close(fd);
    done({ do: "device_delete", index: 10 });
    expect([programs(), links()]).toEqual([[1], [1]]);
    const other = load("xdp", "xdp");
    expect(answer(bpf("link_update", { link_fd: link, new_prog_fd: other })).result).toBe(ENOLINK);
    close(link);
    expect([programs(), links()]).toEqual([[2], []]);
  });
});

describe("traffic control", () => {
  it("a filter outlives the process that made it, and goes with its discipline", () => {
    const child = done({ do: "fork" });
    const fd = load("sched_cls");
    done({ do: "qdisc_create", index: 10, discipline: "clsact", manner: "exclusive" });
    done({
      do: "filter_create",
      index: 10,
      direction: "ingress",
      priority: 1,
      handle: 1,
      fd,
      manner: "exclusive",
    });
    done({ do: "exit" });
    expect(programs()).toEqual([1]);
    done({ do: "qdisc_delete", index: 10, discipline: "clsact" }, child);
    expect(programs()).toEqual([]);
  });

  it("tcx programs are in the order that was asked for", () => {
    const fds = [load("sched_cls"), load("sched_cls"), load("sched_cls")];
    const ingress = { target_ifindex: 10, attach_type: number("tcx_ingress") };
    done(bpf("prog_attach", { ...ingress, attach_bpf_fd: fds[0] ?? -1 }));
    done(bpf("prog_attach", { ...ingress, attach_bpf_fd: fds[1] ?? -1, attach_flags: 8 }));
    done(
      bpf("prog_attach", {
        ...ingress,
        attach_bpf_fd: fds[2] ?? -1,
        attach_flags: 8,
        relative_fd: fds[0] ?? -1,
      }),
    );
    expect(queried(ingress)).toEqual([2, 3, 1]);
  });
});

describe("namespaces", () => {
  it("a network namespace goes with its last process, its devices and what is attached to them", () => {
    const child = done({ do: "fork" });
    done({ do: "unshare_net" }, child);
    done({ do: "veth_create", first: { name: "a", index: 10 }, second: { name: "b", index: 11 } }, child);
    const fd = load("xdp", "xdp");
    const passed = done({ do: "fork" });
    done({ do: "exit" }, passed);
    const theirs = answer(bpf("prog_get_fd_by_id", { id: 1 }), child).result;
    done({ do: "xdp_set", index: 10, fd: theirs, flags: 0 }, child);
    close(fd);
    expect(programs()).toEqual([1]);
    done({ do: "exit" }, child);
    expect(programs()).toEqual([]);
  });
});

describe("sockets", () => {
  it("a socket's filter is held while the socket is in flight", () => {
    const socket = done({ do: "socket" });
    const fd = load("socket_filter");
    done({ do: "setsockopt", fd: socket, option: "attach_bpf", value: fd });
    const { first = 0, second = 0 } = answer({ do: "socketpair" }).out ?? {};
    done({ do: "send", fd: Number(first), fds: [socket] });
    for (const open of [socket, fd, Number(first)]) close(open);
    expect(programs()).toEqual([1]);
    close(Number(second));
    expect(programs()).toEqual([]);
  });
});

describe("cgroups", () => {
  const hook = { attach_type: number("cgroup_inet_ingress") };

  it("what runs is what is attached there and above, where that allows it", () => {
    for (const path of ["a", "a/b"]) done({ do: "cgroup_create", path });
    const [above, below] = ["a", "a/b"].map((path) => done({ do: "cgroup_open", path }));
    const [one, two] = [load("cgroup_skb", "cgroup_inet_ingress"), load("cgroup_skb", "cgroup_inet_ingress")];
    done(bpf("prog_attach", { ...hook, target_fd: above ?? -1, attach_bpf_fd: one, attach_flags: 2 }));
    done(bpf("prog_attach", { ...hook, target_fd: below ?? -1, attach_bpf_fd: two, attach_flags: 2 }));
    expect(queried({ ...hook, target_fd: below ?? -1, query_flags: 1 })).toEqual([2, 1]);
    done({ do: "cgroup_remove", path: "a/b" });
    close(two);
    expect(programs()).toEqual([1]);
  });

  it("a cgroup that does not allow it leaves those below without programs of their own", () => {
    for (const path of ["a", "a/b"]) done({ do: "cgroup_create", path });
    const [above, below] = ["a", "a/b"].map((path) => done({ do: "cgroup_open", path }));
    const fd = load("cgroup_skb", "cgroup_inet_ingress");
    done(bpf("prog_attach", { ...hook, target_fd: above ?? -1, attach_bpf_fd: fd }));
    const EPERM = -1;
    expect(answer(bpf("prog_attach", { ...hook, target_fd: below ?? -1, attach_bpf_fd: fd })).result).toBe(
      EPERM,
    );
  });
});

describe("events", () => {
  it("a link keeps the event that it is attached to, and that the program", () => {
    const event = done({ do: "perf_event_open" });
    const fd = load("perf_event");
    const link = done(
      bpf("link_create", { prog_fd: fd, target_fd: event, attach_type: number("perf_event") }),
    );
    for (const open of [event, fd]) close(open);
    expect([programs(), links()]).toEqual([[1], [1]]);
    close(link);
    expect([programs(), links()]).toEqual([[], []]);
  });
});

describe("tracepoints", () => {
  const event = (): number => done({ do: "perf_event_open", tracepoint: "task/task_newtask" });

  it("an event holds its program until it is closed, and no other event of the tracepoint has it meanwhile", () => {
    const fd = load("tracepoint");
    const [first, second] = [event(), event()];
    done({ do: "perf_event_set_bpf", fd: first, program: fd });
    expect(answer({ do: "perf_event_set_bpf", fd: second, program: fd }).result).toBe(EEXIST);
    done({ do: "perf_event_set_bpf", fd: second, program: load("tracepoint") });
    close(first);
    expect(programs()).toEqual([1, 2]);
    const third = event();
    done({ do: "perf_event_set_bpf", fd: third, program: fd });
    close(fd);
    expect(programs()).toEqual([1, 2]);
    close(third);
    expect(programs()).toEqual([2]);
  });

  it("tell what is attached by a descriptor of another process, and how long a name is that has no room", () => {
    const [first, second] = [event(), event()];
    const fd = load("tracepoint");
    done(bpf("link_create", { prog_fd: fd, target_fd: first, attach_type: number("perf_event") }));
    done({ do: "fork" });
    const query = { pid: 1, fd: first, buf_len: 5, buf: { hex: "ee".repeat(8) } };
    expect(answer(bpf("task_fd_query", query), 2)).toEqual({
      result: ENOSPC,
      out: { buf_len: "task_newtask".length, buf: "7461736b00eeeeee", prog_id: 1, fd_type: 1 },
    });
    expect(answer(bpf("task_fd_query", { pid: 1, fd: second }), 2).result).toBe(ENOENT);
    expect(answer(bpf("task_fd_query", { pid: 1, fd }), 2).result).toBe(ENOTSUPP);
  });
});

describe("netfilter", () => {
  const link = (prog_fd: number, priority: number, flags = 0): Act =>
    bpf("link_create", {
      prog_fd,
      attach_type: number("netfilter"),
      "netfilter.pf": 2,
      "netfilter.priority": priority,
      "netfilter.flags": flags,
    });

  it("a priority is for one program, and defragmentation takes one until the last link that wants it goes", () => {
    const fd = load("netfilter", "netfilter");
    const early = done(link(fd, -400));
    const defrag = done(link(fd, 0, 1));
    expect(answer(link(fd, 0)).result).toBe(EBUSY);
    close(early);
    expect(answer(link(fd, -400)).result).toBe(EBUSY);
    close(defrag);
    done(link(fd, -400));
  });
});
