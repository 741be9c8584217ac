/** Operations of each area of attachments, with how often they come. */
import { close, everywhere, links, programs, type Weighted } from "./attachment-acts.ts";
import type { AttachmentDraw } from "./attachment-draw.ts";
import { type Act, bpf, EMPTY, HOLE, number, PATHS, XDP_FLAGS } from "./attachment-scenes.ts";

function devices(draw: AttachmentDraw): Weighted {
  return [
    [2, () => pair(draw)],
    [0.6, () => ({ do: "device_delete", index: draw.index() })],
    [0.3, () => ({ do: "device_move", index: draw.index(), fd: draw.fd("netns") })],
    ...namespaces(draw),
  ];
}

function pair(draw: AttachmentDraw): Act {
  const [first, second, index] = draw.once(2) ? (["a", "b", 10] as const) : (["c", "d", 12] as const);
  const peer = { name: draw.once(12) ? "a" : second, index: draw.once(12) ? 10 : index + 1 };
  return { do: "veth_create", first: { name: first, index }, second: peer };
}

function namespaces(draw: AttachmentDraw): Weighted {
  return [
    [0.4, () => ({ do: "netns_open" })],
    [0.2, () => ({ do: "unshare_net" })],
    [0.3, () => ({ do: "netns_enter", fd: draw.fd("netns") })],
  ];
}

function xdp(draw: AttachmentDraw): Weighted {
  return [
    [
      4,
      () => {
        const flags = draw.once(10) ? draw.below(40) : draw.of(XDP_FLAGS);
        const expected =
          (flags & 16) !== 0 || draw.once(20) ? { expected_fd: draw.once(3) ? -1 : draw.fd("program") } : {};
        return {
          do: "xdp_set",
          index: draw.index(),
          fd: draw.once(3) ? -1 : draw.fd("program"),
          flags,
          ...expected,
        };
      },
    ],
    [3, () => ({ do: "xdp_query", index: draw.index() })],
  ];
}

function traffic(draw: AttachmentDraw): Weighted {
  const discipline = (): "clsact" | "ingress" => (draw.once(5) ? "ingress" : "clsact");
  const manner = (): "exclusive" | "create" | "change" =>
    draw.of(["exclusive", "create", "create", "change"]);
  const direction = (): "ingress" | "egress" => draw.of(["ingress", "egress"]);
  const place = () => ({
    index: draw.index(),
    direction: direction(),
    priority: draw.of([0, 1, 1, 2, 3]),
    handle: draw.of([0, 0, 1, 2, 3]),
  });
  return [
    [1, () => ({ do: "qdisc_create", index: draw.index(), discipline: discipline(), manner: manner() })],
    [0.3, () => ({ do: "qdisc_delete", index: draw.index(), discipline: discipline() })],
    [
      6,
      () => ({
        do: "filter_create",
        ...place(),
        fd: draw.fd("program"),
        manner: manner(),
        ...(draw.once(4) ? { class: draw.of([0, 0x1_0001]) } : {}),
      }),
    ],
    [2, () => ({ do: "filter_delete", ...place() })],
    [4, () => ({ do: "filter_query", index: draw.index(), direction: direction() })],
  ];
}

function netfilter(draw: AttachmentDraw): Weighted {
  const place = () => ({
    "netfilter.pf": draw.once(16) ? draw.below(13) : draw.of([2, 2, 2, 10]),
    "netfilter.hooknum": draw.once(16) ? draw.below(8) : draw.of([0, 3]),
    "netfilter.priority": draw.once(16) ? draw.of([-0x8000_0000, 0x7fff_ffff]) : draw.of([-400, -399, 0]),
    "netfilter.flags": draw.once(16) ? draw.below(4) : draw.of([0, 0, 1]),
  });
  return [
    [
      12,
      () =>
        bpf("link_create", {
          prog_fd: draw.once(8) ? draw.fd("program") : draw.of([0, 1, 2]),
          attach_type: draw.once(16) ? draw.attach() : number("netfilter"),
          flags: draw.once(20) ? 1 : 0,
          ...place(),
        }),
    ],
    ...namespaces(draw),
  ];
}

function cgroups(draw: AttachmentDraw): Weighted {
  return [
    [3, () => ({ do: "cgroup_create", path: draw.of(PATHS) })],
    [0.5, () => ({ do: "cgroup_remove", path: draw.of(PATHS) })],
    [3, () => ({ do: "cgroup_open", path: draw.of(["", ...PATHS]) })],
  ];
}

/** Elements of maps of devices and processors: a number, and a program's descriptor. */
function elements(draw: AttachmentDraw): Weighted {
  const key = () => ({ hex: `0${draw.below(5)}000000` });
  const byte = (value: number): string => value.toString(16).padStart(2, "0");
  const value = () => {
    const program = draw.once(3) ? 0 : draw.fd("program");
    const target = draw.once(8) ? 0 : draw.index();
    return { hex: `${byte(target)}000000${program < 0 ? "ffffffff" : `${byte(program)}000000`}` };
  };
  return [
    [
      10,
      () =>
        bpf("map_update_elem", {
          map_fd: draw.fd("map"),
          key: key(),
          value: value(),
          flags: draw.of([0, 0, 0, 1, 2]),
        }),
    ],
    [2, () => bpf("map_delete_elem", { map_fd: draw.fd("map"), key: key() })],
    [2, () => bpf("map_get_next_key", { map_fd: draw.fd("map"), key: key(), next_key: { hex: "00000000" } })],
  ];
}

function sockets(draw: AttachmentDraw): Weighted {
  const option = (name: "attach_bpf" | "attach_reuseport_ebpf", value: number): Act => ({
    do: "setsockopt",
    fd: draw.fd("socket"),
    option: name,
    value,
  });
  const plain = [
    "reuseport",
    "detach_filter",
    "attach_filter",
    "attach_reuseport_cbpf",
    "detach_reuseport_bpf",
  ] as const;
  return [
    [3, () => ({ do: "socket" })],
    [1, () => ({ do: "socket_bind", fd: draw.fd("socket") })],
    [6, () => option("attach_bpf", draw.fd("program"))],
    [4, () => option("attach_reuseport_ebpf", draw.fd("program"))],
    [7, () => ({ do: "setsockopt", fd: draw.fd("socket"), option: draw.of(plain), value: draw.below(2) })],
    [
      1,
      () => ({
        do: "setsockopt",
        fd: draw.fd("socket"),
        option: "lock_filter",
        value: draw.once(4) ? 1 : 0,
      }),
    ],
    [1, () => ({ do: "socketpair" })],
    [2, () => ({ do: "send", fd: draw.fd("socket"), fds: [draw.fd("socket", "program")] })],
    [1, () => ({ do: "receive", fd: draw.fd("socket") })],
  ];
}

function sharing(draw: AttachmentDraw, value: number): Act {
  const udp = draw.open.filter(({ kind }) => kind === "socket");
  return { do: "setsockopt", fd: udp[0]?.fd ?? 0, option: "reuseport", value };
}

/** Elements of socket maps: sockets by their descriptors. */
function mappedSockets(draw: AttachmentDraw): Weighted {
  const key = () => ({ hex: `0${draw.below(5)}000000` });
  const value = () => {
    const fd = draw.once(8) ? draw.fd() : draw.fd("socket");
    return { hex: fd < 0 ? "ffffffff" : `${fd.toString(16).padStart(2, "0")}000000` };
  };
  const wide = () => ({ hex: `${value().hex}00000000` });
  return [
    [1, () => ({ do: "socket" })],
    [2, () => ({ do: "socket_bind", fd: draw.fd("socket") })],
    [1, () => sharing(draw, draw.below(3) === 0 ? 0 : 1)],
    [1, () => ({ do: "socketpair" })],
    [1, () => ({ do: "close", fd: draw.fd("socket") })],
    [
      8,
      () =>
        bpf("map_update_elem", {
          map_fd: draw.fd("map"),
          key: key(),
          value: wide(),
          flags: draw.of([0, 0, 0, 1, 2, 3]),
        }),
    ],
    [2, () => bpf("map_delete_elem", { map_fd: draw.fd("map"), key: key() })],
    [2, () => bpf("map_lookup_elem", { map_fd: draw.fd("map"), key: key(), value: EMPTY })],
    [
      1,
      () =>
        bpf("map_get_next_key", {
          map_fd: draw.of([5, 6, 7, 8]),
          key: key(),
          next_key: { hex: "00000000" },
        }),
    ],
  ];
}

/** What a descriptor of some process is attached to, with room for its name or not. */
const attachmentQuery = (draw: AttachmentDraw): Act =>
  bpf("task_fd_query", {
    pid: draw.once(6) ? draw.of([2, 3]) : draw.process,
    fd: draw.once(6) ? draw.fd() : draw.fd("link", "perf_event"),
    ...(draw.once(6) ? {} : { buf_len: draw.of([1, 12, 14, 18, 64]) }),
    ...(draw.once(6) ? {} : { buf: draw.once(5) ? HOLE : EMPTY }),
    flags: draw.once(20) ? 1 : 0,
  });

/** What is told of a link that has a name, where there is no memory for that, or an address or a length alone; and what is not told of. */
function namedLink(draw: AttachmentDraw, links: readonly number[]): Act {
  const info = Buffer.alloc(64).fill(draw.once(3) ? 0xff : 0, 36);
  const at = draw.of([16, 24]);
  if (!draw.once(3)) info.writeUInt32LE(HOLE, at);
  if (!draw.once(3)) info.writeUInt32LE(draw.of([1, 12, 40]), at + 8);
  return bpf("obj_get_info_by_fd", {
    bpf_fd: draw.of(links),
    info_len: 64,
    info: { hex: info.toString("hex") },
  });
}

function events(draw: AttachmentDraw): Weighted {
  const names = ["sys_enter", "sched_switch", "sys_exit", ""];
  // The first programs are there mostly: those of events, those of tracepoints.
  const suitable = [0, 1, 5, 6, 5, 6, draw.fd("program")];
  const links = draw.open.filter(({ kind }) => kind === "link").map(({ fd }) => fd);
  return [
    [1.5, () => ({ do: "perf_event_open" })],
    [
      3,
      () => ({
        do: "perf_event_open",
        tracepoint: draw.of(["sched/sched_process_exec", "task/task_newtask", "syscalls/sys_enter_acct"]),
      }),
    ],
    [3, () => attachmentQuery(draw)],
    ...(links.length === 0 ? [] : [[1, () => namedLink(draw, links)] as const]),
    [6, () => ({ do: "perf_event_set_bpf", fd: draw.fd("perf_event"), program: draw.of(suitable) })],
    [
      2,
      () =>
        bpf("link_create", {
          prog_fd: draw.of(suitable),
          attach_type: number("perf_event"),
          target_fd: draw.fd("perf_event"),
        }),
    ],
    [1, () => ({ do: "close", fd: draw.fd("perf_event") })],
    [
      4,
      () => {
        const name = draw.once(10) ? (draw.once(2) ? 0 : HOLE) : { text: draw.of(names) };
        return bpf("raw_tracepoint_open", { prog_fd: draw.fd("program"), name });
      },
    ],
    [1, () => bpf("iter_create", { link_fd: draw.fd("link"), flags: draw.once(8) ? 1 : 0 })],
  ];
}

/** What is drawn from in the area of a draw. */
function actsOf(draw: AttachmentDraw): Weighted {
  switch (draw.area) {
    case "xdp":
      return [...everywhere(draw), ...links(draw), ...programs(draw), ...devices(draw), ...xdp(draw)];
    case "tcx":
      return [
        ...everywhere(draw),
        ...links(draw),
        ...programs(draw),
        ...devices(draw),
        ...traffic(draw).slice(0, 2),
      ];
    case "tc":
      return [...everywhere(draw), ...devices(draw), ...traffic(draw)];
    case "cgroup":
      return [...everywhere(draw), ...links(draw), ...programs(draw), ...cgroups(draw)];
    case "socket":
      return [...everywhere(draw), ...sockets(draw)];
    case "netns":
      return [...everywhere(draw), ...links(draw), ...programs(draw), ...namespaces(draw)];
    case "socket_map":
      return [...everywhere(draw), ...links(draw), ...programs(draw), ...mappedSockets(draw)];
    case "device_map":
      return [...everywhere(draw), ...devices(draw), ...elements(draw)];
    case "event":
      return [...everywhere(draw), ...links(draw), ...events(draw)];
    case "netfilter":
      return [...everywhere(draw), ...links(draw), ...programs(draw), ...netfilter(draw)];
  }
}

/** One operation of the area. */
export function drawAct(draw: AttachmentDraw): Act {
  const acts = actsOf(draw);
  const total = acts.reduce((sum, [weight]) => sum + weight, 0);
  let at = (draw.below(0x1_0000) / 0x1_0000) * total;
  for (const [weight, make] of acts) {
    if (at < weight) return make();
    at -= weight;
  }
  return close(draw);
}
