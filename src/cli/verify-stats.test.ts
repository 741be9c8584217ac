/** `verify --stats` as a user meets it. Verdicts are those that the corpus' sources are written for. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { directory, jsonLines, object, soundcheck } from "./testing.ts";

const FILES = [object("xdp_vlan.v3.o"), object("fault_off_by_one.v3.o")];

test("a row a program; the status is not about verdicts", async () => {
  const [text, json] = await Promise.all([
    soundcheck(["verify", "--stats", ...FILES]),
    soundcheck(["verify", "--stats", ...FILES, "--json", "-s", "prog"]),
  ]);
  expect([text.status, json.status]).toEqual([0, 0]);
  expect(text.stdout.trimEnd().split("\n")).toHaveLength(3);
  expect(jsonLines(json)).toMatchObject([
    {
      file_name: "fault_off_by_one.v3.o",
      prog_name: "off_by_one",
      verdict: "reject",
      certificate_nodes: null,
    },
    {
      file_name: "xdp_vlan.v3.o",
      prog_name: "vlan_guard",
      verdict: "accept",
      total_insns: expect.any(Number),
    },
  ]);
});

test("figures in a file are compared with, and are figures themselves", async () => {
  const cwd = directory();
  const first = await soundcheck(["verify", "--stats", ...FILES, "-o", "csv"], { cwd });
  writeFileSync(join(cwd, "new.csv"), first.stdout);
  writeFileSync(join(cwd, "old.csv"), first.stdout.replace(/reject/, "accept"));
  const compared = await soundcheck(
    ["verify", "--stats", "new.csv", "-C", "old.csv", "--changed", "--json"],
    { cwd },
  );
  expect(compared.status).toBe(0);
  expect(jsonLines(compared)).toMatchObject([
    {
      prog_name: "off_by_one",
      verdict_a: "accept",
      verdict_b: "reject",
      verdict_diff: "mismatch",
      total_insns_diff: 0,
    },
  ]);
});

test("what cannot be read is 2, and the rest is still measured", async () => {
  const cwd = directory({ "bad.csv": "nothing\n" });
  const { status, stdout, stderr } = await soundcheck(
    ["verify", "--stats", "missing.o", "bad.csv", object("xdp_vlan.v3.o"), "-o", "csv", "-e", "prog,verdict"],
    { cwd },
  );
  expect(status).toBe(2);
  expect(stderr).toContain("missing.o: no such file");
  expect(stderr).toContain("bad.csv: record 1: no column file_name");
  expect(stdout).toBe("prog_name,verdict\nvlan_guard,accept\n");
});

test("options of the table without it are refused", async () => {
  const { status, stderr } = await soundcheck(["verify", "-e", "prog", object("xdp_vlan.v3.o")]);
  expect(status).toBe(2);
  expect(stderr).toContain("--emit is for --stats");
});
