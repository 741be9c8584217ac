/** In what words kernels refuse: for each way of speaking a program that no kernel accepts, and what those say that speak so. */
import { readBundle } from "../../../object/bundle.ts";
import { Unsupported } from "../../../semantics/errors.ts";
import { WORDINGS, type Wording } from "../../../semantics/profile/profile.ts";
import type { Kernel } from "../calls.ts";
import { KernelError } from "../errno.ts";
import { loadProgram } from "../load.ts";

interface Question {
  /** A bundle without its name. */
  readonly program: object;
  /** The errno and the log's last line. */
  readonly answer: RegExp;
}

const END = ["out:", "r0 = 0", "exit"];
const KEY = ["*(u32 *)(r10 -4) = 0", "r2 = r10", "r2 += -4"];
const array = { name: "m", type: "array", key_size: 4, value_size: 8, max_entries: 1 };
const ring = { name: "m", type: "ringbuf", key_size: 0, value_size: 0, max_entries: 4096 };

const QUESTIONS: Readonly<Record<Wording, Question>> = {
  argument_registers: {
    program: {
      type: "sched_cls",
      kfuncs: ["bpf_task_acquire"],
      asm: ["r1 = 1", "call bpf_task_acquire", "r0 = 0", "exit"],
    },
    answer: /^EINVAL R1 is scalar/,
  },
  release_first: {
    program: {
      type: "sched_cls",
      asm: [
        "r1 = *(u64 *)(r1 +168)",
        "if r1 == 0 goto out",
        "call bpf_sk_fullsock",
        "if r0 == 0 goto out",
        "r1 = r0",
        "call bpf_sk_release",
        ...END,
      ],
    },
    answer: /^EINVAL release helper bpf_sk_release expects referenced PTR_TO_BTF_ID passed to R1/,
  },
  recursion: {
    program: { type: "xdp", asm: ["call self", "r0 = 0", "exit", "self:", "call self", "r0 = 0", "exit"] },
    answer: /^EINVAL recursive call from /,
  },
  constant_size: {
    program: {
      type: "xdp",
      maps: [ring],
      asm: ["r2 = *(u32 *)(r1 +12)", "r1 = map[m]", "r3 = 0", "call bpf_ringbuf_reserve", ...END.slice(1)],
    },
    answer: /^EINVAL R2 is not a const/,
  },
  negative_constant: {
    program: {
      type: "xdp",
      maps: [array],
      asm: [
        ...KEY,
        "r1 = map[m]",
        "call bpf_map_lookup_elem",
        "if r0 == 0 goto out",
        "r0 += -8",
        "r0 = *(u8 *)(r0 +0)",
        ...END,
      ],
    },
    answer: /^EACCES R0 min value is negative/,
  },
  atomic_first: {
    program: {
      type: "xdp",
      asm: ["r2 = *(u32 *)(r1 +0)", "r0 = load_acquire((u32 *)(r2 +1))", "r0 = 0", "exit"],
    },
    answer: /^EACCES BPF_ATOMIC loads from R2 pkt is not allowed/,
  },
  object_stores: {
    program: {
      type: "sched_cls",
      kfuncs: ["bpf_cast_to_kern_ctx"],
      asm: ["call bpf_cast_to_kern_ctx", "*(u64 *)(r0 +0) = 1", "r0 = 0", "exit"],
    },
    answer: /^EACCES R0 cannot write into /,
  },
  sleepable: {
    program: { type: "xdp", flags: ["sleepable"], asm: ["r0 = 0", "exit"] },
    answer: /^EINVAL Program of this type cannot be sleepable/,
  },
  dynptr_releases: {
    program: {
      type: "xdp",
      maps: [ring],
      asm: ["r1 = r10", "r1 += -16", "r2 = 0", "call bpf_ringbuf_submit_dynptr", "r0 = 0", "exit"],
    },
    answer: /^EINVAL Expected an initialized dynptr as R1/,
  },
};

/** The ways in which the kernel speaks; of what it lacks the means for (a helper, a kernel function), that it does not. */
export function probeWords(kernel: Kernel): readonly Wording[] {
  return WORDINGS.filter((name) => {
    const { program, answer } = QUESTIONS[name];
    return answer.test(refusal(kernel, { name, license: "GPL", ...program }));
  });
}

function refusal(kernel: Kernel, bundle: object): string {
  const { program } = readBundle(JSON.stringify(bundle));
  try {
    const result = loadProgram(program, { kernel, logLevel: 1 });
    if (result.verdict === "reject") return `${result.errno} ${result.message}`;
    result.close();
    return "";
  } catch (error) {
    if (error instanceof Unsupported || error instanceof KernelError) return "";
    throw error;
  }
}
