/** `verify`: verdicts are those that the corpus' sources are written for, and that Linux gives (corpus/expectations.json). */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readElf } from "../object/elf.ts";
import { directory, jsonLines, object, soundcheck } from "./testing.ts";

/** The kernel's closing line (bpf_verifier.c prints it on every log; tools such as veristat match it). */
const CLOSING =
  /^processed \d+ insns \(limit 1000000\) max_states_per_insn \d+ total_states \d+ peak_states \d+ mark_read \d+$/m;

describe("verify", () => {
  test("a rejected program: the refused path with its source, the kernel's message, the verdict, 1", async () => {
    const { status, stdout } = await soundcheck(["verify", object("fault_off_by_one.v3.o")]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^; return bytes\[sizeof\(struct ethernet\)\].* @ fault_off_by_one\.bpf\.c:\d+$/m);
    expect(stdout).toMatch(/^\d+: \(71\) r\d = \*\(u8 \*\)\(r\d \+0\)$/m);
    expect(stdout).toMatch(/^invalid access to packet, off=14 size=1/m);
    expect(stdout).toMatch(CLOSING);
    expect(stdout).toMatch(
      /off_by_one: reject EACCES at insn \d+ \(fault_off_by_one\.bpf\.c:\d+\): R2 offset is outside of the packet$/m,
    );
    expect(stdout).toMatch(/^ {2}Verification failed: Memory Safety: /m);
    expect(stdout).toMatch(/^ {2}Needed: .* shows 15 bytes .* shows 14$/m);
  });

  test("an accepted program: the closing line, 0; its certificate where that is asked for", async () => {
    const file = object("xdp_vlan.v2.o");
    const [plain, checked] = await Promise.all([
      soundcheck(["verify", file]),
      soundcheck(["verify", file, "--certify-check", "--log-level", "0"]),
    ]);
    expect([plain.status, checked.status]).toEqual([0, 0]);
    expect(plain.stdout.split("\n")).toHaveLength(3);
    expect(plain.stdout).toMatch(CLOSING);
    expect(checked.stdout).not.toMatch(CLOSING);
    expect(checked.stdout).toMatch(/^ {2}certificate: \d+ states confirmed in \d+ steps$/m);
  });

  test("level 2 shows every path of an accepted program, level 0 no log", async () => {
    const file = object("xdp_vlan.v2.o");
    const [none, all] = await Promise.all(
      ["0", "2"].map((level) => soundcheck(["verify", file, "--log-level", level])),
    );
    expect(none?.stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(all?.stdout).toMatch(/^0: \(b[47]\) [rw]0 = 0/m);
    expect(all?.stdout).toMatch(/^from \d+ to \d+:/m);
  });

  test("--unprivileged: by the rules for a loader without capabilities, whatever the bundle says", async () => {
    const name = "context-control-buffer-of-a-socket-filter";
    const file = fileURLToPath(new URL(`../../corpus/verifier/${name}.prog.json`, import.meta.url));
    const { status, stdout } = await soundcheck(["verify", "--unprivileged", object("xdp_vlan.v2.o"), file]);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /: reject EPERM: programs of type xdp are for loaders with cap_bpf and cap_net_admin$/m,
    );
    expect(stdout).toMatch(/^.*control buffer of a socket filter: accept /m);
  });

  test("--program chooses; a name that is not there is 2 and lists what is", async () => {
    const file = object("xdp_tail_calls.v3.o");
    const [one, none] = await Promise.all([
      soundcheck(["verify", file, "--program", "on_ipv6", "--json"]),
      soundcheck(["verify", file, "--program", "on_ipv5"]),
    ]);
    expect(jsonLines(one)).toMatchObject([{ name: "on_ipv6", verdict: "accept" }]);
    expect(none.status).toBe(2);
    expect(none.stderr).toContain("on_ipv4, on_ipv6, dispatcher");
  });

  test("what is not modelled is named, and is 2", async () => {
    const cwd = directory({ "calls.s": "; type: xdp\nr0 = 0\ncall kfunc#1\nexit\n" });
    const { status, stdout } = await soundcheck(["verify", "calls.s"], { cwd });
    expect(status).toBe(2);
    expect(stdout).toMatch(/^calls.s: calls: unsupported at insn 1: kernel function 1$/m);
  });

  test("the kernel's types are those of --btf, else the running kernel's", async () => {
    // The first argument of the tracepoint's programs is a number, the second a task, of which the first byte may be read.
    const bundle = {
      name: "switches",
      type: "tracing",
      attach: "trace_raw_tp",
      target: "sched_switch",
      asm: ["r2 = *(u64 *)(r1 + 8)", "r0 = *(u8 *)(r2 + 0)", "r0 = 0", "exit"],
    };
    const cwd = directory({ "switches.prog.json": JSON.stringify(bundle), "passwd.btf": "root:x:0:0\n" });
    const types = readElf(readFileSync(object("xdp_vlan.v2.o"))).section(".BTF")?.data.bytes;
    writeFileSync(join(cwd, "without.btf"), types ?? expect.fail("no types"));
    const verified = (...more: string[]): ReturnType<typeof soundcheck> =>
      soundcheck(["verify", "--log-level", "0", ...more, "switches.prog.json"], { cwd });
    const [running, without, wrong] = await Promise.all([
      verified(),
      verified("--btf", "without.btf"),
      verified("--btf", "passwd.btf"),
    ]);
    if (existsSync("/sys/kernel/btf/vmlinux"))
      expect([running.status, running.stdout]).toEqual([0, expect.stringContaining("accept")]);
    else expect(running.stdout).toContain("without the kernel's types");
    expect([without.status, without.stdout]).toEqual([
      2,
      expect.stringContaining("unsupported at insn 0: tracing programs for sched_switch"),
    ]);
    expect([wrong.status, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/^soundcheck: passwd\.btf, offset 0x0: not BTF .*\n$/),
    ]);
  });

  test("--type is that of programs whose sections do not say theirs", async () => {
    const cwd = directory({ "plain.s": "r0 = *(u32 *)(r1 + 24)\nexit\n" });
    const verified = async (type: string): Promise<number | null> =>
      (await soundcheck(["verify", "--type", type, "plain.s"], { cwd })).status;
    // Byte 24 of a struct __sk_buff is a VLAN's tag; a struct xdp_md has 24 bytes.
    expect(await Promise.all([verified("sched_cls"), verified("xdp")])).toEqual([0, 1]);
  });

  test("what a file's texts would do to a terminal is made visible", async () => {
    const bundle = { name: "x\u001b[2Jy", type: "xdp", asm: ["r0 = 2", "exit"] };
    const { stdout } = await soundcheck(["verify", "-"], { input: JSON.stringify(bundle) });
    expect(stdout).toContain("x\\x1b[2Jy: accept");
    expect(stdout).not.toContain("\u001b");
  });
});

describe("verify --jsonl", () => {
  const exit = "b7000000020000009500000000000000";
  const lines = [
    JSON.stringify({ name: "good", type: "xdp", insns: exit }),
    "",
    "{ no json",
    JSON.stringify({ name: "r1 is no result", type: "xdp", asm: ["r0 = r2", "exit"] }),
    JSON.stringify({ name: "no instruction", type: "xdp", insns: "ff00000000000000" }),
    JSON.stringify({ name: "unknown key", type: "xdp", insns: exit, colour: 1 }),
    JSON.stringify({ name: "last, without a line feed", type: "socket_filter", insns: exit }),
  ];

  test("every line that is not blank is answered in its turn; bad ones with an error, and 2", async () => {
    const ended = await soundcheck(["verify", "--jsonl"], { input: lines.join("\n") });
    const none = { errno: null, message: null, insn: null };
    expect(jsonLines(ended)).toEqual([
      { name: "good", verdict: "accept", ...none, processed: 2, ms: expect.any(Number) },
      { line: 3, error: 'line 3: line 1, column 3: expected a key, found "n"' },
      {
        name: "r1 is no result",
        verdict: "reject",
        errno: "EACCES",
        // Linux 6.18's words.
        message: "R2 !read_ok",
        insn: 0,
        processed: 1,
        ms: expect.any(Number),
      },
      {
        name: "no instruction",
        verdict: "reject",
        errno: "EINVAL",
        message: "unknown opcode ff",
        insn: null,
        processed: 0,
        ms: 0,
      },
      { line: 6, error: expect.stringContaining("colour") },
      { name: "last, without a line feed", verdict: "accept", ...none, processed: 2, ms: expect.any(Number) },
    ]);
    expect(ended.status).toBe(2);
  });

  test("0 when all are accepted, 1 when one is rejected", async () => {
    const [accepted, rejected] = await Promise.all([
      soundcheck(["verify", "--jsonl"], { input: `${lines[0]}\n` }),
      soundcheck(["verify", "--jsonl"], { input: `${lines[0]}\r\n${lines[3]}\r\n` }),
    ]);
    expect([accepted.status, rejected.status]).toEqual([0, 1]);
  });

  test("the corpus' bundles, one a line, get the verdicts that they expect", async () => {
    const names = ["alu-shift-by-63", "alu-shift-by-the-width"];
    const bundles = names.map((name) =>
      readFileSync(new URL(`../../corpus/verifier/${name}.prog.json`, import.meta.url), "utf8"),
    );
    const expected = bundles.map((text) => JSON.parse(text) as { name: string; expect: { verdict: string } });
    const input = expected.map((bundle) => JSON.stringify(bundle)).join("\n");
    const answers = jsonLines(await soundcheck(["verify", "--jsonl"], { input }));
    expect(answers).toMatchObject(expected.map(({ name, expect: { verdict } }) => ({ name, verdict })));
  });
});
