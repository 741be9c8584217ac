/**
 * Claim: what the kernel keeps in the fields of an element of a hash table goes when the element is deleted or replaced, whoever still points to its value: in the machine as in the running kernel. Skipped
 * with the reason where bpf(2) cannot be used.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readPrograms } from "../../src/object/read.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { Machine } from "../../src/vm/machine.ts";
import { FRAME } from "../../src/vm/testing.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

/** A case whose map has, at 8 in its value, a pointer to an object of the type 20. */
const CASE = new URL(
  "../../corpus/verifier/allocated-object-loaded-from-a-map-s-value-and-acquired.prog.json",
  import.meta.url,
);
const NO_PREALLOC = 1;

const KEY = "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map[0]";
const ZEROS = [-56, -48, -40, -32, -24, -16].map((at) => `*(u64 *)(r10 ${at}) = 0`).join("\n");
const UPDATE = `${ZEROS}\n${KEY}\nr3 = r10\nr3 += -56\nr4 = 0\ncall bpf_map_update_elem`;
const EXCHANGE = "r1 = r9\nr1 += 8\ncall bpf_kptr_xchg";
const drop = (label: string): string => `if r0 == 0 goto ${label}\nr1 = r0\nr2 = 0\ncall bpf_obj_drop_impl\n`;

/** Puts an object into the field, does something to the element, and looks whether the object is there still. */
const asm = (step: string): string =>
  `r8 = 9\n${UPDATE}\n${KEY}\ncall bpf_map_lookup_elem\nif r0 == 0 goto out\nr9 = r0\nr1 = 20\nr2 = 0\ncall bpf_obj_new_impl\nif r0 == 0 goto out\nr2 = r0\n${EXCHANGE}\n${drop("first")}first:\n${step}\nr2 = 0\n${EXCHANGE}\nr8 = 0\n${drop("out")}r8 = 1\nout:\nr0 = r8\nexit`;

describe.skipIf(!kernel.ok)("fields of elements that are gone", () => {
  it.each([
    ["nothing", "r0 = 0", 1],
    ["a deletion", `${KEY}\ncall bpf_map_delete_elem`, 0],
    ["another value", UPDATE, 0],
  ])("%s", (_name, step, expected) => {
    for (const flags of [0, NO_PREALLOC]) {
      const given: unknown = JSON.parse(readFileSync(CASE, "utf8"));
      const text = JSON.stringify(given, (key, value: unknown) => {
        if (key === "asm") return asm(step).split("\n");
        if (key === "kfuncs") return ["bpf_obj_new_impl", "bpf_obj_drop_impl"];
        if (key === "type" && value === "array") return "hash";
        return key === "flags" && value === 0 ? flags : value;
      });
      const [program] = readPrograms("test.prog.json", Buffer.from(text)).programs;
      if (program === undefined) throw new Error("a bundle holds a program");
      const loaded = loadProgram(program);
      if (loaded.verdict === "reject") throw new Error(loaded.log);
      const tried = testRun(loaded.fd, { packet: FRAME });
      loaded.close();
      expect(tried).toMatchObject({ ran: true, retval: expected });
      const ended = new Machine(program).run({ packet: FRAME });
      expect(ended).toMatchObject({ outcome: "exit", r0: BigInt(expected) });
    }
  });
});
