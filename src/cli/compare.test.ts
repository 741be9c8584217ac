/** `compare`: what it answers and the exit status, against the running kernel. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { kernelAvailable } from "../oracle/linux/kernel.ts";
import { directory, jsonLines, object, ROOT, soundcheck } from "./testing.ts";

const kernel = kernelAvailable();
const because = kernel.ok ? "" : ` (skipped: ${kernel.reason})`;
if (!kernel.ok) console.log(`src/cli/compare skipped in part: ${kernel.reason}`);

const bundle = (name: string): string => join(ROOT, "corpus/verifier", `${name}.prog.json`);

describe.skipIf(!kernel.ok)(`compare${because}`, () => {
  test("JSON: a line a program, then the summary", async () => {
    const files = [object("xdp_vlan.v3.o"), object("fault_off_by_one.v3.o")];
    const ended = await soundcheck(["compare", ...files, "--json"]);
    const [accepted, rejected, summary, ...rest] = jsonLines(ended);
    expect(rest).toEqual([]);
    expect(accepted).toMatchObject({
      name: "vlan_guard",
      ours: { verdict: "accept" },
      theirs: { verdict: "accept", processed: expect.any(Number) },
      relation: "same",
      unexplained: false,
    });
    expect(rejected).toMatchObject({
      name: "off_by_one",
      ours: { verdict: "reject", errno: "EACCES", complaint: "packet bounds" },
      theirs: { verdict: "reject", errno: "EACCES", complaint: "packet bounds" },
      relation: "same",
    });
    expect(summary).toMatchObject({ summary: { programs: 2, compared: 2, agreed: 2, unsupported: [] } });
    expect(ended.status).toBe(0);
  });

  test("a difference that nothing explains is found; one of the corpus is explained", async () => {
    // Linux knows nothing of a quotient; outside of the corpus no entry says so.
    const cwd = directory({ "mine.prog.json": readFileSync(bundle("scalars-division")) });
    const found = await soundcheck(["compare", "mine.prog.json", "--json"], { cwd });
    expect(found.status).toBe(1);
    expect(found.stderr).toContain("1 unexplained difference");
    expect(jsonLines(found)[0]).toMatchObject({ relation: "we accept", reason: null, unexplained: true });

    const known = await soundcheck(["compare", bundle("scalars-division")]);
    expect(known.status).toBe(0);
    expect(known.stdout).toContain("we accept (explained)");
    expect(known.stdout).toMatch(/known: Linux knows nothing of a quotient/);
  });

  test("a program is named that no file has", async () => {
    const ended = await soundcheck(["compare", object("xdp_vlan.v3.o"), "--program", "nothing"]);
    expect(ended).toMatchObject({ status: 2, stdout: "" });
    expect(ended.stderr).toContain("no file has a program nothing");
  });
});

test("a kernel that there is not", async () => {
  const ended = await soundcheck(["compare", bundle("scalars-division"), "--with", "plan9"]);
  expect(ended).toMatchObject({ status: 2, stdout: "" });
  expect(ended.stderr).toContain("no kernel plan9 to ask");
});

test.skipIf(kernel.ok)("without a kernel there is nothing to compare with", async () => {
  const ended = await soundcheck(["compare", bundle("scalars-division")]);
  expect(ended).toMatchObject({ status: 2, stdout: "" });
  expect(ended.stderr).toContain("the running kernel cannot be asked");
});
