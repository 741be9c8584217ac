/** `fuzz`: what it answers and keeps; a campaign that is killed goes on. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Stats } from "../campaign/fuzz/stats.ts";
import { COMMAND, directory, jsonLines, soundcheck } from "./testing.ts";

const stats = (out: string): Stats => JSON.parse(readFileSync(join(out, "stats.json"), "utf8"));

/** A campaign that has begun in a new directory. */
function begun(...more: readonly string[]): {
  readonly cwd: string;
  readonly out: string;
  readonly child: ChildProcess;
} {
  const cwd = directory();
  const args = ["fuzz", "--workers", "1", "--runs", "0", "--seconds", "600", "--out", "c", ...more];
  const [program = "", ...rest] = [...COMMAND, ...args];
  return { cwd, out: join(cwd, "c"), child: spawn(program, rest, { cwd, stdio: "ignore" }) };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe("fuzz", () => {
  test("cross-checks as many programs as asked for, and goes on where it stopped", async () => {
    const cwd = directory();
    const args = ["fuzz", "--workers", "1", "--runs", "2", "--out", "c", "--json", "--programs"];
    const first = await soundcheck([...args, "30"], { cwd });
    expect(jsonLines(first)).toMatchObject([
      { summary: { seed: 1, next: 31, findings: { total: 0 }, tally: { programs: 30, unsupported: 0 } } },
    ]);
    expect(first.status).toBe(0);
    expect(first.stderr).toMatch(/Dashboard: c\/dashboard.html\n$/);
    const second = await soundcheck([...args, "50"], { cwd });
    expect(jsonLines(second)).toMatchObject([
      { summary: { next: 51, findings: { total: 0 }, tally: { programs: 50 } } },
    ]);
    const plot = readFileSync(join(cwd, "c", "plot.csv"), "utf8")
      .trimEnd()
      .split("\n");
    expect(plot.slice(1).map((line) => line.split(",")[1])).toEqual(expect.arrayContaining(["30", "50"]));
    expect(readFileSync(join(cwd, "c", "dashboard.html"), "utf8")).toContain("Nothing found");
    const other = await soundcheck([...args, "50", "--seed", "9"], { cwd });
    expect(other).toMatchObject({
      status: 2,
      stderr: "soundcheck: c: holds a campaign that began with seed 1, not 9\n",
    });
  });

  test("a campaign that is killed goes on, and counts each program once", async () => {
    const { cwd, out, child } = begun();
    await until(() => existsSync(join(out, "stats.json")) && stats(out).tally.programs > 0);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.on("close", resolve));
    const { next, tally } = stats(out);
    expect(tally.programs).toBe(next - 1);
    const args = ["fuzz", "--workers", "1", "--runs", "0", "--out", "c", "--programs", `${next + 9}`];
    const more = await soundcheck(args, { cwd });
    expect(more.status).toBe(0);
    expect(stats(out)).toMatchObject({ next: next + 10, sessions: 2, tally: { programs: next + 9 } });
  });

  test("a process that is killed is replaced, and nothing is missing", async () => {
    const { out, child } = begun("--programs", "400");
    const ended = new Promise((resolve) => child.on("close", resolve));
    await until(() => existsSync(join(out, "stats.json")));
    const [worker] = stats(out).workers;
    if (worker?.pid === undefined) throw new Error("a process works");
    process.kill(worker.pid, "SIGKILL");
    expect(await ended).toBe(0);
    expect(stats(out)).toMatchObject({
      next: 401,
      tally: { programs: 400 },
      findings: { total: 0 },
      workers: [{ restarts: 1 }],
    });
  });

  test("a directory with something else in it is told in one line", async () => {
    const cwd = directory();
    mkdirSync(join(cwd, "c"));
    writeFileSync(join(cwd, "c", "stats.json"), '{"seed": "one"}');
    const { status, stderr } = await soundcheck(["fuzz", "--programs", "1", "--out", "c"], { cwd });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^soundcheck: c\/stats\.json: .*seed.*\n$/);
  });

  test("a directory that cannot be made is told in one line", async () => {
    const { status, stderr } = await soundcheck(["fuzz", "--programs", "1", "--out", "/dev/null/c"]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^soundcheck: \/dev\/null\/c: cannot be made: ENOTDIR.*\n$/);
  });

  test("a target that is no verifier is told in one line", async () => {
    const args = ["fuzz", "--workers", "1", "--programs", "50", "--target", "command:yes"];
    const { status, stdout, stderr } = await soundcheck(args, { cwd: directory() });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^soundcheck: --target command:yes: it does not answer a program .*\n$/);
  });

  test("a seeded verifier is found out, its finding replays, and it does not become ours", async () => {
    const cwd = directory();
    const target = "seeded:alu32-by-64-bit-bounds";
    const args = ["fuzz", "--workers", "1", "--programs", "12", "--guidance", "none", "--out", "c"];
    const { status, stdout } = await soundcheck([...args, "--target", target], { cwd });
    expect(status).toBe(1);
    const replay = /Replay with: soundcheck (fuzz --replay c\/findings\/containment-.*)/.exec(stdout)?.[1];
    const again = await soundcheck(replay?.split(" ") ?? [], { cwd });
    expect(again).toMatchObject({ status: 1, stdout: expect.stringContaining(`under test: ${target}`) });
    expect(await soundcheck(args, { cwd })).toMatchObject({
      status: 2,
      stderr: `soundcheck: c: holds a campaign against ${target}, not ours\n`,
    });
  });

  test("an oracle that is not one is bad usage", async () => {
    const { status, stderr } = await soundcheck(["fuzz", "--oracle", "luck"], { cwd: directory() });
    expect(status).toBe(2);
    expect(stderr).toContain("It must be one of certificate, containment");
  });
});
