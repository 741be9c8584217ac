/**
 * Generated traces of system calls on the runtime and on a kernel, this machine's or a guest's:
 *
 *     npx tsx scripts/traces.ts --traces 10000 --length 50 --seed 1 --jobs 2 --out artifacts/traces
 *     npx tsx scripts/traces.ts --kernel linux-7.3 --traces 100
 *     npx tsx scripts/traces.ts --kernel linux-7.3 --traces 20 --setting kernel.unprivileged_bpf_disabled=1
 *
 * Trace i has the seed --seed plus i. What differs is made smaller and written to --out. Exits with 1 if anything differs.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Tally, tryTrace } from "../src/campaign/traces/campaign.ts";
import { writeTrace } from "../src/campaign/traces/trace-file.ts";
import { openWorld } from "../src/cli/worlds.ts";

/** How long a trace on which the systems differ is made smaller. */
const SHRINK_MS = 20_000;

const { values } = parseArgs({
  options: {
    traces: { type: "string", default: "200" },
    length: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: "1" },
    /** `linux`, the running one; or a guest (`linux-7.3`). */
    kernel: { type: "string", default: "linux" },
    /** A sysctl of a guest. */
    setting: { type: "string", multiple: true, default: [] },
    /** After so long no further traces are begun. */
    seconds: { type: "string", default: "1000000" },
    out: { type: "string", default: "artifacts/traces" },
    /** Which of the jobs this process is; given by the process that starts them. */
    job: { type: "string" },
  },
});
const [traces, length, seed, jobs] = [values.traces, values.length, values.seed, values.jobs].map(Number);
if (traces === undefined || length === undefined || seed === undefined || jobs === undefined)
  throw new Error("numbers are missing");

/** The traces of one job: every so-manieth. */
function work(job: number, all: number, first: number, most: number, size: number): void {
  const world = openWorld(
    values.kernel,
    values.setting.map((each) => {
      const [name = "", value = ""] = each.split("=");
      return [name, value] as const;
    }),
  );
  const tally: Tally = new Map();
  let found = 0;
  let done = 0;
  const end = performance.now() + 1000 * Number(values.seconds);
  for (let index = job; index < all && performance.now() < end; index += most) {
    done += 1;
    if (Math.floor(index / most) % 100 === 99) console.error(`job ${job}: at trace ${index}`);
    const finding = tryTrace(world, first + index, size, tally, SHRINK_MS);
    if (finding === undefined) continue;
    found += 1;
    mkdirSync(values.out, { recursive: true });
    const about = [JSON.stringify(finding.comparison)];
    writeFileSync(join(values.out, `seed-${finding.seed}.jsonl`), writeTrace(about, finding.operations));
    console.error(`seed ${finding.seed}: ${JSON.stringify(finding.comparison)}`);
  }
  world.stop();
  console.log(JSON.stringify({ done, found, tally: [...tally] }));
}

/** Starts the jobs, and adds up what they say. */
async function lead(count: number): Promise<void> {
  const started = performance.now();
  const script = fileURLToPath(import.meta.url);
  const outputs = await Promise.all(
    Array.from({ length: count }, async (_, job) => {
      const given = [...process.execArgv, script, ...process.argv.slice(2), "--job", String(job)];
      const child = spawn(process.execPath, given, { stdio: ["ignore", "pipe", "inherit"] });
      let text = "";
      for await (const chunk of child.stdout) text += String(chunk);
      return text;
    }),
  );
  const all: Tally = new Map();
  let [found, done] = [0, 0];
  for (const output of outputs) {
    const part: { done: number; found: number; tally: [string, { succeeded: number; failed: number }][] } =
      JSON.parse(output);
    found += part.found;
    done += part.done;
    for (const [name, { succeeded, failed }] of part.tally) {
      const counts = all.get(name) ?? { succeeded: 0, failed: 0 };
      all.set(name, { succeeded: counts.succeeded + succeeded, failed: counts.failed + failed });
    }
  }
  const steps = [...all.values()].reduce((sum, { succeeded, failed }) => sum + succeeded + failed, 0);
  const seconds = (performance.now() - started) / 1000;
  for (const [name, { succeeded, failed }] of [...all].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(
      `${name.padEnd(28)} ${String(succeeded).padStart(8)} succeeded ${String(failed).padStart(8)} failed`,
    );
  console.log(`${done} traces, ${steps} operations, ${found} differences, ${seconds.toFixed(1)} s`);
  process.exitCode = found === 0 ? 0 : 1;
}

if (values.job === undefined) await lead(jobs);
else work(Number(values.job), traces, seed, jobs, length);
