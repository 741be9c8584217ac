/** `corpus`: what was found is kept once, with an expectation of somebody's, made smaller, and asked again. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { directory, jsonLines, soundcheck } from "./testing.ts";

/** Accepted by the definition of its instructions; the message of the other is the kernel's for a register that nothing was written to. */
const ONE = {
  name: "one",
  type: "socket_filter",
  license: "GPL",
  asm: ["r6 = 1", "r7 = 2", "r7 += r6", "r0 = 1", "exit"],
  expect: { verdict: "accept", runs: [{ packet: "00".repeat(20), retval: 1 }] },
};
const UNREAD = {
  ...ONE,
  name: "unread",
  asm: ["r1 = 5", "r0 = r3", "exit"],
  expect: { verdict: "reject", message: "R3 !read_ok" },
};
const FINDING = { key: "containment: R# is outside", oracle: "containment", seed: 7, version: "1.2.3" };

function files(): string {
  return directory({
    "one.prog.json": JSON.stringify(ONE),
    "one.finding.json": JSON.stringify({ ...FINDING, program: "one.prog.json" }),
    "two.prog.json": JSON.stringify({ ...ONE, asm: ["r0 = 1", "exit"] }),
    "two.finding.json": JSON.stringify({ ...FINDING, program: "two.prog.json" }),
    "unread.prog.json": JSON.stringify(UNREAD),
    "nothing.prog.json": JSON.stringify({ ...ONE, asm: ["r0 = 3", "exit"], expect: undefined }),
  });
}

describe("corpus", () => {
  test("adds a cause once, and runs what was added", async () => {
    const cwd = files();
    const given = ["one.finding.json", "two.prog.json", "unread.prog.json", "nothing.prog.json"];
    const added = await soundcheck(["corpus", "add", ...given, "--to", "kept", "--json"], { cwd });
    const entry = "kept/containment-r-is-outside-7.prog.json";
    expect(jsonLines(added)).toEqual([
      { file: "one.prog.json", added: entry, expect: "accept", from: "bundle", problem: null },
      { file: "two.prog.json", added: null, same: "containment-r-is-outside-7.prog.json" },
      {
        file: "unread.prog.json",
        added: "kept/unread.prog.json",
        expect: "reject",
        from: "bundle",
        problem: null,
      },
    ]);
    expect(added.stderr).toContain(
      "nothing.prog.json: expects nothing: say whom to ask, such as --expect-from linux",
    );
    expect(added.status).toBe(2);
    expect(JSON.parse(readFileSync(join(cwd, "kept/causes.json"), "utf8"))).toMatchObject({
      "containment-r-is-outside-7.prog.json": { cause: FINDING.key, seed: 7, version: "1.2.3" },
    });

    const run = ["corpus", "run", "--in", "kept", "--runs", "2"];
    const held = await soundcheck(run, { cwd });
    expect(held.stdout).toMatch(/^2 entries: 2 hold, 0 do not; /);
    expect(held.status).toBe(0);

    const wrong = { ...ONE, expect: { verdict: "accept", runs: [{ packet: "00".repeat(20), retval: 2 }] } };
    writeFileSync(join(cwd, entry), JSON.stringify(wrong));
    const fails = await soundcheck([...run, "containment*"], { cwd });
    expect(fails.status).toBe(1);
    expect(fails.stdout).toContain("a sample run returns 1, not 2");
    expect(fails.stdout).toContain("1 entry: 0 hold, 1 do not");
  });

  test("reduces while a property holds", async () => {
    const cwd = files();
    const small = await soundcheck(
      ["corpus", "reduce", "unread.prog.json", "--while", "reject:R3 !read_ok"],
      { cwd },
    );
    expect(JSON.parse(small.stdout)).toMatchObject({ insns: "bf300000000000009500000000000000" });
    expect(small.stderr).toContain("3 instructions, 2 left that show reject:R3 !read_ok");
    const none = await soundcheck(["corpus", "reduce", "one.prog.json"], { cwd });
    expect(none).toMatchObject({
      status: 2,
      stderr: `soundcheck: one.prog.json: one does not show finding:${FINDING.key}\n`,
    });
  });

  test("lists entries with what is expected of them", async () => {
    const listed = await soundcheck(["corpus", "list", "--in", ".", "--verdict", "reject", "--json"], {
      cwd: files(),
    });
    expect(jsonLines(listed)).toEqual([
      {
        file: "unread.prog.json",
        name: "unread",
        type: "socket_filter",
        instructions: 3,
        expect: "reject",
        message: "R3 !read_ok",
        runs: 0,
      },
    ]);
  });
});
