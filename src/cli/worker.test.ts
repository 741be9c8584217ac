/** `fuzz --queue`, `corpus run --queue` and `worker`, with a real server, and workers that are killed. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { COMMAND, directory, type Ended, jsonLines, soundcheck } from "./testing.ts";

const REDIS = spawnSync("redis-server", ["--version"]).status === 0;
const started: ChildProcess[] = [];

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

function start(words: readonly string[], cwd: string): ChildProcess {
  const [program = "", ...args] = words;
  const child = spawn(program, args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
  started.push(child);
  return child;
}

async function redis(): Promise<string> {
  const port = await freePort();
  start(
    ["redis-server", "--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    directory(),
  );
  return `redis://127.0.0.1:${port}`;
}

const worker = (queue: string): ChildProcess =>
  start([...COMMAND, "worker", "--queue", queue, "--workers", "1"], directory());

/** Bundles that return their number; the second one is expected to return another. */
const entries = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [0, 1, 2].map((number) => [
      `${number}.prog.json`,
      JSON.stringify({
        name: `p${number}`,
        type: "socket_filter",
        license: "GPL",
        asm: [`r0 = ${number}`, "exit"],
        expect: { verdict: "accept", runs: [{ packet: "00".repeat(20), retval: number === 1 ? 7 : number }] },
      }),
    ]),
  );

/** What was said, without how long it took. */
const timeless = ({ stdout }: Ended): string => stdout.replaceAll(/"(ms|seconds)":[\d.e-]+/g, '"$1":0');

afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
});

describe("without a server", () => {
  test("the reason is told in one line", async () => {
    const url = `redis://me:secret@127.0.0.1:${await freePort()}`;
    const shown = url.replace("secret", "…");
    for (const command of [["worker"], ["fuzz"], ["corpus", "run"]]) {
      expect(await soundcheck([...command, "--queue", url], { cwd: directory() })).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(
          new RegExp(`^soundcheck: --queue ${shown}: no server answers: .*ECONNREFUSED.*\n$`),
        ),
      });
    }
  });

  test("a profile that workers do not have is refused", async () => {
    const cwd = directory({ "mine.json": "{}" });
    const args = ["corpus", "run", "--queue", "redis://127.0.0.1:1", "--profile", "mine.json"];
    expect(await soundcheck(args, { cwd })).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^soundcheck: --profile mine.json: with --queue it is one of linux-/),
    });
  });
});

describe.skipIf(!REDIS)("with a server (redis-server is installed)", () => {
  test("the jobs of a worker that is killed are done by another, and each counts once", async () => {
    const queue = await redis();
    const cwd = directory();
    const first = worker(queue);
    const args = [
      "fuzz",
      "--queue",
      queue,
      "--seconds",
      "600",
      "--runs",
      "0",
      "--programs",
      "200",
      "--out",
      "c",
    ];
    const campaign = soundcheck([...args, "--json"], { cwd });
    while (!existsSync(join(cwd, "c", "stats.json"))) await sleep(50);
    first.kill("SIGKILL");
    worker(queue);
    const ended = await campaign;
    expect(ended.status).toBe(0);
    expect(jsonLines(ended)).toMatchObject([
      { summary: { next: 201, tally: { programs: 200 }, findings: { total: 0 } } },
    ]);
  });

  test("the entries of a worker that is killed are checked by another, and the answer is that without a queue", async () => {
    const url = await redis();
    const cwd = directory(entries());
    const first = worker(url);
    const args = ["corpus", "run", "--in", ".", "--runs", "3000", "--json"];
    const run = soundcheck([...args, "--queue", url], { cwd });
    const client = new Redis(url);
    const active = async (): Promise<readonly string[]> =>
      client.lrange((await client.keys("bull:*:active"))[0] ?? "", 0, -1);
    let held: readonly string[] = [];
    while (held.length === 0) held = await active();
    first.kill("SIGKILL");
    await once(first, "exit");
    // It was killed while it worked.
    expect(await active()).toEqual(held);
    client.disconnect();
    worker(url);
    const [ended, alone] = await Promise.all([run, soundcheck(args, { cwd })]);
    expect(ended.status).toBe(1);
    expect(jsonLines(ended)).toMatchObject([
      { file: "0.prog.json", runs: 3000, finding: false },
      { file: "1.prog.json", runs: 3000, finding: true },
      { file: "2.prog.json", runs: 3000, finding: false },
      { summary: { entries: 3, findings: 1 } },
    ]);
    expect(timeless(ended)).toEqual(timeless(alone));
  });
});
