/** Calls of helpers as assembly, with arguments near the borders of what they take. r6 is the context, also in r1; r9 a map's value; r10-64 and on are data. */
import { fc } from "@fast-check/vitest";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";

export interface HelperCall {
  readonly helper: string;
  /** Up to the call and its result in r0. */
  readonly asm: string;
  readonly maps?: readonly MapDefinition[];
}

export interface CallKind {
  readonly call: fc.Arbitrary<HelperCall>;
  /** The program types that may make it; all if it is not said. */
  readonly types?: readonly ProgramType[];
}

/** Where helpers write, from r9. */
const OUTPUTS = 256;

const CLASSIFIERS: readonly ProgramType[] = ["sched_cls", "sched_act"];
const WRITERS: readonly ProgramType[] = [...CLASSIFIERS, "lwt_xmit"];

type Value = number | bigint;
const imm = (register: number, value: Value): string => `r${register} = ${value} ll`;
const stack = (register: number, at = -64): string => `r${register} = r10\nr${register} += ${at}`;
const output = (register: number): string => `r${register} = r9\nr${register} += ${OUTPUTS}`;

/** A call whose arguments from r2 on are given: numbers, or lines that set the register. */
function call(helper: string, ...given: readonly (Value | string)[]): HelperCall {
  const lines = given.map((value, i) => (typeof value === "string" ? value : imm(i + 2, value)));
  return { helper, asm: [...lines, `call bpf_${helper}`].join("\n") };
}

/** A map of references: what it is called and is, others say. */
const WORDS = { keySize: 4, valueSize: 4, maxEntries: 4, flags: 0 };

/** Two calls with the result of the second. */
const withSecond = (first: HelperCall, { helper, asm }: HelperCall): HelperCall => ({
  helper,
  asm: `${first.asm}\nr1 = r6\n${asm}`,
});

const pick = fc.constantFrom;
const near = (length: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: length });
/** The borders of the buffers of a packet in several. */
const border = pick(3510, 3519, 3520, 7600, 7615, 7616, 8990, 8999);
const offset = fc.oneof(
  pick(0, 1, 12, 13, 14, 16, 18, 24, 34, 40, 50, 54),
  near(130),
  pick<number>(0x7fffffff, 0x80000000, 0xffffffff, 0xfffc),
);
const any16 = fc.oneof(pick(0, 1, 0xffff, 0x8000), fc.integer({ min: 0, max: 0xffff }));
const any32 = fc.oneof(pick(0, 1, 0xffffffff, 0x80000000), fc.integer({ min: 0, max: 0xffffffff }));
const flags = (...often: readonly Value[]): fc.Arbitrary<Value> =>
  fc.oneof(pick(...often), pick<Value>(0, 1, 2, 4, 8, 1n << 32n, 1n << 63n));
const noFlags = fc.oneof(
  { arbitrary: pick<Value>(0), weight: 9 },
  { arbitrary: pick<Value>(1, 1n << 40n), weight: 1 },
);

const mapped = <T>(
  arbitrary: fc.Arbitrary<T>,
  make: (value: T) => HelperCall,
  types?: readonly ProgramType[],
): CallKind => ({
  call: arbitrary.map(make),
  ...(types === undefined ? {} : { types }),
});

const VLAN_PROTOCOLS = [0x0081, 0xa888, 0, 0x0008, 0xdd86];
const ROOM_FLAGS: readonly Value[] = [
  0,
  1,
  2,
  4,
  8,
  0xa,
  0x12,
  0xc,
  0x14,
  0x20,
  0x42 + 0,
  0x44,
  0x80,
  0x100,
  0x180,
  0x200,
  0x6,
  0x1a,
  (14n << 56n) | 0x4an,
  (14n << 56n) | 0x52n,
  (13n << 56n) | 0x4an,
  (200n << 56n) | 2n,
];

const BYTES: readonly CallKind[] = [
  mapped(fc.tuple(offset, pick(1, 2, 4, 8, 14, 20, 64, 200)), ([at, size]) =>
    call("skb_load_bytes", at, output(3), size),
  ),
  mapped(
    fc.tuple(offset, pick(1, 2, 4, 8, 20, 64), pick(0, 1, 1, 0, 2, 0x80000000)),
    ([at, size, start]) => call("skb_load_bytes_relative", at, output(3), size, start),
    [...CLASSIFIERS, "cgroup_skb", "socket_filter"],
  ),
  mapped(
    fc.tuple(offset, pick(1, 2, 4, 6, 8, 20, 64), flags(0, 1, 2, 3)),
    ([at, size, f]) => call("skb_store_bytes", at, stack(3), size, f),
    WRITERS,
  ),
  mapped(fc.tuple(offset), ([size]) => call("skb_pull_data", size), [...WRITERS, "lwt_in", "lwt_out"]),
  mapped(
    fc.tuple(pick(3, 4), offset, any32, any32, flags(0, 2, 4, 0x12, 0x14, 0x22, 0x32, 0x62, 0x72, 0x92)),
    ([layer, at, from, to, f]) => call(`l${layer}_csum_replace`, at, from, to, f),
    WRITERS,
  ),
  mapped(
    fc.tuple(pick(0, 4, 8, 20), pick(0, 4, 8, 32), any32),
    ([from, to, seed]) => ({
      helper: "csum_diff",
      asm: `${stack(1)}\n${imm(2, from)}\n${stack(3, -48)}\n${imm(4, to)}\n${imm(5, seed)}\ncall bpf_csum_diff`,
    }),
    WRITERS,
  ),
  mapped(any32, (sum) => call("csum_update", sum), WRITERS),
  mapped(pick<Value>(0, 0, 1, 1, 2, 3, 4, 1n << 32n), (level) => call("csum_level", level), WRITERS),
  mapped(
    fc.tuple(pick(...VLAN_PROTOCOLS), any16),
    ([protocol, tci]) => call("skb_vlan_push", protocol, tci),
    CLASSIFIERS,
  ),
  mapped(fc.constant(0), () => call("skb_vlan_pop"), CLASSIFIERS),
  mapped(
    fc.tuple(fc.oneof(offset, pick(16064, 16065, 5000)), noFlags),
    ([size, f]) => call("skb_change_tail", size, f),
    WRITERS,
  ),
  mapped(
    fc.tuple(
      fc.oneof(pick(0, 4, 8, 14, 20, 40, 64, 15900, 16000), near(130), pick(0xffffffff, 0x80000000)),
      noFlags,
    ),
    ([size, f]) => call("skb_change_head", size, f),
    WRITERS,
  ),
  mapped(pick(0, 1, 2, 3, 4, 5, 0xffffffff), (type) => call("skb_change_type", type), CLASSIFIERS),
  mapped(
    fc.tuple(pick(0x0008, 0xdd86, 0x0081, 0), noFlags),
    ([protocol, f]) => call("skb_change_proto", protocol, f),
    CLASSIFIERS,
  ),
  mapped(
    fc.tuple(
      fc.oneof(
        pick(0, 4, 8, 20, 28, 40, 50, -4, -8, -20, -40, 4095, 4096, -4095, -4096, -0x80000000),
        fc.integer({ min: -80, max: 80 }),
      ),
      pick(0, 0, 1, 1, 2),
      fc.oneof(pick<Value>(0, 0x20), pick(...ROOM_FLAGS)),
    ),
    ([size, mode, f]) => call("skb_adjust_room", size, mode, f),
    CLASSIFIERS,
  ),
];

const GROUPS: MapDefinition = { ...WORDS, name: "cgroups", type: "cgroup_array" };

/** The ids of control groups are the kernel's own, but for the root's. */
const ancestor = (level: number): HelperCall => call("skb_ancestor_cgroup_id", level);

/** Calls about a socket buffer that are not about its bytes. */
const FACTS: readonly CallKind[] = [
  mapped(any32, (hash) => call("set_hash", hash), CLASSIFIERS),
  mapped(fc.constant(0), () => call("set_hash_invalid"), WRITERS),
  // A hash that Linux computes is a number that nobody else can know, but what was set is told.
  mapped(any32, (hash) => withSecond(call("set_hash", hash), call("get_hash_recalc")), CLASSIFIERS),
  mapped(
    fc.constant(0),
    () => ({
      helper: "get_hash_recalc",
      asm: `call bpf_get_hash_recalc\nr7 = r0\nr2 = *(u32 *)(r6 +68)\nr7 -= r2\nr1 = r6\ncall bpf_set_hash_invalid\nr0 = r7`,
    }),
    WRITERS,
  ),
  mapped(
    fc.tuple(fc.oneof(pick<Value>(0, 1, 1n << 63n), any32), pick(0, 0, 1, 2, 3, 0xffffffff)),
    ([time, clock]) => call("skb_set_tstamp", time, clock),
    CLASSIFIERS,
  ),
  mapped(fc.constant(0), () => call("skb_ecn_set_ce"), ["cgroup_skb"]),
  mapped(fc.constant(0), () => call("get_route_realm"), [...WRITERS]),
  mapped(fc.constant(0), () => call("get_cgroup_classid")),
  mapped(fc.constant(0), () => call("get_socket_uid"), [...CLASSIFIERS, "cgroup_skb"]),
  mapped(fc.constant(0), () => call("skb_cgroup_classid"), CLASSIFIERS),
  mapped(pick(-1, 0, 0, 40), (level) => ancestor(level), [...CLASSIFIERS, "cgroup_skb"]),
  mapped(
    pick(0, 3, 4, 0xffffffff),
    (index) => ({ ...call("skb_under_cgroup", "r2 = map[cgroups]", index), maps: [GROUPS] }),
    WRITERS,
  ),
];

/** Fields of the packet's socket, which a test run makes. */
const SOCKET: CallKind = mapped(
  pick(0, 4, 8, 12, 24, 28, 40, 44, 48, 52, 56, 68, 72),
  (field) => ({
    helper: "sk_fullsock",
    asm: `r1 = *(u64 *)(r6 +168)
r0 = -1
if r1 == 0 goto pc+3
call bpf_sk_fullsock
if r0 == 0 goto pc+1
r0 = *(u32 *)(r0 +${field})`,
  }),
  [...CLASSIFIERS, "cgroup_skb"],
);

const TUNNEL_KEY_SIZES = [44, 44, 44, 28, 24, 22, 8, 4, 43];

/** The key that is set is zeros but for some bytes: what lies on the stack would mostly be refused. */
const tunnelKey = fc
  .record({
    id: any32,
    remote: any32,
    local: any32,
    tos: any16,
    label: pick(0, 0, 5, 0xffffffff),
    flags: pick(0, 0, 0, 1),
  })
  .map(({ id, remote, local, tos, label, flags: f }) =>
    [
      ...Array.from({ length: 6 }, (_, i) => `*(u64 *)(r10 ${-112 + 8 * i}) = 0`),
      ...[
        [id, -112],
        [remote, -108],
        [tos + (f << 16), -92],
        [label, -88],
        [local, -84],
      ].map(([value = 0, at]) => `r2 = ${value} ll\n*(u32 *)(r10 ${at}) = r2`),
    ].join("\n"),
  );

const TUNNELS: readonly CallKind[] = [
  mapped(
    fc.tuple(tunnelKey, pick(...TUNNEL_KEY_SIZES), flags(0, 1, 2, 4, 6, 0x10, 0x11, 8)),
    ([key, size, f]) => {
      const set = call("skb_set_tunnel_key", stack(2, -112), size, f);
      return { ...set, asm: `${key}\nr1 = r6\n${set.asm}` };
    },
    WRITERS,
  ),
  mapped(
    fc.tuple(pick(...TUNNEL_KEY_SIZES), flags(0, 1, 0x10, 0x11)),
    ([size, f]) => call("skb_get_tunnel_key", output(2), size, f),
    WRITERS,
  ),
  mapped(pick(4, 8, 6, 64), (size) => call("skb_set_tunnel_opt", stack(2), size), WRITERS),
  mapped(pick(4, 8, 6, 64, 200), (size) => call("skb_get_tunnel_opt", output(2), size), WRITERS),
];

/** The loopback device, and numbers that no device has. */
const ifindex = pick(0, 1, 1, 1, 77_777, 0xffffffff);

const mtu = mapped(
  fc.tuple(
    ifindex,
    pick(0, 0, 14, 1500, 65_535, 65_536, 65_537, 0x7fffffff, 0xffffffff),
    pick(0, 0, 1, -1, -200, 65_500, 0x7fffffff, -0x80000000),
    flags(0, 0, 1),
  ),
  ([device, length, difference, f]) => {
    const check = call("check_mtu", device, output(3), difference, f);
    return { ...check, asm: `r2 = ${length} ll\n*(u32 *)(r9 +${OUTPUTS}) = r2\n${check.asm}` };
  },
);

/** Arguments that are not preceded by the context. */
const plain = (helper: string, ...given: readonly (Value | string)[]): HelperCall => ({
  helper,
  asm: [
    ...given.map((value, i) => (typeof value === "string" ? value : imm(i + 1, value))),
    `call bpf_${helper}`,
  ].join("\n"),
});

const REDIRECTS: readonly CallKind[] = [
  mapped(fc.tuple(ifindex, flags(0, 1)), ([device, f]) => plain("redirect", device, f), WRITERS),
  mapped(fc.tuple(ifindex, noFlags), ([device, f]) => plain("redirect_peer", device, f), CLASSIFIERS),
  mapped(
    fc.tuple(ifindex, pick(0, 4, 19, 20, 24), noFlags),
    ([device, size, f]) => plain("redirect_neigh", device, size === 0 ? "r2 = 0" : stack(2), size, f),
    CLASSIFIERS,
  ),
];

/** All calls that programs on socket buffers may make. Clones are really sent, so they are left to who wants them. */
export const SOCKET_BUFFER_CALLS: readonly CallKind[] = [
  ...BYTES,
  ...FACTS,
  SOCKET,
  ...TUNNELS,
  ...REDIRECTS,
  { ...mtu, types: CLASSIFIERS },
];

/** Devices that `NETWORK` has, up and down, and one that it has not. */
const target = pick(1, 10, 10, 40, 99);

/** Clones, and what changes what is cloned. */
export const CLONE_CALLS: readonly CallKind[] = [
  ...Array.from({ length: 12 }, () =>
    mapped(fc.tuple(target, flags(0, 0, 1)), ([ifindex, f]) => call("clone_redirect", ifindex, f), WRITERS),
  ),
  ...BYTES,
];

const delta = fc.oneof(
  pick(0, 1, -1, 4, -4, 8, 14, 20, -20, 32, -32, 50, 64, 66, -200, -216, -217, -256, -0x80000000, 0x7fffffff),
  fc.integer({ min: -300, max: 300 }),
  pick(3000, 3400, 3500, 2712, 2713, -480, -481, -1383, -1384, -1385, -5480, -5481, -8986, -8987),
);

const RESIZING = ["xdp_adjust_head", "xdp_adjust_tail", "xdp_adjust_meta"];

const reference = (type: "devmap" | "devmap_hash" | "cpumap"): MapDefinition => ({
  ...WORDS,
  name: type,
  type,
});

export const XDP_CALLS: readonly CallKind[] = [
  ...RESIZING.map((helper) => mapped(delta, (by) => call(helper, by))),
  mapped(fc.tuple(fc.oneof(offset, border), pick(1, 2, 8, 14, 20, 64, 200)), ([at, size]) =>
    call("xdp_load_bytes", at, output(3), size),
  ),
  mapped(fc.tuple(fc.oneof(offset, border), pick(1, 2, 6, 8, 20, 64)), ([at, size]) =>
    call("xdp_store_bytes", at, stack(3), size),
  ),
  mapped(fc.constant(0), () => call("xdp_get_buff_len")),
  mapped(fc.tuple(ifindex, flags(0, 0, 1)), ([device, f]) => plain("redirect", device, f)),
  mapped(
    fc.tuple(
      pick<"devmap" | "devmap_hash" | "cpumap">("devmap", "devmap_hash", "cpumap"),
      pick<Value>(0, 1, 2, 3, 4, 5, 0xffffffff, (1n << 32n) + 1n),
      flags(0, 1, 2, 3, 8, 0x18, 0x10, 0xb, 0x20),
    ),
    ([type, key, f]) => ({ ...plain("redirect_map", `r1 = map[${type}]`, key, f), maps: [reference(type)] }),
  ),
  mtu,
];
