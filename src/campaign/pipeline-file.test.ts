import { describe, expect, it } from "vitest";
import { exitName } from "../vm/pipeline/exit.ts";
import { walk } from "../vm/pipeline/walk.ts";
import { frame } from "../vm/testing.ts";
import { buildPipeline, filesOf } from "./pipeline-build.ts";
import { readPipeline } from "./pipeline-file.ts";

const read = (value: object): ReturnType<typeof readPipeline> => readPipeline(JSON.stringify(value));
const returns = (type: string, value: number): object => ({
  name: "p",
  type,
  asm: [`r0 = ${value}`, "exit"],
});
const build = (value: object): ReturnType<typeof buildPipeline> => buildPipeline(read(value), new Map());

/** Counts packets in the element 0 of map `m`. */
const counts = (type: string, entries = 1): object => ({
  name: "counts",
  type,
  maps: [{ name: "m", type: "array", key_size: 4, value_size: 8, max_entries: entries }],
  asm: [
    "*(u32 *)(r10 -4) = 0",
    "r1 = map[m]",
    "r2 = r10",
    "r2 += -4",
    "call bpf_map_lookup_elem",
    "if r0 == 0 goto +2",
    "r1 = 1",
    "lock *(u64 *)(r0 +0) += r1",
    `r0 = ${type === "xdp" ? 2 : 0}`,
    "exit",
  ],
});

describe("pipeline files", () => {
  it("names the files that its programs are in, once each", () => {
    const file = read({
      devices: [
        {
          name: "a",
          xdp: { native: "x.o#one" },
          ingress: { tcx: ["x.o#two"], clsact: [{ program: "y.s", actions: [{ program: "z.o" }] }] },
        },
      ],
      sockets: [{ name: "s", device: "a", filter: "y.s" }],
    });
    expect(filesOf(file)).toEqual(["x.o", "y.s", "z.o"]);
  });

  it("packets come in at the first device, unless it says otherwise", () => {
    const devices = [{ name: "a" }, { name: "b", xdp: { native: returns("xdp", 1) } }];
    const left = (value: object): readonly string[] => {
      const { pipeline, entry, environment } = build(value);
      return walk(pipeline, entry, frame(64), environment).exits.map(exitName);
    };
    expect(left({ devices })).toEqual(["a: network stack"]);
    expect(left({ devices, input: { device: "b" } })).toEqual(["b: dropped, xdp native by p"]);
    expect(left({ devices, input: { device: "b", direction: "transmit" } })).toEqual(["b: wire"]);
  });

  it("maps of one name are one where they are pinned, and hold what the file says", () => {
    const devices = [{ name: "a", xdp: { native: counts("xdp") }, ingress: { tcx: [counts("sched_cls")] } }];
    const maps = { m: [["00000000", "0500000000000000"]] };
    const totals = (rest: object): readonly string[] => {
      const { pipeline, entry, environment, maps: made } = build({ devices, maps, ...rest });
      walk(pipeline, entry, frame(64), environment);
      return made.map((map) => {
        const value = "lookup" in map ? map.lookup(new Uint8Array(4)) : 0;
        return typeof value === "number" ? "" : Buffer.from(value).toString("hex");
      });
    };
    expect(totals({})).toEqual(["0600000000000000", "0600000000000000"]);
    expect(totals({ pinned: ["m"] })).toEqual(["0700000000000000"]);
    const other = [{ name: "a", xdp: { native: counts("xdp") }, ingress: { tcx: [counts("sched_cls", 2)] } }];
    expect(() => build({ devices: other, pinned: ["m"] })).toThrow(
      "devices[0].ingress.tcx[0]: map m is pinned, with maxEntries 1, not 2",
    );
  });

  it.each([
    [{ devices: [] }, "devices: no device"],
    [{ devices: [{ name: "a", colour: 1 }] }, "devices[0].colour: unknown key"],
    [{ devices: [{ name: "a b" }] }, "devices[0].name: letters"],
    [{ devices: [{ name: "a" }, { name: "a" }] }, "devices[1].name: there are two devices a"],
    [{ devices: [{ name: "a", ifindex: 3 }, { name: "b" }] }, "devices[1].ifindex: there are two devices 3"],
    [{ devices: [{ name: "a", peer: "b" }] }, "devices[0].peer: b is no device whose peer is a"],
    [{ devices: [{ name: "a", address: "02" }] }, "devices[0].address: an address is written"],
    [
      { devices: [{ name: "a", xdp: { native: "x.s", generic: "x.s" } }] },
      "devices[0].xdp: Linux has either",
    ],
    [
      { devices: [{ name: "a", ingress: { clsact: [{ program: "x.s", classid: "42" }] } }] },
      'devices[0].ingress.clsact[0].classid: a class is written "1:42"',
    ],
    [
      {
        devices: [{ name: "a", ingress: { clsact: [{ program: "x.s", actions: [{ verdict: "repeat" }] }] } }],
      },
      "devices[0].ingress.clsact[0].actions[0]: not an action",
    ],
    [
      { devices: [{ name: "a" }], sockets: [{ name: "s", device: "b" }] },
      "sockets[0].device: there is no device b",
    ],
    [{ devices: [{ name: "a" }], input: { device: "b" } }, "input.device: there is no device b"],
    [{ devices: [{ name: "a" }], environment: { cpus: 0 } }, "environment.cpus: Too small"],
  ])("%j", (value, message) => {
    expect(() => read(value)).toThrow(message);
  });

  it.each([
    [
      { devices: [{ name: "a", xdp: { native: { type: "xdp" } } }] },
      "devices[0].xdp.native: name: Invalid input",
    ],
    [
      { devices: [{ name: "a", xdp: { native: returns("sched_cls", 0) } }] },
      "devices[0].xdp.native: a sched_cls program, where one of type xdp belongs",
    ],
    [{ devices: [{ name: "a" }], maps: { m: [] } }, "maps.m: no program has a map of this name"],
  ])("%j", (value, message) => {
    expect(() => build(value)).toThrow(message);
  });
});
