/** In which rules of the verifier kernels differ: for each a program that is accepted where the rule allows it. */
import { readBundle } from "../../../object/bundle.ts";
import { Unsupported } from "../../../semantics/errors.ts";
import { ALLOWANCES, type Allowance } from "../../../semantics/profile/profile.ts";
import type { Kernel } from "../calls.ts";
import { KernelError } from "../errno.ts";
import { loadProgram } from "../load.ts";
import {
  CALLED_BACK,
  CHAIN,
  CHAIN_MAIN,
  CHAIN_TYPES,
  KEY_TYPE,
  MAIN,
  NOTHING,
  TAGGED,
  TIMER_VALUE,
  TYPES,
  WORK_VALUE,
} from "./types.ts";

const btf = Buffer.from(TYPES).toString("hex");
const array = (name: string, size: number): object => ({
  name,
  type: "array",
  key_size: 4,
  value_size: size,
  max_entries: 1,
});
const typed = (name: string, value: number): object => ({
  ...array(name, 24),
  btf_key: KEY_TYPE,
  btf_value: value,
});
const look = [
  "*(u32 *)(r10 -4) = 0",
  "r1 = map[m]",
  "r2 = r10",
  "r2 += -4",
  "call bpf_map_lookup_elem",
  "if r0 == 0 goto out",
];
const end = ["out:", "r0 = 0", "exit"];

/** Each beside the others as a bundle without its name. */
const PROGRAMS: Readonly<Record<Allowance, object>> = {
  null_registers: {
    type: "socket_filter",
    privileges: [],
    maps: [array("m", 8)],
    asm: [...look.slice(0, -1), "r1 = 0", "if r0 == r1 goto out", "*(u64 *)(r0 +0) = 1", ...end],
  },
  nested_rcu: {
    type: "sched_cls",
    kfuncs: ["bpf_rcu_read_lock", "bpf_rcu_read_unlock"],
    asm: [
      ...["lock", "lock", "unlock", "unlock"].map((what) => `call bpf_rcu_read_${what}`),
      "r0 = 0",
      "exit",
    ],
  },
  timers_in_tracing: {
    type: "tracepoint",
    btf,
    maps: [typed("m", TIMER_VALUE)],
    asm: [...look, "r1 = r0", "r1 += 8", "r2 = map[m]", "r3 = 0", "call bpf_timer_init", ...end],
  },
  work_queues_in_tracing: {
    type: "tracepoint",
    btf,
    maps: [typed("m", WORK_VALUE)],
    kfuncs: ["bpf_wq_init"],
    asm: [...look, "r1 = r0", "r1 += 8", "r2 = map[m]", "r3 = 0", "call bpf_wq_init", ...end],
  },
  spilled_pointers: {
    type: "xdp",
    btf,
    func_info: [
      { insn: 0, type_id: MAIN },
      { insn: 8, type_id: CALLED_BACK },
    ],
    maps: [{ name: "m", type: "user_ringbuf", key_size: 0, value_size: 0, max_entries: 4096 }],
    asm: [
      "r1 = map[m]",
      "r2 = func back",
      "r3 = 0",
      "r4 = 0",
      "call bpf_user_ringbuf_drain",
      "exit",
      "back:",
      "*(u64 *)(r10 -8) = r1",
      "r1 = *(u64 *)(r10 -8)",
      "r2 = 0",
      "r3 = 8",
      "call bpf_dynptr_data",
      "r0 = 0",
      "exit",
    ],
  },
  lasting_slices: {
    type: "sched_cls",
    kfuncs: ["bpf_dynptr_from_skb", "bpf_dynptr_slice"],
    asm: [
      "r2 = 0",
      "r3 = r10",
      "r3 += -16",
      "call bpf_dynptr_from_skb",
      "r1 = r10",
      "r1 += -16",
      "r2 = 0",
      "r3 = 0",
      "r4 = 8",
      "call bpf_dynptr_slice",
      "if r0 == 0 goto out",
      "*(u64 *)(r10 -16) = 0",
      "r0 = *(u64 *)(r0 +0)",
      ...end,
    ],
  },
  argument_tags: {
    type: "xdp",
    btf,
    func_info: [
      { insn: 0, type_id: MAIN },
      { insn: 5, type_id: TAGGED },
    ],
    asm: [
      "*(u64 *)(r10 -8) = 0",
      "r1 = r10",
      "r1 += -8",
      "call tagged",
      "exit",
      "tagged:",
      "r0 = *(u32 *)(r1 +0)",
      "exit",
    ],
  },
  void_functions: {
    type: "xdp",
    btf,
    func_info: [
      { insn: 0, type_id: MAIN },
      { insn: 4, type_id: NOTHING },
    ],
    asm: ["r1 = 0", "call nothing", "r0 = 0", "exit", "nothing:", "exit"],
  },
  own_chains: {
    type: "sched_cls",
    btf: Buffer.from(CHAIN_TYPES).toString("hex"),
    func_info: [{ insn: 0, type_id: CHAIN_MAIN }],
    kfuncs: ["bpf_obj_new_impl", "bpf_obj_drop_impl"],
    asm: [
      `r1 = ${CHAIN}`,
      "r2 = 0",
      "call bpf_obj_new_impl",
      "if r0 == 0 goto out",
      "r1 = r0",
      "r2 = 0",
      "call bpf_obj_drop_impl",
      ...end,
    ],
  },
};

/** Those that the kernel has; of what it lacks the means for (a helper, a kernel function, a map), that it does not allow it. */
export function probeAllowances(kernel: Kernel): readonly Allowance[] {
  return ALLOWANCES.filter((name) => isAccepted(kernel, { name, ...PROGRAMS[name] }));
}

function isAccepted(kernel: Kernel, bundle: object): boolean {
  const { program } = readBundle(JSON.stringify(bundle));
  try {
    const result = loadProgram(program, { kernel, logLevel: 0 });
    if (result.verdict === "accept") result.close();
    return result.verdict === "accept";
  } catch (error) {
    if (error instanceof Unsupported || error instanceof KernelError) return false;
    throw error;
  }
}
