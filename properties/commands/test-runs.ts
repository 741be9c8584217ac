/** Test runs that are drawn: programs that look at what they are given, and packets and contexts for programs of each type. */
import type { AttributeValue } from "../../src/kernel/operations/bpf.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import { encode } from "../../src/semantics/isa/codec.ts";
import { PROGRAM_TYPES, type ProgramType } from "../../src/semantics/program/program-types.ts";

type Below = (limit: number) => number;
type Attr = Record<string, AttributeValue>;

const code = (text: string): string => Buffer.from(encode(assemble(text))).toString("hex");

const packetWrite = (data: number, end: number): string =>
  code(
    `r2 = *(u32 *)(r1 +${data})\nr3 = *(u32 *)(r1 +${end})\nr0 = 1\nr4 = r2\nr4 += 14\nif r4 > r3 goto out\n*(u8 *)(r2 +6) = 9\nout:\nexit`,
  );
const reads = (size: number, at: number): string => code(`r0 = *(u${8 * size} *)(r1 +${at})\nexit`);
const PASS = code("r0 = 1\nexit");
const BUFFER = [
  reads(4, 0),
  reads(4, 8),
  reads(4, 48),
  code("r0 = *(u32 *)(r1 +40)\nif r0 > 1 goto out\n*(u32 *)(r1 +56) = 5\nout:\nr0 = 1\nexit"),
  code("r2 = *(u32 *)(r1 +0)\nr0 = 0\nif r2 > 30 goto out\nr0 = 1\nout:\nexit"),
  PASS,
];

/** Programs by type: the attach type and flags that they are loaded with, and their code. */
const RUNNABLE: readonly (readonly [ProgramType, readonly string[], Attr])[] = [
  ["socket_filter", BUFFER, {}],
  ["sched_cls", [...BUFFER, packetWrite(76, 80), code("*(u32 *)(r1 +8) = 5\nr0 = 0\nexit")], {}],
  ["sched_act", BUFFER, {}],
  ["cgroup_skb", [PASS, ...BUFFER.slice(3)], {}],
  ["lwt_in", BUFFER, {}],
  ["lwt_xmit", BUFFER, {}],
  ["lwt_seg6local", [PASS], {}],
  ["xdp", [reads(4, 12), reads(4, 16), packetWrite(0, 4), PASS], {}],
  ["xdp", [PASS, packetWrite(0, 4)], { prog_flags: 32 }],
  ["flow_dissector", [PASS, code("r2 = *(u64 *)(r1 +144)\n*(u16 *)(r2 +2) = 20\nr0 = 0\nexit")], {}],
  [
    "sk_lookup",
    [PASS, code("r0 = *(u32 *)(r1 +8)\nr0 &= 1\nexit"), code("r0 = *(u32 *)(r1 +64)\nr0 &= 1\nexit")],
    { expected_attach_type: 36 },
  ],
  [
    "raw_tracepoint",
    [PASS, reads(8, 0), reads(8, 16), reads(4, 92), code("r2 = r1\nr0 = *(u64 *)(r2 +8)\nexit")],
    {},
  ],
  ["raw_tracepoint_writable", [PASS], {}],
  [
    "syscall",
    [PASS, reads(8, 8), code("*(u32 *)(r1 +4) = 7\nr0 = *(u32 *)(r1 +0)\nexit")],
    { prog_flags: 16 },
  ],
];

/** A program that can be run, mostly: its type, code and what else it is loaded with. */
export function runnable(below: Below): { readonly insns: string; readonly attr: Attr } {
  const [type, codes, attr] = RUNNABLE[below(RUNNABLE.length)] ?? ["xdp", [PASS], {}];
  return {
    insns: codes[below(codes.length)] ?? PASS,
    attr: { prog_type: PROGRAM_TYPES.indexOf(type), ...attr },
  };
}

/** Whether code is drawn for a type: to another one what it reads may be an address. */
export const isOfType = (insns: AttributeValue | undefined): boolean =>
  typeof insns === "object" && "hex" in insns && RUNNABLE.some(([, codes]) => codes.includes(insns.hex));

const SIZES: { readonly [T in ProgramType]?: number } = { xdp: 24, flow_dissector: 56, sk_lookup: 72 };
const BUFFER_SIZE = 192;

/** Fields of contexts, by offset, and what may be put there: right and wrong. */
const FIELDS: { readonly [T in ProgramType]?: readonly (readonly [number, readonly number[]])[] } = {
  xdp: [
    [0, [0, 4, 8, 3, 216, 220]],
    [4, [14, 20, 60, 64, 100]],
    [8, [0, 0, 1]],
    [12, [0, 1, 999_999]],
    [16, [0, 0, 1]],
    [20, [0, 0, 0, 1]],
  ],
  flow_dissector: [
    [48, [0, 1, 7]],
    [52, [0, 0, 0, 1]],
  ],
  sk_lookup: [
    [0, [0, 0, 0, 1]],
    [8, [2, 10, 2, 10, 3, 0x1_0002]],
    [12, [6, 17, 0x1_0006]],
    [36, [80, 0x1_0050]],
    [60, [80, 0xffff, 0, 0x1_0000]],
    [64, [0, 0, 0, 1]],
    [68, [0, 0, 0, 1]],
  ],
};
const BUFFER_FIELDS: readonly (readonly [number, readonly number[]])[] = [
  [8, [0, 1, 0xffff_ffff]],
  [32, [0, 5]],
  [36, [0, 1, 999_999]],
  [40, [0, 1, 999_999]],
  [48, [0, 7]],
  [152, [0, 9]],
  [160, [0, 13, 100, 0x1_0000, 0x1_0001]],
  [164, [0, 1, 0xffff, 0x1_0000]],
  [176, [0, 0, 0xffff, 0x1_0000]],
  [0, [0, 0, 0, 1]],
  [188, [0, 0, 0, 1]],
];

function contextOf(type: ProgramType | undefined, below: Below): Uint8Array {
  if (type === "raw_tracepoint" || type === "syscall") {
    const sizes = [96, 96, 8, 16, 24, 97, 95, 4, 200];
    return Uint8Array.from({ length: sizes[below(sizes.length)] ?? 96 }, () => below(256));
  }
  const size = (type === undefined ? undefined : SIZES[type]) ?? BUFFER_SIZE;
  const bytes = new Uint8Array(size + 8);
  const view = new DataView(bytes.buffer);
  const fields = (type === undefined ? undefined : FIELDS[type]) ?? BUFFER_FIELDS;
  for (const [at, values] of fields) {
    // Each is right more often than not, or little would run.
    const value = below(3) === 0 ? values[below(values.length)] : values[0];
    view.setUint32(at, value ?? 0, true);
  }
  if (type === "xdp" && below(3) > 0) view.setUint32(4, 60, true);
  if (below(12) === 0) bytes[below(bytes.length)] = 1;
  const lengths = [size, size, size, size + 8, size - 4, 8];
  return bytes.subarray(0, lengths[below(lengths.length)]);
}

const hex = (bytes: Uint8Array): AttributeValue => ({ hex: Buffer.from(bytes).toString("hex") });

/** What a program of a type is run with beside its packet: mostly a context, and now and then flags, a processor, repetition. */
export function runOptions(type: ProgramType | undefined, below: Below): Attr {
  const isWhole = type === "raw_tracepoint" || type === "syscall";
  const given = below(isWhole || type === "sk_lookup" ? 12 : 2) === 0 ? undefined : contextOf(type, below);
  const room = (type === undefined ? undefined : SIZES[type]) ?? BUFFER_SIZE;
  const out = [room, room, room + 8, room - 1, 4][below(5)] ?? room;
  const back = below(isWhole ? 10 : 2) === 0 ? { ctx_out: hex(new Uint8Array(out)), ctx_size_out: out } : {};
  const rarely = (name: string, values: readonly number[], of: number): Attr =>
    below(of) === 0 ? { [name]: values[below(values.length)] ?? 0 } : {};
  return {
    ...(given === undefined || given.length === 0 ? {} : { ctx_in: hex(given), ctx_size_in: given.length }),
    ...back,
    ...rarely("repeat", [1, 2, 5], 5),
    ...rarely("flags", [1, 2, 4, 4, 8, 5], 6),
    ...rarely("cpu", [0, 1, 2, 64, 0xffff_ffff], isWhole ? 4 : 10),
    ...rarely("batch_size", [1, 256, 257], 12),
  };
}

/** Whether programs of a type are given a packet. */
export const takesPacket = (type: ProgramType | undefined): boolean =>
  type !== "raw_tracepoint" && type !== "syscall" && type !== "sk_lookup";

/** A frame of a protocol that wants a header, or of one that is not known. */
export function frame(size: number, below: Below): Uint8Array {
  const bytes = Uint8Array.from({ length: size }, () => below(256));
  const protocol = [undefined, [8, 0], [0x86, 0xdd], [0, 20]][below(4)];
  if (protocol !== undefined && size >= 14) bytes.set(protocol, 12);
  return bytes;
}
