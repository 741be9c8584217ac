/**
 * Calls of helpers for tracing, text, time and memory, made by chance with arguments at their borders: each a program that leaves what it learnt in the map `out`. Run in
 * the machine and in the kernel they must leave the same.
 */
import { readFileSync, statSync } from "node:fs";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { Environment } from "../../src/vm/environment.ts";
import { array, Chance, imm, latin1, type Made, OUT } from "./chance.ts";
import { compare, number, snprintf, textFunction, tracePrint, traceVariable } from "./text-calls.ts";
import { USER_AT, USER_BYTES } from "./user-memory.ts";

export interface TracingCall {
  readonly helper: string;
  readonly program: Program;
  readonly environment: Environment;
  /** The kernel may refuse the program: it looks into constant formats itself. */
  readonly mayBeRefused?: true;
}

// --- Memory

const READS = [
  "probe_read",
  "probe_read_kernel",
  "probe_read_user",
  "probe_read_str",
  "probe_read_kernel_str",
  "probe_read_user_str",
] as const;
/** Addresses of nobody, and the ends of what may be somebody's. Between 2^47 and 2^56 it depends on the processor what an address is. */
const ADDRESSES = [
  0n,
  1n,
  4095n,
  0x7fff_ffff_efffn,
  0x7fff_ffff_f000n,
  0x7fff_ffff_ffffn,
  1n << 63n,
  (1n << 63n) - 1n,
  0xffff_ffff_ff60_0000n,
  0xffff_ffff_ff60_0fffn,
  0xffff_ffff_ffff_f000n,
  -1n,
] as const;

function read(chance: Chance): Made & { readonly helper: string } {
  const helper = chance.pick(READS);
  const size = chance.pick([0, 1, 2, 3, 7, 8, 9, 12, 16, 31, 40]);
  const text = chance.bytes(64).map((byte) => (chance.below(6) === 0 ? 0 : byte));
  const kind = helper.includes("user") && chance.below(2) === 0 ? 3 : chance.below(4);
  const user = BigInt(
    USER_AT +
      chance.pick([
        0,
        chance.below(64),
        chance.below(USER_BYTES.length),
        USER_BYTES.length - 1 - chance.below(48),
        USER_BYTES.length,
        -1,
      ]),
  );
  const source =
    kind === 0
      ? `r3 = map_value[text]+${chance.below(64 - size + 1)}\n`
      : kind === 1
        ? `r3 = r10\nr3 += -${64 - chance.below(64 - size + 1)}\n`
        : imm("r3", kind === 2 ? chance.pick(ADDRESSES) : user);
  const stack = Array.from(
    { length: 8 },
    (_, i) =>
      `${imm("r1", chance.word() & (chance.below(2) === 0 ? 0x00ff_ffff_ff00_ffffn : -1n))}*(u64 *)(r10 -${64 - 8 * i}) = r1\n`,
  );
  const asm = `${kind === 1 ? stack.join("") : ""}r1 = r9\nr1 += 8\nr2 = ${size}\n${source}call bpf_${helper}\n`;
  return { helper, asm, maps: [array("text", text)] };
}

function copy(chance: Chance): Made {
  const size = chance.pick([0, 1, 8, 31]);
  const address = BigInt(
    USER_AT + chance.pick([0, chance.below(USER_BYTES.length), USER_BYTES.length - chance.below(9), -1]),
  );
  const asm = `r1 = r9\nr1 += 8\nr2 = ${size}\n${imm("r3", chance.below(3) === 0 ? chance.pick(ADDRESSES) : address)}call bpf_copy_from_user\n`;
  return { type: "syscall", asm };
}

// --- Tasks, events and stacks, as far as no machine's own numbers come into it

const INDICES = [0n, 1n, 3n, 4n, 0xffff_ffffn, 1n << 32n, 1n << 52n, -1n] as const;
const EVENTS: MapDefinition = {
  name: "events",
  type: "perf_event_array",
  keySize: 4,
  valueSize: 4,
  maxEntries: 4,
  flags: 0,
};

/** Of events that nobody has opened. */
function event(chance: Chance): Made & { readonly helper: string } {
  const flags = imm("r2", chance.pick(INDICES));
  const maps = [EVENTS];
  switch (chance.below(3)) {
    case 0:
      return { helper: "perf_event_read", asm: `r1 = map[events]\n${flags}call bpf_perf_event_read\n`, maps };
    case 1: {
      const size = chance.pick([24, 24, 23, 25, 1]);
      const asm = `r1 = map[events]\n${flags}r3 = r9\nr3 += 8\nr4 = ${size}\ncall bpf_perf_event_read_value\n`;
      return { helper: "perf_event_read_value", asm, maps };
    }
    default: {
      const asm = `r2 = map[events]\n${imm("r3", chance.pick(INDICES))}r4 = r9\nr5 = ${chance.below(20)}\ncall bpf_perf_event_output\n`;
      return { helper: "perf_event_output", asm, maps };
    }
  }
}

function group(chance: Chance): Made {
  const maps: MapDefinition[] = [
    { name: "groups", type: "cgroup_array", keySize: 4, valueSize: 4, maxEntries: 2, flags: 0 },
  ];
  return {
    asm: `r1 = map[groups]\n${imm("r2", chance.pick(INDICES))}call bpf_current_task_under_cgroup\n`,
    maps,
  };
}

/** Stacks of no depth that anybody has, and flags that nothing knows. */
function stack(chance: Chance): Made & { readonly helper: string } {
  const bad = chance.pick([1n << 12n, 1n << 32n, 1n << 11n, -1n, 1n << 63n]);
  const flags = chance.pick([255n, 254n, bad, bad | 255n]);
  const environment = { kernelStack: [1n, 2n, 3n], userStack: [4n] };
  if (chance.below(2) === 0) {
    const maps: MapDefinition[] = [
      { name: "stacks", type: "stack_trace", keySize: 4, valueSize: 80, maxEntries: 16, flags: 0 },
    ];
    return {
      helper: "get_stackid",
      asm: `r2 = map[stacks]\n${imm("r3", flags)}call bpf_get_stackid\n`,
      maps,
      environment,
    };
  }
  const size = chance.pick([0, 8, 7, 16, 64, 65]);
  const asm = `r2 = r9\nr2 += 8\nr3 = ${size}\n${imm("r4", flags)}call bpf_get_stack\n`;
  return { helper: "get_stack", asm, environment };
}

/** The process that runs the comparison, and what of it programs see. */
function task(chance: Chance): Made & { readonly helper: string } {
  const { pid } = process;
  const environment = {
    task: { pid, tgid: pid, uid: 0, gid: 0, comm: readFileSync("/proc/self/comm", "utf8").trim() },
  };
  switch (chance.below(7)) {
    case 0:
      return { helper: "get_current_pid_tgid", asm: "call bpf_get_current_pid_tgid\n", environment };
    case 1:
      return { helper: "get_current_uid_gid", asm: "call bpf_get_current_uid_gid\n", environment };
    case 2:
      return {
        helper: "get_current_comm",
        asm: `r1 = r9\nr1 += 8\nr2 = ${1 + chance.below(32)}\ncall bpf_get_current_comm\n`,
        environment,
      };
    case 3: {
      const file = statSync("/proc/self/ns/pid", { bigint: true });
      const wrong = chance.below(4);
      const device = wrong === 0 ? file.dev + 1n : file.dev;
      const inode = wrong === 1 ? file.ino + 1n : file.ino;
      const size = chance.below(4) === 0 ? chance.pick([4, 7, 9, 16]) : 8;
      return {
        helper: "get_ns_current_pid_tgid",
        asm: `${imm("r1", device)}${imm("r2", inode)}r3 = r9\nr3 += 8\nr4 = ${size}\ncall bpf_get_ns_current_pid_tgid\n`,
        environment: { ...environment, pidNamespace: { device: file.dev, inode: file.ino } },
      };
    }
    case 4: {
      const helper = chance.pick(["send_signal", "send_signal_thread"]);
      return {
        helper,
        asm: `r1 = ${chance.pick([0, 65, 66, 1000, -1, -2147483648])}\ncall bpf_${helper}\n`,
        environment,
      };
    }
    case 5: {
      const level = chance.pick([-1, 1000, -2147483648, 300]);
      return {
        helper: "get_current_ancestor_cgroup_id",
        asm: `r1 = ${level}\ncall bpf_get_current_ancestor_cgroup_id\n`,
        environment,
      };
    }
    default: {
      const size = chance.pick([0, 24, 48, 1]);
      const asm = `r1 = r9\nr1 += 8\nr2 = ${size}\n${imm("r3", chance.pick([0n, 1n, 1n << 40n]))}call bpf_get_branch_snapshot\n`;
      return { helper: "get_branch_snapshot", asm, environment };
    }
  }
}

/** A name that no function has, or a lookup that is refused. */
function symbol(chance: Chance): Made {
  const name = latin1(chance.pick(["no_such_function\0", "no_such_function", "\0", "a\0b\0", "ab"]));
  const asm = `r1 = map_value[name]+0\nr2 = ${name.length}\nr3 = ${chance.pick([0, 0, 1, -1])}\nr4 = r9\nr4 += 8\ncall bpf_kallsyms_lookup_name\n`;
  return { type: "syscall", asm, maps: [array("name", name)] };
}

// --- All of them

const MAKERS: readonly [
  (chance: Chance) => Made & { readonly helper?: string },
  ...((chance: Chance) => Made & { readonly helper?: string })[],
] = [
  (chance) => ({ helper: "snprintf", ...snprintf(chance) }),
  (chance) => ({ helper: "snprintf", ...snprintf(chance) }),
  (chance) => ({ helper: "trace_printk", ...tracePrint(chance) }),
  (chance) => ({ helper: "trace_vprintk", ...traceVariable(chance) }),
  (chance) => ({ helper: "strtol", ...number(chance, "strtol") }),
  (chance) => ({ helper: "strtoul", ...number(chance, "strtoul") }),
  (chance) => ({ helper: "strncmp", ...compare(chance) }),
  read,
  read,
  (chance) => ({ helper: "copy_from_user", ...copy(chance) }),
  (chance) => ({ helper: "current_task_under_cgroup", ...group(chance) }),
  (chance) => ({ helper: "kallsyms_lookup_name", ...symbol(chance) }),
  textFunction,
  event,
  stack,
  task,
];

/** The calls that a seed stands for, in order. */
export function tracingCall(seed: number, only?: string): TracingCall {
  const chance = new Chance(seed);
  for (;;) {
    const made = chance.pick(MAKERS)(chance);
    const helper = made.helper ?? "";
    if (only !== undefined && only !== helper) continue;
    const { type = "raw_tracepoint", asm, maps = [], environment = {}, mayBeRefused } = made;
    const all = [OUT, ...maps];
    const whole = `r6 = r1\nr9 = map_value[out]+0\nr1 = r6\n${asm}*(u64 *)(r9 +0) = r0\nr0 = 0\nexit`;
    const insns = assemble(whole, { maps: all });
    const kfunc = insns.findIndex((insn) => insn?.row.name === "call_kfunc");
    const program: Program = {
      name: "call",
      type,
      license: "GPL",
      flags: type === "syscall" ? ["sleepable"] : [],
      insns,
      ...(kfunc === -1 ? {} : { kfuncs: [{ insn: kfunc, name: helper }] }),
      maps: all,
      lines: [],
      functions: [],
    };
    const memory = [{ address: BigInt(USER_AT), bytes: USER_BYTES }];
    return {
      helper,
      program,
      environment: { memory, ...environment },
      ...(mayBeRefused === undefined ? {} : { mayBeRefused }),
    };
  }
}
