/** The words of two kernels for the same refusals: what Linux 6.18 and 7.3 said of these programs when they were asked. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readBundle } from "../../src/object/bundle.ts";
import { readProfile } from "../../src/oracle/profiles.ts";
import { explain } from "../../src/verifier/explain/explain.ts";
import { verify } from "../../src/verifier/verify.ts";

const corpus = new URL("../../corpus/verifier/", import.meta.url);
const [older, newer] = ["linux-6.18", "linux-7.3"].map((name) => ({ profile: readProfile(name) }));

/** A case of the corpus, and the errno and last line of each kernel. */
const SAID: readonly (readonly [file: string, before: string, now: string])[] = [
  [
    "work-queue-on-the-stack",
    "EINVAL arg#0 doesn't point to a map value",
    "EINVAL R1 doesn't point to a map value",
  ],
  [
    "dynptr-submitted-twice",
    "EINVAL arg 1 is an unacquired reference",
    "EINVAL Expected an initialized dynptr as R1",
  ],
  [
    "dynptr-a-local-one-submitted",
    "EINVAL arg 1 is an unacquired reference",
    "EINVAL Expected a dynptr of type ringbuf as R1",
  ],
  ["ring-buffer-size-not-a-constant", "EACCES R2 is not a known constant'", "EINVAL R2 is not a const"],
  [
    "kind-xdp-sleepable",
    "EINVAL Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable",
    "EINVAL Program of this type cannot be sleepable",
  ],
  [
    "control-flow-recursion-in-dead-code",
    "E2BIG the call stack of 8 frames is too deep !",
    "EINVAL recursive call from () to ()",
  ],
  [
    "global-function-two-call-each-other",
    "E2BIG the call stack of 8 frames is too deep !",
    "EINVAL recursive call from other() to sub()",
  ],
  [
    "packet-subtracting-before-data",
    "EACCES R2 offset is outside of the packet",
    "EACCES R2 min value is negative, either use unsigned index or do a if (index >=0) check.",
  ],
  [
    "helper-memory-output-zero-allowed-before-a-map-s-value",
    "EACCES R1 min value is outside of the allowed memory range",
    "EACCES R1 min value is negative, either use unsigned index or do a if (index >=0) check.",
  ],
  [
    "tracepoint-buffer-read-in-front-of-it",
    "EACCES R6 invalid tracepoint buffer access: off=-8, size=8",
    "EACCES R6 invalid negative tracepoint buffer offset: off=-8, var_off=0",
  ],
  [
    "atomic-acquire-of-32-bits-on-packet",
    "EACCES misaligned packet access off 2+0+0+0 size 4",
    "EACCES BPF_ATOMIC loads from R6 pkt is not allowed",
  ],
  [
    "socket-the-context-s-released",
    "EINVAL R1 must be referenced when passed to release function",
    "EINVAL release helper bpf_sk_release expects referenced PTR_TO_BTF_ID passed to R1",
  ],
  [
    "kernel-function-the-stack-for-an-object",
    "EINVAL arg#0 pointer type STRUCT task_struct must point to scalar, or struct with scalar",
    "EINVAL release kfunc bpf_task_release expects referenced PTR_TO_BTF_ID passed to R1",
  ],
  [
    "kernel-function-a-number-where-a-pointer-belongs",
    "EINVAL arg#0 pointer type STRUCT task_struct must point to scalar, or struct with scalar",
    "EINVAL R1 is scalar expected STRUCT task_struct",
  ],
];

describe.each(SAID)("%s", (file, before, now) => {
  const { program } = readBundle(readFileSync(new URL(`${file}.prog.json`, corpus), "utf8"));
  const said = (rules: typeof older): string => {
    const verdict = verify(program, undefined, rules);
    if (verdict.verdict !== "reject") throw new Error(verdict.verdict);
    return `${verdict.errno} ${verdict.message.split("\n").at(-1) ?? ""}`;
  };

  test("as Linux 6.18 says", () => {
    expect(said(older)).toBe(before);
  });

  test("as Linux 7.3 says", () => {
    expect(said(newer)).toBe(now);
  });

  test("one explanation for both", () => {
    const [was, is] = [older, newer].map((rules) => {
      const verdict = verify(program, undefined, rules);
      if (verdict.verdict !== "reject") throw new Error(verdict.verdict);
      return explain(program, verdict, rules);
    });
    expect(was?.needed).toBeDefined();
    expect(is?.needed).toBeDefined();
    expect(is?.suggestion).toBeDefined();
  });
});

test("types that own others of their type are none that Linux 7.3 takes", () => {
  const file = new URL("allocated-object-that-may-lead-to-others-of-its-type.prog.json", corpus);
  const { program } = readBundle(readFileSync(file, "utf8"));
  expect(verify(program, undefined, older).verdict).toBe("accept");
  expect(verify(program, undefined, newer)).toMatchObject({
    errno: "EINVAL",
    message: "bpf_obj_new/bpf_percpu_obj_new requires prog BTF",
  });
});
