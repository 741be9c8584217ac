/** Certificate files as a user meets them: written by one command, confirmed by another, in processes of their own. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { directory, jsonLines, object, soundcheck } from "./testing.ts";

const SAFE = [object("xdp_vlan.v3.o"), object("xdp_subprograms.v3.o")];
const cwd = directory();

beforeAll(async () => {
  const ended = await soundcheck(["verify", "--log-level", "0", "--certify", "all.cert", ...SAFE], { cwd });
  expect(ended.status).toBe(0);
  expect(ended.stderr).toMatch(/^all\.cert: 2 certificates, \d+ bytes$/m);
});

test("what was written is confirmed; certificates that nobody asked for are mentioned", async () => {
  const [both, one] = await Promise.all([
    soundcheck(["check-certificate", "all.cert", ...SAFE, "--json"], { cwd }),
    soundcheck(["check-certificate", "all.cert", SAFE[0] ?? ""], { cwd }),
  ]);
  expect([both.status, one.status]).toEqual([0, 0]);
  expect(jsonLines(both)).toMatchObject([
    {
      name: "vlan_guard",
      confirmed: true,
      reason: null,
      nodes: expect.any(Number),
      bytes: expect.any(Number),
    },
    { name: "subprograms", confirmed: true, longestRun: expect.stringMatching(/^\d+$/) },
  ]);
  expect(one.stdout).toMatch(/xdp_vlan\.v3\.o: vlan_guard: confirmed \(\d+ states in \d+ bytes, /);
  expect(one.stderr).toContain("1 of 2 certificates are of other programs");
});

test("a program without a certificate, and one that has changed, are not confirmed: 1", async () => {
  const { status, stdout } = await soundcheck(
    ["check-certificate", "all.cert", object("xdp_ping.v3.o"), object("xdp_vlan.v2.o")],
    { cwd },
  );
  expect(status).toBe(1);
  expect(stdout).toMatch(/ping: not confirmed: no certificate$/m);
  expect(stdout).toMatch(/vlan_guard: not confirmed: the certificate of this name is of another program/m);
});

test("what is no certificate file is 2, with the place", async () => {
  const bytes = readFileSync(join(cwd, "all.cert"));
  const cut = bytes.subarray(0, bytes.length - 5);
  writeFileSync(join(cwd, "cut.cert"), cut);
  writeFileSync(join(cwd, "text.cert"), "certificate\n");
  const outcomes = await Promise.all(
    ["cut.cert", "text.cert"].map((file) => soundcheck(["check-certificate", file, ...SAFE], { cwd })),
  );
  expect(outcomes.map(({ status }) => status)).toEqual([2, 2]);
  expect(outcomes[0]?.stderr).toMatch(/cut\.cert: offset \d+: /);
  expect(outcomes[1]?.stderr).toContain("text.cert: offset 0: not a certificate file");
});

test("a file that cannot be written is 2", async () => {
  const { status, stderr } = await soundcheck(["verify", "--certify", "no/where.cert", SAFE[0] ?? ""], {
    cwd,
  });
  expect(status).toBe(2);
  expect(stderr).toContain("no/where.cert: cannot be written");
});
