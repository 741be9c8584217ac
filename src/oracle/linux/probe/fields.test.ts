/** Fields say exactly the accesses that they were made from. Expected: by hand. */
import { describe, expect, it } from "vitest";
import { fieldAt } from "../../../semantics/profile/lookup.ts";
import { givenBy } from "./contexts.ts";
import { type Accesses, fieldsOf, SIZES } from "./fields.ts";

const MEMBERS = [
  { name: "a", offset: 0, size: 4 },
  { name: "b", offset: 4, size: 8 },
];

/** Accesses by text: `r4@0` is a read of 4 bytes at 0. */
function accesses(list: string, value: "scalar" | "packet" = "scalar"): Accesses {
  const all = new Set(list.split(" "));
  return {
    end: 24,
    read: (at, size) => (all.has(`r${size}@${at}`) ? { value } : undefined),
    write: (at, size) => all.has(`w${size}@${at}`),
  };
}

describe("fields of a context", () => {
  it("are the members where a member is all of a kind", () => {
    expect(fieldsOf(accesses("r4@0 r2@0 r2@2 w4@0 r4@4 r4@8"), "s", MEMBERS)).toEqual({
      struct: "s",
      size: 12,
      fields: [
        { name: "a", offset: 0, size: 4, value: "scalar", reads: [2, 4], writes: [4] },
        { name: "b", offset: 4, size: 8, value: "scalar", reads: [4], writes: [] },
      ],
    });
  });

  it.each([
    ["half of a member", "r4@0 r2@0"],
    ["an access across members", "r4@0 r8@0"],
    ["bytes that no member covers", "r4@0 r4@16 r4@20 w1@17"],
    ["one element of an array", "r4@4 r4@8 w4@8"],
    ["nothing", ""],
  ])("say no more and no less: %s", (_, list) => {
    const given = accesses(list);
    const context = fieldsOf(given, "s", MEMBERS);
    for (const size of SIZES) {
      for (let at = 0; at + size <= given.end; at += 1) {
        expect([size, at, fieldAt(context, "read", at, size) !== undefined]).toEqual([
          size,
          at,
          given.read(at, size) !== undefined,
        ]);
        expect([size, at, fieldAt(context, "write", at, size) !== undefined]).toEqual([
          size,
          at,
          given.write(at, size),
        ]);
      }
    }
  });
});

describe("the kernel's words for registers", () => {
  it.each([
    ["scalar", { value: "scalar" }],
    ["pkt_end", { value: "packet_end" }],
    ["sock_common_or_null", { value: "sock_common", flags: ["ptr_maybe_null"] }],
    ["trusted_ptr_sk_buff", { value: "btf_id", flags: ["ptr_trusted"], type: "sk_buff" }],
    ["trusted_ptr_or_null_sock", { value: "btf_id", flags: ["ptr_trusted", "ptr_maybe_null"], type: "sock" }],
    ["rdonly_buf_or_null", { value: "buffer", flags: ["mem_rdonly", "ptr_maybe_null"] }],
    ["ptr_task_struct", { value: "btf_id", type: "task_struct" }],
  ])("%s", (word, given) => {
    expect(givenBy(word)).toEqual(given);
  });

  it("are not guessed", () => {
    expect(() => givenBy("banana")).toThrow("a context gives banana, which is not known");
  });
});
