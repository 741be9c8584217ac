/**
 * What campaigns against kernels found (`corpus/findings`): each is refused by our verifier, and faults in the machine on the packet that stands here, so that a kernel
 * which accepts it is wrong. Which kernels did is in docs/kernel-campaigns.md.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readBundle } from "../../object/bundle.ts";
import { verify } from "../../verifier/verify.ts";
import { Machine } from "../../vm/machine.ts";

const FOLDER = new URL("../../../corpus/findings/", import.meta.url);

/** The packet's first bytes, by file. */
const PACKETS: Readonly<Record<string, readonly number[]>> = {
  "linux-6.18.5/a-link-loses-its-difference.prog.json": [0],
  "linux-6.19.10/a-byte-swap-keeps-the-link.prog.json": [0, 0, 0, 1],
  "linux-6.19.10/a-place-past-the-packet-s-end-covers-one-before-it.prog.json": [0],
  "linux-6.19.10/an-or-after-a-split-32.prog.json": [5],
  "linux-6.19.10/an-or-after-a-split-64.prog.json": [5],
  "linux-7.1.3/a-number-plus-a-pointer-loses-the-frame.prog.json": [0],
};

const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".prog.json"))
  .sort();

describe("findings in kernels", () => {
  it("have a packet each", () => {
    expect(files).toEqual(Object.keys(PACKETS).sort());
  });

  it.each(files)("%s", (file) => {
    const { program, expect: expected } = readBundle(readFileSync(new URL(file, FOLDER), "utf8"));
    expect(expected?.verdict).toBe("reject");
    expect(verify(program).verdict).toBe("reject");
    const packet = new Uint8Array(64);
    packet.set(PACKETS[file] ?? []);
    expect(new Machine(program).run({ packet }).outcome).toBe("fault");
  });
});
