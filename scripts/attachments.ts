/**
 * Attachments beside the running kernel: traces by chance of programs that are attached, replaced, queried and detached, done by the runtime and by Linux. After each operation result,
 * what was written, what is alive and every process's descriptors are the same. `npx tsx scripts/attachments.ts --operations 20000 --seed 1 [--area xdp]`
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { generator } from "../src/campaign/random.ts";
import { AREAS } from "../src/campaign/traces/attachment-scenes.ts";
import { compareTrace } from "../src/campaign/traces/compare.ts";
import { attachmentTrace } from "../src/campaign/traces/generate-attachments.ts";
import { LinuxSystem } from "../src/campaign/traces/linux/linux-system.ts";
import { World } from "../src/campaign/traces/linux/world.ts";
import { Runtime } from "../src/kernel/runtime.ts";
import { Processes } from "../src/oracle/linux/processes.ts";

const LENGTH = 60;
const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    area: { type: "string" },
  },
});
const areas = AREAS.filter((area) => values.area === undefined || area === values.area);
const random = generator(Number(values.seed));
const world = new World(new Processes(process.env));
/** As many processors and the settings that Linux has here. */
const options = { ...world.runtimeOptions(), cpus: cpus().length };
const counts = new Map<string, number>();
let done = 0;
let different = 0;
try {
  for (let trace = 0; done < Number(values.operations); trace += 1) {
    const area = areas[trace % areas.length];
    if (area === undefined) throw new Error(`there is no area ${values.area}: ${AREAS.join(", ")}`);
    const operations = attachmentTrace(random, area, LENGTH, new Runtime(options));
    const runtime = new Runtime(options);
    const linux = new LinuxSystem(world, true);
    const systems = [
      { name: "runtime", system: runtime },
      { name: "linux", system: linux },
    ];
    const comparison = compareTrace(operations, systems, (_, operation, [first]) => {
      done += 1;
      const name = operation.do === "bpf" ? String(operation.command) : operation.do;
      const result = first?.answer.result ?? 0;
      const key = `${name} ${result < 0 ? result : "ok"}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    });
    linux.end();
    const wrong = runtime.audit();
    const { difference } = comparison;
    if (difference !== undefined || wrong.length > 0) {
      different += 1;
      process.stdout.write(`${area}, trace ${trace}: ${JSON.stringify(difference)} ${wrong.join("; ")}\n`);
      const until = difference === undefined ? operations.length : difference.step + 1;
      for (const operation of operations.slice(0, until))
        process.stdout.write(`${JSON.stringify(operation)}\n`);
    }
  }
} finally {
  world.stop();
}
const successes = [...counts]
  .filter(([key]) => key.endsWith("ok"))
  .reduce((sum, [, count]) => sum + count, 0);
process.stdout.write(
  `${done} operations, ${successes} of them without an error, ${counts.size} pairs of operation and result; ${different} differences\n`,
);
process.exitCode = different === 0 ? 0 : 1;
