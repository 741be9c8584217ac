/**
 * Rules in which kernels differ (`Profile.allows`), by small programs. The verdicts are those of Linux 6.18 and 7.3, asked for each of them; where one of
 * theirs is a finding, ours stands beside it.
 */
import { describe, expect, it } from "vitest";
import { readBundle } from "../../src/object/bundle.ts";
import {
  CALLED_BACK,
  KEY_TYPE,
  MAIN,
  NOTHING,
  TIMER_VALUE,
  TYPES,
  WORK_VALUE,
} from "../../src/oracle/linux/probe/types.ts";
import { readProfile } from "../../src/oracle/profiles.ts";
import { verify } from "../../src/verifier/verify.ts";

const YES = "accept";
const btf = Buffer.from(TYPES).toString("hex");
const end = ["out:", "r0 = 0", "exit"];
const map = (more: object = {}): object => ({
  name: "m",
  type: "array",
  key_size: 4,
  value_size: 24,
  max_entries: 1,
  ...more,
});

interface Row {
  readonly name: string;
  readonly bundle: object;
  /** `accept`, or how the rejection begins. */
  readonly old: string;
  readonly new: string;
}

const rcu = (...steps: readonly string[]): object => ({
  type: "sched_cls",
  kfuncs: ["bpf_rcu_read_lock", "bpf_rcu_read_unlock"],
  asm: [...steps.map((step) => `call bpf_rcu_read_${step}`), "r0 = 0", "exit"],
});
const NESTED = "nested rcu read lock (kernel function bpf_rcu_read_lock)";
const many = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => (i < count / 2 ? "lock" : "unlock"));

const SECTIONS: readonly Row[] = [
  { name: "two in each other", bundle: rcu("lock", "lock", "unlock", "unlock"), old: NESTED, new: YES },
  {
    name: "the outer one is not left",
    bundle: rcu("lock", "lock", "unlock"),
    old: NESTED,
    new: "BPF_EXIT instruction in main prog cannot be used inside bpf_rcu_read_lock-ed region",
  },
  {
    name: "left once too often",
    bundle: rcu("lock", "unlock", "unlock"),
    old: "unmatched rcu read unlock",
    new: "unmatched rcu read unlock",
  },
  { name: "255 in each other", bundle: rcu(...many(510)), old: NESTED, new: YES },
];

/** A dynptr of the packet, or of a map's value, at the place on the stack. */
const ofPacket = (at: number): string[] => ["r2 = 0", "r3 = r10", `r3 += ${at}`, "call bpf_dynptr_from_skb"];
const ofMap = (at: number): string[] => [
  "r1 = map_value[m]+0",
  "r2 = 24",
  "r3 = 0",
  "r4 = r10",
  `r4 += ${at}`,
  "call bpf_dynptr_from_mem",
];
const copy = ["r1 = r10", "r1 += -24", "r2 = r10", "r2 += -48", "call bpf_dynptr_clone"];
const slice = (at: number, name = "bpf_dynptr_slice"): string[] => [
  "r1 = r10",
  `r1 += ${at}`,
  "r2 = 0",
  "r3 = 0",
  "r4 = 8",
  `call ${name}`,
  "if r0 == 0 goto out",
];
const memory = (at: number): string[] => [
  "r1 = r10",
  `r1 += ${at}`,
  "r2 = 0",
  "r3 = 8",
  "call bpf_dynptr_data",
  "if r0 == 0 goto out",
];
const overwrite = (at: number): string => `*(u64 *)(r10 ${at}) = 0`;
const use = ["r1 = *(u64 *)(r0 +0)", ...end];
const dynptr = (asm: readonly string[]): object => ({
  type: "sched_cls",
  maps: [map()],
  kfuncs: ["bpf_dynptr_from_skb", "bpf_dynptr_clone", "bpf_dynptr_slice", "bpf_dynptr_slice_rdwr"],
  asm,
});
const NUMBER = "R0 invalid mem access 'scalar'";

const SLICES: readonly Row[] = [
  {
    name: "of a packet, its dynptr overwritten",
    bundle: dynptr([...ofPacket(-24), ...slice(-24), overwrite(-24), ...use]),
    old: YES,
    new: NUMBER,
  },
  {
    name: "of a packet to write to",
    bundle: dynptr([...ofPacket(-24), ...slice(-24, "bpf_dynptr_slice_rdwr"), overwrite(-24), ...use]),
    old: YES,
    new: NUMBER,
  },
  {
    name: "of a map's value to read",
    bundle: dynptr([...ofMap(-24), ...slice(-24), overwrite(-24), ...use]),
    old: YES,
    new: NUMBER,
  },
  {
    name: "of a map's value, by a helper",
    bundle: dynptr([...ofMap(-24), ...memory(-24), overwrite(-24), ...use]),
    old: NUMBER,
    new: NUMBER,
  },
  {
    name: "of a copy, the copy overwritten",
    bundle: dynptr([...ofPacket(-24), ...copy, ...slice(-48), overwrite(-48), ...use]),
    old: YES,
    new: NUMBER,
  },
  {
    name: "of a copy, the original overwritten",
    bundle: dynptr([...ofPacket(-24), ...copy, ...slice(-48), overwrite(-24), ...use]),
    old: YES,
    new: YES,
  },
  {
    name: "of the original, its copy overwritten",
    bundle: dynptr([...ofPacket(-24), ...copy, ...slice(-24), overwrite(-48), ...use]),
    old: YES,
    new: YES,
  },
  {
    name: "of a copy of what was overwritten",
    bundle: dynptr([...ofPacket(-24), ...copy, overwrite(-24), ...slice(-48), ...use]),
    old: YES,
    new: YES,
  },
];

const drain = (
  before: readonly string[],
  context: string,
  after: readonly string[],
  back: readonly string[],
): object => {
  const main = [
    ...before,
    "r1 = map[m]",
    "r2 = func back",
    ...(context === "0" ? ["r3 = 0"] : ["r3 = r10", "r3 += -8"]),
    "r4 = 0",
    "call bpf_user_ringbuf_drain",
    ...after,
    "r0 = 2",
    "exit",
  ];
  // Two loads of 16 bytes; a label is no instruction.
  const start = main.filter((line) => !line.endsWith(":")).length + 2;
  return {
    type: "xdp",
    btf,
    func_info: [
      { insn: 0, type_id: MAIN },
      { insn: start, type_id: CALLED_BACK },
    ],
    maps: [{ name: "m", type: "user_ringbuf", key_size: 0, value_size: 0, max_entries: 4096 }],
    asm: [...main, "back:", ...back, "r0 = 0", "exit"],
  };
};
const data = ["r2 = 0", "r3 = 8", "call bpf_dynptr_data"];
const kept = "*(u64 *)(r10 -8) = r1";

const SAMPLES: readonly Row[] = [
  {
    name: "loaded from where it was stored",
    bundle: drain([], "0", [], [kept, "r1 = *(u64 *)(r10 -8)", ...data]),
    old: "R1 type=scalar expected=fp, dynptr_ptr",
    new: YES,
  },
  {
    name: "the place of the pointer in place of a dynptr",
    bundle: drain([], "0", [], [kept, "r1 = r10", "r1 += -8", ...data]),
    old: "cannot pass in dynptr at an offset=-8",
    new: "cannot pass in dynptr at an offset=-8",
  },
  {
    // A finding: 7.3 accepts, and the dynptr of a run before was the kernel's, on its stack, until that run ended.
    name: "stored to the caller's stack, and used in a later run",
    bundle: drain(
      ["*(u64 *)(r10 -8) = 0"],
      "stack",
      [],
      [
        "r6 = r1",
        "r7 = r2",
        "r1 = *(u64 *)(r7 +0)",
        "if r1 == 0 goto first",
        ...data,
        "first:",
        "*(u64 *)(r7 +0) = r6",
      ],
    ),
    old: "R1 type=scalar expected=fp, dynptr_ptr",
    new: "R1 type=scalar expected=fp, dynptr_ptr",
  },
];

const nothing = (before: readonly string[], after: readonly string[], inside: readonly string[]): object => {
  const main = [...before, "r1 = 0", "call nothing", ...after, "exit"];
  return {
    type: "xdp",
    btf,
    func_info: [
      { insn: 0, type_id: MAIN },
      { insn: main.length, type_id: NOTHING },
    ],
    asm: [...main, "nothing:", ...inside, "exit"],
  };
};
const NO_SCALAR = "Global function nothing() doesn't return scalar. Only those are supported.";

const FUNCTIONS: readonly Row[] = [
  { name: "with nothing in r0", bundle: nothing([], ["r0 = 1"], []), old: NO_SCALAR, new: YES },
  { name: "with an address in r0", bundle: nothing([], ["r0 = 1"], ["r0 = r10"]), old: NO_SCALAR, new: YES },
  {
    name: "r0 is read after the call",
    bundle: nothing(["r0 = 1"], [], ["r0 = 0"]),
    old: NO_SCALAR,
    new: "R0 !read_ok",
  },
];

const RECORDS: readonly Row[] = [
  {
    name: "kept on the stack",
    bundle: {
      type: "raw_tracepoint_writable",
      asm: [
        "r6 = *(u64 *)(r1 +0)",
        "*(u64 *)(r10 -8) = r6",
        "r6 = *(u64 *)(r10 -8)",
        "r0 = *(u64 *)(r6 +0)",
        ...end,
      ],
    },
    old: "R6 invalid mem access 'scalar'",
    new: YES,
  },
];

const TRACING: readonly Row[] = ["tracepoint", "kprobe", "perf_event", "raw_tracepoint"].flatMap((type) => [
  {
    name: `a timer in ${type}`,
    bundle: {
      type,
      btf,
      maps: [map({ btf_key: KEY_TYPE, btf_value: TIMER_VALUE, fields: [{ kind: "timer", offset: 8 }] })],
      asm: ["r1 = map[m]", "r0 = 0", "exit"],
    },
    old: "tracing progs cannot use bpf_timer yet",
    new: YES,
  },
  {
    name: `a work queue in ${type}`,
    bundle: {
      type,
      btf,
      maps: [map({ btf_key: KEY_TYPE, btf_value: WORK_VALUE, fields: [{ kind: "workqueue", offset: 8 }] })],
      asm: ["r1 = map[m]", "r0 = 0", "exit"],
    },
    old: "tracing progs cannot use bpf_wq yet",
    new: YES,
  },
]);

const LOADERS: readonly Row[] = [
  {
    name: "what may be null beside a register that is null",
    bundle: {
      type: "socket_filter",
      privileges: [],
      maps: [map()],
      asm: [
        "*(u32 *)(r10 -4) = 0",
        "r1 = map[m]",
        "r2 = r10",
        "r2 += -4",
        "call bpf_map_lookup_elem",
        "r1 = 0",
        "if r0 == r1 goto out",
        "*(u64 *)(r0 +0) = 1",
        ...end,
      ],
    },
    old: "R0 pointer comparison prohibited",
    new: YES,
  },
];

const answer = (name: string, bundle: object, profile: string): string => {
  const { program } = readBundle(JSON.stringify({ name, ...bundle }));
  const verdict = verify(program, undefined, { profile: readProfile(profile) });
  return verdict.verdict === "reject"
    ? verdict.message
    : verdict.verdict === "unsupported"
      ? `unsupported: ${verdict.feature}`
      : YES;
};

describe.each([
  ["RCU read sections", SECTIONS],
  ["slices of dynptrs", SLICES],
  ["dynptrs of samples", SAMPLES],
  ["global functions without a result", FUNCTIONS],
  ["records of tracepoints", RECORDS],
  ["programs of tracing", TRACING],
  ["loaders without capabilities", LOADERS],
] as const)("%s", (_, rows) => {
  it.each(rows)("$name", ({ name, bundle, old, new: newer }) => {
    expect(answer(name, bundle, "6.18")).toContain(old);
    expect(answer(name, bundle, "7.3")).toContain(newer);
  });
});
