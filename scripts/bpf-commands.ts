/**
 * Compares calls of bpf(2) with the running kernel's at length, and brings docs/commands.md's tables up to date:
 *
 *     npx tsx scripts/bpf-commands.ts --calls 20000 --seed 1 --write [--command btf_load,prog_load]
 *
 * A difference ends it with status 1, with the calls that show it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { COMPARED, compareSequences, LENGTH, supported } from "../properties/commands/compare.ts";
import { errnoName } from "../src/oracle/linux/errno.ts";
import { Processes } from "../src/oracle/linux/processes.ts";

const PAGE = "docs/commands.md";
const [BEGIN, END] = ["<!-- figures: scripts/bpf-commands.ts -->\n", "<!-- end of figures -->\n"];
/** Differences that are shown. */
const SHOWN = 5;

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    command: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const reason = supported();
if (reason !== undefined) throw new Error(reason);
const processes = new Processes(process.env);
const sequences = Math.ceil(Number(values.calls) / LENGTH);
const only = COMPARED.filter((command) => (values.command ?? "").split(",").includes(command));
const { differences, tally } = compareSequences(processes, {
  seed: Number(values.seed),
  sequences,
  ...(only.length === 0 ? {} : { commands: only }),
});
processes.stop();

for (const { seed, capabilities, steps, what } of differences.slice(0, SHOWN)) {
  console.error(`Failing input: sequence ${seed}, capabilities ${capabilities.join(", ") || "none"}`);
  for (const step of steps) console.error(JSON.stringify(step));
  console.error(`${what}\n`);
}

/** Names of errors by their numbers, 0 for success. */
const nameOf = (result: number): string => (result === 0 ? "success" : errnoName(-result));

function table(): string {
  const rows = COMPARED.map((command) => {
    const ways = [...tally.ways].flatMap(([way, count]) => {
      const [of = "", result = ""] = way.split(" ");
      return of === command ? [{ result: Number(result), count }] : [];
    });
    const total = ways.reduce((sum, { count }) => sum + count, 0);
    const successes = ways.find(({ result }) => result === 0)?.count ?? 0;
    const errors = ways
      .filter(({ result }) => result !== 0)
      .sort((a, b) => b.result - a.result)
      .map(({ result, count }) => `${nameOf(result)} ${count}`);
    return `| \`${command}\` | ${total.toLocaleString("en")} | ${successes.toLocaleString("en")} | ${errors.join(", ")} |`;
  });
  const pairs = tally.ways.size;
  const head = `${tally.calls.toLocaleString("en")} calls in ${sequences.toLocaleString("en")} sequences, ${differences.length} differences, ${tally.unsupported.toLocaleString("en")} further ones not modelled (seed ${values.seed}); ${pairs} pairs of a command and what came of it.`;
  return `${head}\n\n| command | calls | without an error | errors, and how often |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`;
}

if (values.write) {
  const page = readFileSync(PAGE, "utf8");
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has no place for figures`);
  writeFileSync(PAGE, `${before}${BEGIN}${table()}${END}${after}`);
} else {
  console.log(table());
}
process.exit(differences.length === 0 ? 0 : 1);
