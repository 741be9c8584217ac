/**
 * Generated pipelines: two pairs of devices, `a` with `b` and `c` with `d`, and small programs at their hooks that record what they are given, change the
 * packet, and return any verdict.
 */
import fc from "fast-check";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";

export const NAMES = ["a", "b", "c", "d"] as const;
export type DeviceName = (typeof NAMES)[number];

/** Numbers of the devices: those that the kernel gave them. */
export type Numbers = Readonly<Record<DeviceName, number>>;

/** A program by what it does. */
export type Step =
  | { readonly do: "write"; readonly field: number; readonly value: number }
  | { readonly do: "store"; readonly at: number; readonly value: number }
  | { readonly do: "head" | "tail" | "meta"; readonly delta: number }
  | { readonly do: "push"; readonly protocol: number; readonly tci: number }
  | { readonly do: "pop" }
  | { readonly do: "length"; readonly length: number }
  | { readonly do: "put"; readonly at: number; readonly value: number }
  | { readonly do: "clone"; readonly to: DeviceName | "nowhere"; readonly ingress: boolean }
  | { readonly do: "redirect"; readonly to: DeviceName | "nowhere"; readonly ingress: boolean };

export interface Sketch {
  readonly type: "xdp" | "sched_cls" | "socket_filter";
  readonly steps: readonly Step[];
  readonly verdict: number;
}

export interface DeviceSketch {
  readonly xdp: { readonly mode: "native" | "generic"; readonly program: Sketch } | undefined;
  readonly ingress: TrafficSketch;
  readonly egress: TrafficSketch;
}

export interface TrafficSketch {
  readonly tcx: readonly Sketch[];
  readonly clsact: readonly {
    readonly program: Sketch;
    readonly direct: boolean;
    readonly classid: number;
  }[];
}

export interface PipelineSketch {
  readonly devices: Readonly<Record<DeviceName, DeviceSketch>>;
  /** The filter of each packet socket, by `device/protocol`. */
  readonly filters: Readonly<Record<string, Sketch | undefined>>;
  readonly frames: readonly Uint8Array[];
}

/** Packet sockets that may listen: on each device for all protocols and for one. */
const SOCKETS = NAMES.flatMap((device) =>
  (["all", 0x88b5] as const).map((protocol) => ({ name: `${device}/${protocol}`, device, protocol })),
);

/** The packet sockets of a pipeline; where packets have metadata those alone that take no copy before it is read. */
export function socketsOf({ devices }: PipelineSketch): typeof SOCKETS {
  const meta = NAMES.some((name) => devices[name].xdp?.program.steps.some((step) => step.do === "meta"));
  return SOCKETS.filter(({ protocol }) => !meta || protocol !== "all");
}

// --- Programs

/** One element a program, where it writes what it was given. */
export const RECORDS: MapDefinition = {
  name: "records",
  type: "array",
  keySize: 4,
  valueSize: 256,
  maxEntries: 64,
  flags: 0,
};

/** Where in `__sk_buff` the fields are that the machine knows wherever a packet is; not `cb`, which between hooks is the kernel's, and not the hash. */
const FIELDS = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44];
const XDP_INGRESS_IFINDEX = 12;
const COUNT = 248;
const RESULT = 240;
const HELPED = 236;

/** After so many runs a program drops everything: pipelines in which packets go round for ever would hold the kernel up. */
const MOST_RUNS = 12;
const STOP: Readonly<Record<Sketch["type"], number>> = { xdp: 1, sched_cls: 2, socket_filter: 0 };

/** Data's bounds in r2 and r3. */
const DATA: Readonly<Record<"xdp" | "sched_cls", string>> = {
  xdp: "r2 = *(u32 *)(r6 +0)\nr3 = *(u32 *)(r6 +4)\n",
  sched_cls: "r2 = *(u32 *)(r6 +76)\nr3 = *(u32 *)(r6 +80)\n",
};

function stepText(type: Sketch["type"], step: Step, numbers: Numbers): string {
  switch (step.do) {
    case "write":
      return `*(u32 *)(r6 +${step.field}) = ${step.value}\n`;
    case "store":
      if (type === "socket_filter") return "";
      return `${DATA[type]}r4 = r2\nr4 += ${step.at + 1}\nif r4 > r3 goto +1\n*(u8 *)(r2 +${step.at}) = ${step.value}\n`;
    case "push":
      return helper(`r2 = ${step.protocol}\nr3 = ${step.tci}\ncall bpf_skb_vlan_push\n`);
    case "pop":
      return helper("call bpf_skb_vlan_pop\n");
    case "length":
      return helper(`r2 = ${step.length}\nr3 = 0\ncall bpf_skb_change_tail\n`);
    case "put":
      return helper(
        `*(u32 *)(r10 -8) = ${step.value}\nr2 = ${step.at}\nr3 = r10\nr3 += -8\nr4 = 4\nr5 = 0\ncall bpf_skb_store_bytes\n`,
      );
    case "clone":
      // Its result is of a copy that has been sent already, which it is here only when the program has ended.
      return `r1 = r6\nr2 = ${numberOf(step.to, numbers)}\nr3 = ${step.ingress ? 1 : 0}\ncall bpf_clone_redirect\n`;
    case "redirect":
      return `r1 = ${numberOf(step.to, numbers)}\nr2 = ${step.ingress ? 1 : 0}\ncall bpf_redirect\n`;
    case "meta":
      return `r1 = r6\nr2 = ${step.delta}\ncall bpf_xdp_adjust_meta\n${recordMeta}`;
    default:
      return `r1 = r6\nr2 = ${step.delta}\ncall bpf_xdp_adjust_${step.do}\n*(u32 *)(r9 +${RESULT}) = r0\n${step.do === "head" ? cleared(-step.delta) : ""}`;
  }
}

const numberOf = (to: DeviceName | "nowhere", numbers: Numbers): number =>
  to === "nowhere" ? 9999 : numbers[to];

/** Calls a helper on the packet and records what it returned. */
const helper = (call: string): string => `r1 = r6\n${call}*(u32 *)(r9 +${HELPED}) = r0\n`;

/** Zeros in the first bytes of the data: what has come in front of it is what the kernel left there. */
function cleared(count: number): string {
  if (count <= 0) return "";
  const stores = Array.from({ length: count }, (_, at) => `*(u8 *)(r2 +${at}) = 0\n`).join("");
  return `${DATA.xdp}r4 = r2\nr4 += ${count}\nif r4 > r3 goto +${count}\n${stores}`;
}

/** Writes into the first 4 bytes of the metadata, if it has some. */
const recordMeta = `r2 = *(u32 *)(r6 +8)
r3 = *(u32 *)(r6 +0)
r4 = r2
r4 += 4
if r4 > r3 goto +1
*(u32 *)(r2 +0) = 0x5eed
`;

/** Reads the metadata's first 4 bytes at a classifier. */
const readMeta = `r2 = *(u32 *)(r6 +140)
r3 = *(u32 *)(r6 +76)
r4 = r2
r4 += 4
if r4 > r3 goto +2
r4 = *(u32 *)(r2 +0)
*(u32 *)(r9 +${RESULT}) = r4
`;

function record(type: Sketch["type"]): string {
  const fields = type === "xdp" ? [XDP_INGRESS_IFINDEX] : FIELDS;
  return fields.map((at) => `r2 = *(u32 *)(r6 +${at})\n*(u32 *)(r9 +${at}) = r2\n`).join("");
}

/** The program that a sketch stands for; it records in element `slot`. */
export function programOf(sketch: Sketch, name: string, slot: number, numbers: Numbers): Program {
  const { type, steps, verdict } = sketch;
  const body = steps.map((step) => stepText(type, step, numbers)).join("");
  const length = type === "xdp" ? `${DATA.xdp}r3 -= r2\n*(u32 *)(r9 +244) = r3\n` : "";
  const asm = `r6 = r1
*(u32 *)(r10 -4) = ${slot}
r1 = map[records]
r2 = r10
r2 += -4
call bpf_map_lookup_elem
if r0 != 0 goto +2
r0 = 2
exit
r9 = r0
r2 = *(u64 *)(r9 +${COUNT})
r2 += 1
*(u64 *)(r9 +${COUNT}) = r2
if r2 < ${MOST_RUNS} goto +2
r0 = ${STOP[type]}
exit
${record(type)}${length}${type === "sched_cls" ? readMeta : ""}${body}r0 = ${verdict}
exit`;
  const maps = [RECORDS];
  return {
    name,
    type: type satisfies ProgramType,
    license: "GPL",
    flags: [],
    insns: assemble(asm, { maps }),
    maps,
    lines: [],
    functions: [],
  };
}

// --- Sketches

const device = fc.constantFrom(...NAMES);
const byte = fc.integer({ min: 0, max: 255 });
/** Bytes of addresses, of the protocol's second half, of a VLAN tag, of the payload. */
const place = fc.constantFrom(0, 5, 6, 13, 14, 15, 20, 40);
const store = fc.record({ do: fc.constant("store"), at: place, value: byte } as const);
const redirect = fc.record({
  do: fc.constant("redirect" as const),
  to: fc.oneof({ weight: 8, arbitrary: device }, { weight: 1, arbitrary: fc.constant("nowhere" as const) }),
  ingress: fc.boolean(),
});

const xdpStep: fc.Arbitrary<Step> = fc.oneof(
  store,
  fc.record({ do: fc.constant("head" as const), delta: fc.constantFrom(-14, -4, 4, 14, 18) }),
  fc.record({ do: fc.constant("tail" as const), delta: fc.constantFrom(-1, -20) }),
  fc.record({ do: fc.constant("meta" as const), delta: fc.constantFrom(-4, -8, -32) }),
);

const xdp: fc.Arbitrary<Sketch> = fc
  .tuple(
    fc.array(xdpStep, { maxLength: 2 }),
    fc.option(
      redirect.map((step) => ({ ...step, ingress: false })),
      { nil: undefined, freq: 3 },
    ),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(2) },
      { weight: 2, arbitrary: fc.constantFrom(3, 4) },
      { weight: 1, arbitrary: fc.constantFrom(0, 1, 5, 77) },
    ),
  )
  .map(([steps, to, verdict]) => ({
    type: "xdp",
    steps: to === undefined ? steps : [...steps, to],
    verdict: verdict < 3 || verdict > 4 ? verdict : to === undefined ? 3 : 4,
  }));

/** Mark, priority, tc_index, cb and tc_classid. */
const write = fc.record({
  do: fc.constant("write" as const),
  field: fc.constantFrom(8, 32, 44, 72),
  value: fc.constantFrom(0, 1, 7, 0x1234, 0x12345),
});

const helped: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("push" as const),
    protocol: fc.constantFrom(0x81, 0xa888),
    tci: fc.constantFrom(0, 3, 0x2005),
  }),
  fc.constant({ do: "pop" } as const),
  // Not less than the headers that a packet may have been given: Linux keeps it from being cut there.
  fc.record({ do: fc.constant("length" as const), length: fc.constantFrom(200, 201, 400) }),
  fc.record({ do: fc.constant("put" as const), at: fc.constantFrom(0, 10, 12, 30), value: fc.nat(0xffff) }),
  fc.record({
    do: fc.constant("clone" as const),
    to: fc.oneof({ weight: 8, arbitrary: device }, { weight: 1, arbitrary: fc.constant("nowhere" as const) }),
    ingress: fc.boolean(),
  }),
);

/** All but TC_ACT_REDIRECT, which is for programs that say where to: without it Linux takes what an earlier program may have said. */
const VERDICTS = [-1, 0, 1, 2, 3, 4, 5, 6, 8, 9, 0x10001];

const classifier: fc.Arbitrary<Sketch> = fc
  .tuple(
    fc.array(fc.oneof(write, store, helped), { maxLength: 3 }),
    fc.option(redirect, { nil: undefined, freq: 3 }),
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(0, -1) },
      { weight: 2, arbitrary: fc.constantFrom(...VERDICTS) },
    ),
    fc.boolean(),
  )
  .map(([steps, to, verdict, go]) => ({
    type: "sched_cls",
    steps: to === undefined ? steps : [...steps, to],
    verdict: to !== undefined && go ? 7 : verdict,
  }));

const traffic: fc.Arbitrary<TrafficSketch> = fc.record({
  tcx: fc.array(classifier, { maxLength: 2 }),
  clsact: fc.array(
    fc.record({
      program: classifier,
      direct: fc.oneof(
        { weight: 3, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: fc.constant(false) },
      ),
      classid: fc.constantFrom(0, 0x10042, 0xffff),
    }),
    { maxLength: 2 },
  ),
});

const none: fc.Arbitrary<TrafficSketch> = fc.constant({ tcx: [], clsact: [] });
const sometimes = fc.oneof({ weight: 2, arbitrary: none }, { weight: 1, arbitrary: traffic });

const deviceSketch = (often: boolean): fc.Arbitrary<DeviceSketch> =>
  fc.record({
    xdp: fc.option(
      fc.record({ mode: fc.constantFrom("native" as const, "generic" as const), program: xdp }),
      {
        nil: undefined,
        freq: often ? 3 : 1,
      },
    ),
    ingress: often ? traffic : sometimes,
    egress: often ? traffic : sometimes,
  });

const filter: fc.Arbitrary<Sketch> = fc
  .constantFrom(0, 1, 11, 12, 14, 20, 60, 63, 64, 65, 0x7fffffff, -1)
  .map((verdict) => ({ type: "socket_filter", steps: [], verdict }));

/** Frames of the protocol that sockets listen for, with one VLAN tag or two, of another, from short to long. */
function frameOf(
  to: "b" | "all" | "other",
  tags: readonly number[],
  protocol: number,
  size: number,
): Uint8Array {
  const addresses = { b: [2, 0, 0, 0, 0, 2], all: [255, 255, 255, 255, 255, 255], other: [2, 9, 9, 9, 9, 9] };
  const header = [
    ...addresses[to],
    2,
    0,
    0,
    0,
    0,
    1,
    ...tags.flatMap((tag) => [0x81, 0, tag >> 8, tag & 255]),
    protocol >> 8,
    protocol & 255,
  ];
  return Uint8Array.from([...header, ...Array.from({ length: size }, (_, i) => i & 255)]);
}

const frame = fc
  .tuple(
    fc.constantFrom("b" as const, "all" as const, "other" as const),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant<number[]>([]) },
      { weight: 1, arbitrary: fc.constantFrom([0x2005], [5, 7]) },
    ),
    fc.constantFrom(0x88b5, 0x88b5, 0x88b6, 0x0040),
    fc.constantFrom(26, 46, 50, 300),
  )
  .map((parts) => frameOf(...parts));

export const pipelines: fc.Arbitrary<PipelineSketch> = fc.record({
  devices: fc.record({
    a: deviceSketch(false),
    b: deviceSketch(true),
    c: deviceSketch(false),
    d: deviceSketch(false),
  }),
  filters: fc.record(
    Object.fromEntries(SOCKETS.map(({ name }) => [name, fc.option(filter, { nil: undefined, freq: 1 })])),
  ),
  frames: fc.array(frame, { minLength: 1, maxLength: 3 }),
});
