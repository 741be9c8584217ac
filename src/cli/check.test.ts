/** `check`: what it answers, where the report goes, and the exit status. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isFinding, type ProgramReport } from "../campaign/check-report.ts";
import { corpusFiles } from "./corpus.ts";
import { directory, jsonLines, object, soundcheck } from "./testing.ts";

describe("check", () => {
  test("JSON: a line a program, then the summary; nothing else on standard output", async () => {
    const cwd = directory();
    const files = [object("xdp_vlan.v3.o"), object("fault_off_by_one.v3.o")];
    const ended = await soundcheck(["check", ...files, "--runs", "20", "--json", "--report", "r.html"], {
      cwd,
    });
    const [accepted, rejected, summary, ...rest] = jsonLines(ended);
    expect(rest).toEqual([]);
    expect(accepted).toMatchObject({
      name: "vlan_guard",
      verdict: "accept",
      certificate: { confirmed: true },
      runs: 20,
      violations: [],
      finding: false,
    });
    // The program reads the byte behind an Ethernet header without asking whether there is one.
    expect(rejected).toMatchObject({
      name: "off_by_one",
      verdict: "reject",
      errno: "EACCES",
      witness: { outcome: { kind: "fault", message: expect.stringContaining("out of bounds") } },
      finding: false,
    });
    expect(summary).toMatchObject({
      summary: { programs: 2, findings: 0, seed: 1, runs: 20, report: "r.html" },
    });
    expect(ended.status).toBe(0);
    expect(readFileSync(join(cwd, "r.html"), "utf8")).toContain("vlan_guard");
  });

  test("text: a table, the totals, where the report is; versions of an object share a row", async () => {
    const cwd = directory();
    const files = ["v1", "v2", "v3", "v4"].map((version) => object(`xdp_ethernet.${version}.o`));
    const { status, stdout, stderr } = await soundcheck(["check", ...files, "--runs", "5", "--no-kernel"], {
      cwd,
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^xdp_ethernet +v1-v4 +accept .*\n/m);
    expect(stdout).toMatch(/^4 programs: 4 accepted, 0 rejected, 0 not modelled$/m);
    expect(stdout).toMatch(/^not compared with a kernel: /m);
    expect(stdout).toMatch(/^No findings in [\d.]+ s \(seed 1\)$/m);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(110);
    expect(stderr).toBe("Report: soundcheck-report.html\n");
    expect(existsSync(join(cwd, "soundcheck-report.html"))).toBe(true);
  });

  test("a profile that is none is one line, however many processes there are", async () => {
    const versions = [
      "xdp_vlan",
      "xdp_ethernet",
      "xdp_dns",
      "xdp_ping",
      "xdp_truncate",
      "xdp_udp_ports",
    ].flatMap((name) => ["v1", "v2", "v3", "v4"].map((version) => object(`${name}.${version}.o`)));
    const args = ["check", ...versions, "--profile", "none", "--workers", "2", "--no-kernel", "--no-report"];
    const { status, stderr } = await soundcheck(args);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/^soundcheck: there is no profile none: .*\n$/),
    ]);
  });

  test("another kernel's rules go with the types of the kernel here", async () => {
    const cwd = directory();
    // The second argument of the tracepoint's programs is a task, of which the first byte may be read.
    const asm = ["r2 = *(u64 *)(r1 + 8)", "r0 = *(u8 *)(r2 + 0)", "r0 = 0", "exit"];
    const bundle = { name: "switches", type: "tracing", attach: "trace_raw_tp", target: "sched_switch", asm };
    writeFileSync(join(cwd, "switches.prog.json"), JSON.stringify(bundle));
    const args = [
      "check",
      "switches.prog.json",
      "--profile",
      "linux-7.3",
      "--no-kernel",
      "--no-report",
      "--json",
    ];
    const [report] = jsonLines(await soundcheck(args, { cwd }));
    const isKnown = existsSync("/sys/kernel/btf/vmlinux");
    expect(report).toMatchObject({ verdict: isKnown ? "accept" : "unsupported" });
  });

  test("equal seeds give equal answers, but for times", async () => {
    const args = [
      "check",
      object("xdp_firewall.v3.o"),
      "--runs",
      "10",
      "--json",
      "--no-report",
      "--seed",
      "5",
    ];
    const [one, two] = await Promise.all([soundcheck(args), soundcheck(args)]);
    const timeless = (text: string): string => text.replace(/"(ms|seconds)":[\d.e-]+/g, "");
    expect(timeless(one.stdout)).toBe(timeless(two.stdout));
  });

  test("a bundle that expects what is not so is a finding: 1, with what to do about it", async () => {
    const cwd = directory();
    const expect_ = { verdict: "reject" };
    writeFileSync(
      join(cwd, "wrong.prog.json"),
      JSON.stringify({ name: "two", type: "xdp", asm: ["r0 = 2", "exit"], expect: expect_ }),
    );
    const { status, stdout, stderr } = await soundcheck(["check", "wrong.prog.json", "--no-report"], { cwd });
    expect(status).toBe(1);
    expect(stdout).toContain("Finding 1 wrong.prog.json: two\n");
    expect(stdout).toContain("  Failing input: wrong.prog.json\n");
    expect(stdout).toContain(
      "  Reproduce with: soundcheck verify wrong.prog.json --program two --log-level 2\n",
    );
    expect(stdout).toMatch(/^1 finding in /m);
    expect(stderr).toContain("finding in wrong.prog.json: two");
  });

  test("files that cannot be read are told, the others are checked, and the status is 2", async () => {
    const cwd = directory({ "bad.o": "x" });
    const ended = await soundcheck(
      ["check", "absent.o", "bad.o", object("xdp_vlan.v3.o"), "--runs", "1", "--json", "--no-report"],
      { cwd },
    );
    expect(ended.status).toBe(2);
    expect(ended.stderr).toMatch(/^soundcheck: absent\.o: no such file$/m);
    expect(ended.stderr).toMatch(/^soundcheck: bad\.o: .+$/m);
    expect(jsonLines(ended)).toMatchObject([
      { name: "vlan_guard", verdict: "accept" },
      { file: "absent.o", error: "absent.o: no such file" },
      { file: "bad.o" },
      { summary: { programs: 1, unreadable: 2 } },
    ]);
  });

  test("a report that cannot be written is 2", async () => {
    const args = ["check", object("xdp_vlan.v3.o"), "--runs", "1", "--report", "no/such/place.html"];
    const { status, stderr } = await soundcheck(args, { cwd: directory() });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^soundcheck: no\/such\/place\.html: the report cannot be written/m);
  });
});

test("the bundled corpus is found from any directory", () => {
  const here = process.cwd();
  process.chdir(directory());
  try {
    const files = corpusFiles();
    for (const ending of [".o", ".prog.json"])
      expect(files.filter((name) => name.endsWith(ending)).length).toBeGreaterThan(200);
    expect(files.filter((name) => !existsSync(name))).toEqual([]);
  } finally {
    process.chdir(here);
  }
});

test("isFinding: whatever must not be", () => {
  const held = { violations: [], agreement: { kind: "same" } } as unknown as ProgramReport;
  expect(isFinding(held)).toBe(false);
  expect(isFinding({ ...held, agreement: { kind: "explained", reason: "" } })).toBe(false);
  expect(isFinding({ ...held, agreement: { kind: "different" } })).toBe(true);
  expect(isFinding({ ...held, certificate: { nodes: 1, bytes: 1, confirmed: false } })).toBe(true);
  expect(isFinding({ ...held, expectation: { verdict: "accept", holds: false } })).toBe(true);
});
