/** The contract of the command line: exit statuses, what goes where, and no stack trace for anybody. */
import { readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { COMMAND, directory, type Ended, execute, jsonLines, object, soundcheck } from "./testing.ts";

const ALL = [
  "check",
  "verify",
  "compare",
  "check-certificate",
  "run",
  "prove",
  "fuzz",
  "worker",
  "bugs",
  "plugin",
  "asm",
  "disasm",
  "cbpf",
  "replay",
  "objects",
  "corpus",
  "guest",
  "probe",
  "doctor",
];

describe("usage", () => {
  test("help names every command and nothing that does not exist", async () => {
    const { status, stdout, stderr } = await soundcheck(["--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const named = [...stdout.matchAll(/^ {2}([a-z-]+)(?: [[<]| {2,})/gm)].map(([, name]) => name);
    expect(named).toEqual([...ALL, "help"]);
  });

  test("help of a command, and the version of the package", async () => {
    const helped = await soundcheck(["run", "--help"]);
    expect(helped.status).toBe(0);
    expect(helped.stdout).toContain("--json");
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      readonly version: string;
    };
    expect(await soundcheck(["--version"])).toMatchObject({ status: 0, stdout: `${version}\n` });
  });

  test.each([
    [["verfy"], "verfy"],
    [["verify"], "file"],
    [["verify", "--colour", "x"], "--colour"],
    [["verify", "--jsonl", "x.o"], "takes no files"],
    [["check", "--runs", "many"], "--runs"],
    [["run", "x.o", "--packet", "00", "--pcap", "y"], "--pcap"],
    [["run", "x.o", "--seed", "-1"], "--seed"],
    [["asm"], "file"],
  ])("%j is bad usage", async (args, said) => {
    const { status, stdout, stderr } = await soundcheck(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^soundcheck: .*\n/);
    expect(stderr).toContain(said);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test("without a command: help, and 2", async () => {
    const { status, stderr } = await soundcheck([]);
    expect(status).toBe(2);
    expect(stderr).toContain("Usage: soundcheck");
  });
});

describe("files that cannot be used", () => {
  const good = readFileSync(object("xdp_vlan.v3.o"));
  // The section header table's offset is a 64-bit number at byte 40 of an ELF64 header (gABI, figure 4-3).
  const lying = Uint8Array.from(good);
  new DataView(lying.buffer).setBigUint64(40, 0x7fff_ffff_ffffn, true);
  const path = directory({
    "empty.o": "",
    "cut.o": good.subarray(0, good.length / 2),
    "lying.o": lying,
    "binary.bin": Uint8Array.of(1, 2, 0, 3),
    "key.prog.json": '{"name":"x","type":"xdp","insns":"","colour":1}',
    "syntax.prog.json": '{"name": }',
    "text.s": "; type: xdp\nr0 = banana\n",
    "huge.o": "",
  });
  truncateSync(join(path, "huge.o"), 2 ** 31);
  const bad: readonly (readonly [file: string, said: RegExp])[] = [
    ["absent.o", /no such file/],
    [".", /is a directory/],
    ["empty.o", /empty/],
    ["cut.o", /section|offset/],
    ["lying.o", /offset|section/],
    ["binary.bin", /neither/],
    ["key.prog.json", /colour/],
    ["syntax.prog.json", /line 1, column 10/],
    ["text.s", /line 2, column/],
    ["huge.o", /2048 MiB/],
  ];
  let ended: Ended;
  beforeAll(async () => {
    ended = await soundcheck(["verify", ...bad.map(([file]) => file), object("xdp_vlan.v3.o")], {
      cwd: path,
    });
  });

  test.each(bad)("%s: one line that begins with its name", (file, said) => {
    const lines = ended.stderr.split("\n").filter((line) => line.startsWith(`soundcheck: ${file}: `));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(said);
  });

  test("the others are verified all the same, the status is 2, and there is no stack trace", () => {
    expect(ended.status).toBe(2);
    expect(ended.stdout).toContain("vlan_guard: accept");
    expect(ended.stderr.trimEnd().split("\n")).toHaveLength(bad.length);
  });

  test.each(["run", "asm", "disasm"])("%s says so too", async (command) => {
    for (const [file, said] of bad.slice(0, 4)) {
      const { status, stderr } = await soundcheck([command, file], { cwd: path });
      expect({ file, status, lines: stderr.trimEnd().split("\n").length }).toEqual({
        file,
        status: 2,
        lines: 1,
      });
      expect(stderr).toMatch(said);
    }
  });
});

describe("streams", () => {
  test("a reader that stops early is no error", async () => {
    const shell = `"$@" | head -n 1`;
    const disasm = [...COMMAND, "disasm", object("xdp_tcp_mss.v1.o")];
    const { stdout, stderr } = await execute(["sh", "-c", shell, "sh", ...disasm]);
    expect(stdout).toBe("; name: tcp_small_mss\n");
    expect(stderr).toBe("");
  });

  test("interrupted: the process ends by the signal, which shells report as 130", async () => {
    // The warning for the missing file is what the signal waits for.
    const args = ["verify", "absent.o", ...Array.from({ length: 200 }, () => object("xdp_tcp_mss.v1.o"))];
    expect(await soundcheck(args, { signal: "SIGINT" })).toMatchObject({ signal: "SIGINT" });
    const shell = `"$@" 2>/dev/null & wait $!; echo $?`;
    expect((await execute(["sh", "-c", shell, "sh", ...COMMAND, "verify", "absent.o"])).stdout).toBe("2\n");
  });

  test("standard input stands for -", async () => {
    const input = readFileSync(object("xdp_vlan.v3.o"));
    const { status, stdout } = await soundcheck(["verify", "-"], { input });
    expect(status).toBe(0);
    expect(stdout).toContain("standard input: vlan_guard: accept");
  });
});

describe("doctor", () => {
  test("always 0; JSON has the same facts", async () => {
    const [text, json] = await Promise.all([soundcheck(["doctor"]), soundcheck(["doctor", "--json"])]);
    expect([text.status, json.status]).toEqual([0, 0]);
    for (const fact of jsonLines(json)) {
      expect(fact).toMatchObject({
        name: expect.any(String),
        ok: expect.any(Boolean),
        detail: expect.any(String),
      });
      expect(text.stdout).toContain((fact as { readonly detail: string }).detail);
    }
  });
});
