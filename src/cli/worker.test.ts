/** `fuzz --queue` and `worker`, with a real server, and workers that are killed. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { COMMAND, directory, jsonLines, soundcheck } from "./testing.ts";

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

afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
});

describe("without a server", () => {
  test("the reason is told in one line", async () => {
    const url = `redis://me:secret@127.0.0.1:${await freePort()}`;
    const shown = url.replace("secret", "…");
    for (const command of ["worker", "fuzz"]) {
      expect(await soundcheck([command, "--queue", url], { cwd: directory() })).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(
          new RegExp(`^soundcheck: --queue ${shown}: no server answers: .*ECONNREFUSED.*\n$`),
        ),
      });
    }
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
});
