import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readBundle } from "../../object/bundle.ts";
import { type Complaint, complaintOf } from "./complaint.ts";

const CORPUS = new URL("../../../corpus/verifier/", import.meta.url);

test("every message that the corpus expects has a class", () => {
  const without = readdirSync(CORPUS)
    .map((name) => readBundle(readFileSync(new URL(name, CORPUS), "utf8")).expect)
    .flatMap((expected) => (expected?.verdict === "reject" ? [expected.message ?? ""] : []))
    // Of some refusals the kernel gives the errno alone.
    .filter((message) => message !== "" && complaintOf(message) === "other");
  expect(without).toEqual([]);
});

/** The same complaint in the words of several kernels. */
const DRIFT: readonly (readonly [Complaint, ...string[]])[] = [
  ["register uninitialised", "R2 !read_ok", "R10 !read_ok"],
  [
    "stack uninitialised",
    "invalid read from stack off -8+0 size 8",
    "invalid indirect read from stack R2 off -16+8 size 16",
    "invalid read from stack R2 off -16+8 size 16",
  ],
  [
    "stack bounds",
    "invalid stack type R2 off=-600 access_size=8",
    "invalid write to stack R1 off=-520 size=8",
    "invalid indirect access to stack R2 off=-520 size=8",
    "invalid variable-offset read from stack R2 var_off=(0x0; 0x18) off=-16 size=8",
  ],
  ["no pointer", "R1 invalid mem access 'inv'", "R1 invalid mem access 'scalar'"],
  [
    "null pointer",
    "R0 invalid mem access 'map_value_or_null'",
    "Possibly NULL pointer passed to trusted arg0",
    "R0 pointer arithmetic on map_value_or_null prohibited, null-check it first",
  ],
  [
    "packet bounds",
    "invalid access to packet, off=0 size=4, R2(id=0,off=0,r=0)\nR2 offset is outside of the packet",
    "invalid access to packet, off=0 size=4, R2(id=0,off=0,r=0)\nR2 min value is outside of the allowed memory range",
  ],
  [
    "memory bounds",
    "invalid access to map value, value_size=8 off=8 size=4\nR0 min value is outside of the allowed memory range",
    "R1 max value is outside of the allowed memory range",
  ],
  ["helper unknown", "invalid func unknown#9999", "invalid func 9999"],
  [
    "helper forbidden",
    "unknown func bpf_redirect#23",
    "program of this type cannot use helper bpf_redirect#23",
  ],
  [
    "program result",
    "At program exit the register R0 has value (0x2; 0x0) should have been in (0x0; 0x1)",
    "At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]",
  ],
  [
    "reference",
    "Unreleased reference id=2 alloc_insn=9",
    "BPF_EXIT instruction in main prog would lead to reference leak",
  ],
  ["lock", "bpf_spin_lock is missing unlock", "function calls are not allowed while holding a lock"],
  [
    "too complex",
    "BPF program is too large. Processed 1000001 insn",
    "The sequence of 8193 jumps is too complex.",
  ],
  ["endless loop", "infinite loop detected at insn 3"],
  ["control flow", "back-edge from insn 4 to 0", "unreachable insn 2"],
];

describe("complaints keep their class from kernel to kernel", () => {
  test.each(DRIFT)("%s", (name, ...messages) => {
    for (const message of messages) expect([message, complaintOf(message)]).toEqual([message, name]);
  });
});

test("what is not known is called that", () => {
  expect(complaintOf("the weather is bad")).toBe("other");
  expect(complaintOf("")).toBe("other");
});
