/** What never changes is known only of the one element that all pointers lead to. Linux 6.18 and 7.3 refuse the load of another array's (ENOTSUPP), without a word in the log. */
import { expect, test } from "vitest";
import { readBundle } from "../../src/object/bundle.ts";
import { verify } from "../../src/verifier/verify.ts";

test.each([
  [1, "accept"],
  [2, "reject"],
])("of an array of %i elements: %s", (entries, expected) => {
  const { program } = readBundle(
    JSON.stringify({
      name: "constant data",
      type: "xdp",
      maps: [
        {
          name: "m",
          type: "array",
          key_size: 4,
          value_size: 8,
          max_entries: entries,
          flags: 128,
          frozen: true,
          data: "0100000000000000",
        },
      ],
      asm: [
        `*(u32 *)(r10 -4) = ${entries - 1}`,
        "r2 = r10",
        "r2 += -4",
        "r1 = map[0]",
        "call bpf_map_lookup_elem",
        "if r0 == 0 goto out",
        "r6 = *(u64 *)(r0 +0)",
        "if r6 == 1 goto out",
        "r0 = *(u64 *)(r10 +8)",
        "out:",
        "r0 = 0",
        "exit",
      ],
    }),
  );
  const verdict = verify(program);
  expect(verdict.verdict).toBe(expected);
  if (verdict.verdict === "reject") expect(verdict.errno).toBe("ENOTSUPP");
});
