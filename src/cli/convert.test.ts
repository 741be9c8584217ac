/** `asm`, `disasm` and `plugin`. Bytes and results are worked by hand from RFC 9669. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { directory, jsonLines, object, ROOT, soundcheck } from "./testing.ts";

const SOURCE =
  "; name: answer\n; type: xdp\n  r0 = 2\n  if r1 != 0 goto end\n  r0 = 0x1122334455667788 ll\nend:\n  exit\n";
const BYTES = [
  "b700000002000000",
  "5501020000000000",
  "1800000088776655",
  "0000000044332211",
  "9500000000000000",
];

describe("asm", () => {
  test("an instruction slot a line", async () => {
    expect(await soundcheck(["asm", "-"], { input: SOURCE })).toMatchObject({
      status: 0,
      stdout: `${BYTES.join("\n")}\n`,
    });
  });

  test("--bundle is a bundle that verify reads, --json the bytes", async () => {
    const [bundle, json] = await Promise.all([
      soundcheck(["asm", "-", "--bundle"], { input: SOURCE }),
      soundcheck(["asm", "-", "--json"], { input: SOURCE }),
    ]);
    expect(JSON.parse(bundle.stdout)).toMatchObject({ name: "answer", type: "xdp", insns: BYTES.join("") });
    expect(jsonLines(json)).toEqual([{ name: "answer", type: "xdp", insns: BYTES.join("") }]);
    const verified = await soundcheck(["verify", "-", "--json"], { input: bundle.stdout });
    expect(jsonLines(verified)).toMatchObject([{ name: "answer", verdict: "accept" }]);
  });

  test("an error names line and column", async () => {
    const { status, stderr } = await soundcheck(["asm", "-"], { input: "r0 = 1\nr11 = 2\n" });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^soundcheck: standard input: line 2, column 1: /);
  });
});

describe("disasm", () => {
  test("hexadecimal bytes, with labels or as the kernel writes", async () => {
    const input = BYTES.join("\n");
    const [labels, kernel] = await Promise.all([
      soundcheck(["disasm", "-"], { input }),
      soundcheck(["disasm", "-", "--kernel"], { input }),
    ]);
    expect(labels.stdout).toContain("  if r1 != 0x0 goto L4\n  r0 = 0x1122334455667788 ll\nL4:\n  exit\n");
    expect(kernel.stdout).toContain(
      "1: (55) if r1 != 0x0 goto pc+2\n2: (18) r0 = 0x1122334455667788\n4: (95) exit\n",
    );
  });

  test("source lines of an object", async () => {
    const { stdout } = await soundcheck(["disasm", object("xdp_vlan.v3.o"), "--kernel"]);
    const source = readFileSync(`${ROOT}corpus/src/xdp_vlan.bpf.c`, "utf8").split("\n");
    const lines = [...stdout.matchAll(/^; (.*) @ xdp_vlan\.bpf\.c:(\d+)$/gm)];
    expect(lines.length).toBeGreaterThan(5);
    for (const [, text, line] of lines) expect(source[Number(line) - 1]?.trim()).toBe(text);
  });

  test.each(["xdp_firewall.v1.o", "tc_hash_of_maps.v3.o", "xdp_subprograms.v4.o"])(
    "what it prints of %s assembles to the same bytes",
    async (name) => {
      const [text, direct] = await Promise.all([
        soundcheck(["disasm", object(name)]),
        soundcheck(["asm", object(name)]),
      ]);
      expect(await soundcheck(["asm", "-"], { input: text.stdout })).toEqual({ ...direct, status: 0 });
      expect(direct.stdout.length).toBeGreaterThan(200);
    },
  );

  test("JSON: an object for each program, with every instruction's row", async () => {
    const ended = await soundcheck(["disasm", "-", "--json"], { input: BYTES.join(" ") });
    const [first] = jsonLines(ended) as readonly { readonly insns: readonly unknown[] }[];
    expect(first?.insns).toHaveLength(4);
    expect(first?.insns[0]).toEqual({ slot: 0, row: "mov64_imm", text: "r0 = 2" });
  });
});

describe("plugin", () => {
  // r0 = *(u64 *)(r1 +0); exit
  const load = "79 10 00 00 00 00 00 00 95 00 00 00 00 00 00 00";

  test.each([
    ["memory is behind r1, little-endian", "88 77 66 55 44 33 22 11", load, "1122334455667788\n"],
    ["its length is r2", "00 00 00", "bf20000000000000 9500000000000000", "3\n"],
    ["without memory r1 is 0", "", "bf10000000000000 9500000000000000", "0\n"],
    ["r0 has 64 bits", "", "b7000000ffffffff 9500000000000000", "ffffffffffffffff\n"],
  ])("%s", async (_, memory, input, stdout) => {
    expect(await soundcheck(["plugin", memory], { input })).toMatchObject({ status: 0, stdout, stderr: "" });
  });

  test("without the argument there is no memory; --program replaces standard input", async () => {
    const ended = await soundcheck(["plugin", "--program", "bf20000000000000 9500000000000000"]);
    expect(ended).toMatchObject({ status: 0, stdout: "0\n" });
  });

  test("a fault, a bad instruction and bad digits: the reason on standard error, nothing on standard output", async () => {
    const [fault, encoding, digits] = await Promise.all([
      soundcheck(["plugin", "00 00"], { input: load }),
      soundcheck(["plugin"], { input: "ff00000000000000" }),
      soundcheck(["plugin", "0g"], { input: load }),
    ]);
    expect([fault, encoding, digits].map(({ status, stdout }) => [status, stdout])).toEqual([
      [1, ""],
      [2, ""],
      [2, ""],
    ]);
    expect(fault?.stderr).toMatch(/insn 0: .*8 bytes at offset 0/);
    expect(encoding?.stderr).toMatch(/instruction 0/);
    expect(digits?.stderr).toMatch(/memory: "g"/);
  });

  test("asm feeds it", async () => {
    const cwd = directory({ "sum.s": "; type: xdp\nr0 = r2\nr0 += 40\nexit\n" });
    const { stdout } = await soundcheck(["asm", "sum.s"], { cwd });
    expect(await soundcheck(["plugin", "00 00"], { input: stdout })).toMatchObject({ stdout: "2a\n" });
  });
});
