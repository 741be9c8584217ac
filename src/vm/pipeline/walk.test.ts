/** Where packets go, case by case. What the kernel does in each was tried on Linux 6.18; `properties/machine/pipeline-kernel.test.ts` draws many more. */
import { describe, expect, it } from "vitest";
import { Unsupported } from "../../semantics/errors.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import type { ProgramType } from "../../semantics/program/program-types.ts";
import { Machine } from "../machine.ts";
import { frame, map, program } from "../testing.ts";
import type { Classifier, Device, Pipeline } from "./device.ts";
import { exitName } from "./exit.ts";
import { type Course, walk } from "./walk.ts";

const NONE = { tcx: [], clsact: [] };
const ADDRESS = Uint8Array.of(2, 0, 0, 0, 0, 1);
const FRAME = frame(64);

const machine = (type: ProgramType, asm: string, maps: readonly MapDefinition[] = []): Machine =>
  new Machine(program(type, asm, maps));
const returns = (type: ProgramType, value: number): Machine => machine(type, `r0 = ${value}\nexit`);

/** A classifier that acts itself, and one that has actions do so. */
const direct = (value: number): Classifier => ({
  machine: returns("sched_cls", value),
  direct: true,
  classid: 0,
  actions: [],
});

function device(name: string, ifindex: number, rest: Partial<Device> = {}): Device {
  return { name, ifindex, address: ADDRESS, mtu: 1500, xdp: {}, ingress: NONE, egress: NONE, ...rest };
}

function course(
  devices: readonly Device[],
  sockets: Pipeline["sockets"] = [],
  bytes: Uint8Array = FRAME,
  direction: "receive" | "transmit" = "receive",
): Course {
  return walk({ devices, sockets }, { device: devices[0]?.name ?? "", direction }, bytes, {});
}

const exits = (...given: Parameters<typeof course>): readonly string[] =>
  course(...given).exits.map(exitName);

const ingress = (...clsact: readonly Classifier[]): Partial<Device> => ({ ingress: { tcx: [], clsact } });

/** Shortens the packet's front by one byte more than those before, so that their order can be seen. */
const cut = (count: number): Machine =>
  machine("xdp", `r2 = ${count}\ncall bpf_xdp_adjust_head\nr0 = 2\nexit`);

describe("XDP", () => {
  it("runs on the device, then in the driver, then on a socket buffer", () => {
    const drops = returns("xdp", 1);
    const passes = cut(1);
    const by = (xdp: Device["xdp"]): readonly string[] => exits([device("a", 2, { xdp })]);
    expect(by({ offloaded: drops, native: passes })).toEqual(["a: dropped, xdp offloaded by test"]);
    expect(by({ offloaded: passes, native: drops })).toEqual(["a: dropped, xdp native by test"]);
    expect(by({ offloaded: passes, generic: drops })).toEqual(["a: dropped, xdp generic by test"]);
    const [exit] = course([device("a", 2, { xdp: { offloaded: passes, native: passes } })]).exits;
    expect(exit).toMatchObject({ kind: "stack", at: "a", length: 62 });
  });

  it.each([0, 5, 0xffff_ffff])("%d is an exception", (value) => {
    const { exits, events } = course([device("a", 2, { xdp: { native: returns("xdp", value | 0) } })]);
    expect(exits).toMatchObject([{ kind: "aborted", value }]);
    expect(events).toEqual([{ event: "xdp:xdp_exception", program: "test", act: value, ifindex: 2 }]);
  });

  it("sends back past egress programs", () => {
    const egress = { tcx: [returns("sched_cls", 2)], clsact: [] };
    expect(exits([device("a", 2, { xdp: { native: returns("xdp", 3) }, egress })])).toEqual(["a: wire"]);
    expect(exits([device("a", 2, { xdp: { generic: returns("xdp", 3) }, egress })])).toEqual(["a: wire"]);
  });

  it("reaches a peer's driver if that has been set up for frames", () => {
    const a = device("a", 2, { peer: "b", xdp: { native: returns("xdp", 3) } });
    expect(exits([a, device("b", 3, { peer: "a" })])).toEqual([
      "b: lost, xdp native: the peer's driver takes no frames",
    ]);
    const b = device("b", 3, { peer: "a", xdp: { native: returns("xdp", 2) } });
    expect(exits([a, b])).toEqual(["b: network stack"]);
  });

  it("redirects by number and by map", () => {
    const to = (ifindex: number): Machine =>
      machine("xdp", `r1 = ${ifindex}\nr2 = 0\ncall bpf_redirect\nexit`);
    const b = device("b", 3);
    expect(exits([device("a", 2, { xdp: { native: to(3) } }), b])).toEqual(["b: wire"]);
    expect(exits([device("a", 2, { xdp: { native: to(9) } }), b])).toEqual([
      "a: lost, xdp native: redirected to no device",
    ]);
    const none = returns("xdp", 4);
    expect(exits([device("a", 2, { xdp: { native: none } }), b])).toEqual([
      "a: lost, xdp native: redirected nowhere",
    ]);
  });
});

describe("traffic control", () => {
  it.each([
    [0, "a: network stack"],
    [1, "a: network stack"],
    [2, "a: dropped, clsact ingress by test"],
    [3, "a: network stack"],
    [4, "a: consumed, clsact ingress by test"],
    [5, "a: network stack"],
    [6, "a: network stack"],
    [7, "a: lost, clsact ingress: redirected nowhere"],
    [8, "a: consumed, clsact ingress by test"],
    [9, "a: network stack"],
    [-1, "a: network stack"],
  ])("a classifier that acts itself and returns %d", (value, exit) => {
    expect(exits([device("a", 2, ingress(direct(value)))])).toEqual([exit]);
    const drops = direct(2);
    const asked = exit.endsWith("stack") && value !== 0;
    expect(exits([device("a", 2, ingress(direct(value), drops))])).toEqual([
      asked ? "a: dropped, clsact ingress by test" : exit,
    ]);
  });

  it.each([
    [-1, true],
    [0, false],
    [1, true],
    [3, true],
    [100, true],
  ])("after a program at tcx that returns %d clsact is asked: %s", (value, asked) => {
    const tcx = [returns("sched_cls", value)];
    const way = { tcx, clsact: [direct(2)] };
    expect(exits([device("a", 2, { ingress: way })])).toEqual([
      asked ? "a: dropped, clsact ingress by test" : "a: network stack",
    ]);
    const both = { tcx: [...tcx, returns("sched_cls", 2)], clsact: [] };
    expect(exits([device("a", 2, { ingress: both })])).toEqual([
      value === -1 ? "a: dropped, tcx ingress by test" : "a: network stack",
    ]);
  });

  // Actions: tc-actions(8), tc-bpf(8) and linux/pkt_cls.h; the kernels at hand have none.
  it.each([
    [["pipe", "shot"], "dropped"],
    [["pipe"], "stack"],
    [["ok", "shot"], "stack"],
    [["stolen"], "consumed"],
    [["unspec"], "dropped"],
    [["reclassify"], "dropped"],
  ] as const)("actions %j", (names, kind) => {
    const verdicts = { ok: 0, reclassify: 1, shot: 2, pipe: 3, stolen: 4, unspec: 0xffff_ffff };
    const actions = names.map((name) => ({ kind: "verdict", verdict: verdicts[name] }) as const);
    const matches = { ...direct(-1), direct: false, actions };
    const { exits } = course([device("a", 2, ingress(matches, direct(2)))]);
    expect(exits).toMatchObject([{ kind }]);
  });

  it("a packet's class", () => {
    const classified: Classifier = { ...direct(0), classid: 0x10042 };
    const reads = machine("socket_filter", "r0 = *(u32 *)(r1 +44)\nexit");
    const socket = { name: "s", device: "a", protocol: 0x88b5, filter: reads };
    expect(course([device("a", 2, ingress(classified))], [socket]).exits[0]).toMatchObject({
      kind: "socket",
      frame: FRAME.subarray(0, 0x42),
    });
  });

  it("ends where programs send to each other for ever", () => {
    const back = machine("sched_cls", "r1 = 2\nr2 = 1\ncall bpf_redirect\nexit");
    const again: Classifier = { ...direct(0), machine: back };
    expect(exits([device("a", 2, ingress(again))])).toEqual(["a: lost, a loop: 64 devices passed"]);
    const out: Classifier = {
      ...direct(0),
      machine: machine("sched_cls", "r1 = 2\nr2 = 0\ncall bpf_redirect\nexit"),
    };
    const sending = device("a", 2, { egress: { tcx: [], clsact: [out] } });
    expect(exits([sending], [], FRAME, "transmit")).toEqual([
      "a: lost, more than 8 devices send through each other",
    ]);
  });

  it("does not guess what Linux remembers", () => {
    const forgets = machine("xdp", "r1 = 3\nr2 = 0\ncall bpf_redirect\nr0 = 2\nexit");
    const uses = device("a", 2, { xdp: { native: forgets }, ...ingress(direct(7)) });
    expect(() => exits([uses, device("b", 3)])).toThrow(Unsupported);
  });
});

describe("packet sockets", () => {
  const keeps = (count: number): Machine => returns("socket_filter", count);
  const tagged = Uint8Array.from([...FRAME.subarray(0, 12), 0x81, 0, 0x20, 5, ...FRAME.subarray(12)]);

  it("of all protocols come before traffic control, of one after it", () => {
    const sockets = [
      { name: "all", device: "a", protocol: "all" },
      { name: "one", device: "a", protocol: 0x88b5 },
      { name: "other", device: "a", protocol: 0x800 },
    ] as const;
    expect(exits([device("a", 2)], sockets)).toEqual(["socket all", "socket one", "a: network stack"]);
    expect(exits([device("a", 2, ingress(direct(2)))], sockets)).toEqual([
      "socket all",
      "a: dropped, clsact ingress by test",
    ]);
  });

  it.each([
    [0, []],
    [20, [20]],
    [-1, [64]],
  ])("a filter that returns %d", (count, lengths) => {
    const socket = { name: "s", device: "a", protocol: "all", filter: keeps(count) } as const;
    const got = course([device("a", 2)], [socket]).exits.filter(({ kind }) => kind === "socket");
    expect(got.map(({ frame }) => frame.length)).toEqual(lengths);
    expect(got.every(({ length }) => length === 64)).toBe(true);
  });

  it("see a VLAN tag beside the frame before traffic control, and none after it", () => {
    const sockets = [
      { name: "all", device: "a", protocol: "all" },
      { name: "one", device: "a", protocol: 0x88b5 },
    ] as const;
    const [all, one] = course([device("a", 2)], sockets, tagged).exits;
    expect(all).toMatchObject({ frame: FRAME, vlan: { protocol: 0x8100, tci: 0x2005 } });
    expect(one).toMatchObject({ frame: FRAME });
    expect(one?.vlan).toBeUndefined();
  });

  it("take metadata along if a program may write", () => {
    const meta = machine("xdp", "r2 = -4\ncall bpf_xdp_adjust_meta\nr0 = 2\nexit");
    const reads = machine(
      "sched_cls",
      "r2 = *(u32 *)(r1 +140)\nr3 = *(u32 *)(r1 +76)\nr0 = 0\nr2 += 4\nif r2 > r3 goto +1\nr0 = 2\nexit",
    );
    const a = device("a", 2, { xdp: { native: meta }, ingress: { tcx: [reads], clsact: [] } });
    expect(exits([a])).toEqual(["a: dropped, tcx ingress by test"]);
    expect(() => exits([a], [{ name: "s", device: "a", protocol: "all" }])).toThrow(Unsupported);
  });
});

describe("maps of devices", () => {
  const byMap = (type: "devmap" | "cpumap"): Device => {
    const definition = map(type, { valueSize: 4, maxEntries: 2 });
    const sends = machine("xdp", "r1 = map[m]\nr2 = 0\nr3 = 0\ncall bpf_redirect_map\nexit", [definition]);
    const [storage] = sends.maps;
    if (storage?.kind !== "devices") throw new Error("a map of devices");
    expect(storage.update(new Uint8Array(4), Uint8Array.of(3, 0, 0, 0))).toBe(0);
    return device("a", 2, { xdp: { native: sends } });
  };

  it("send to a device, or to a processor that goes on", () => {
    expect(exits([byMap("devmap"), device("b", 3)])).toEqual(["b: wire"]);
    expect(exits([byMap("cpumap")])).toEqual(["a: network stack"]);
  });
});
