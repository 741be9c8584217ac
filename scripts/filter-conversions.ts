/**
 * Have Z3 show, for every filter of `corpus/classic/expressions.json`, that it and its conversion to eBPF return the same for every packet of up to 128 bytes; and have our
 * verifier accept each conversion. `npx tsx scripts/filter-conversions.ts`; exits with 1 if anything is not shown. `--compile` writes the corpus
 * file anew with the tcpdump that is there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { conversionDifference, GEOMETRIES } from "../properties/classic/equivalence.ts";
import { readExpressions, writeExpressions } from "../properties/classic/expression-corpus.ts";
import { EXPRESSIONS } from "../properties/classic/expressions.ts";
import { compiledForEthernet, tcpdumpVersion } from "../properties/classic/tcpdump.ts";
import { convertFilter } from "../src/semantics/classic/convert.ts";
import { readDecimal } from "../src/semantics/classic/numbers.ts";
import { startZ3 } from "../src/semantics/term/z3.ts";
import { verify } from "../src/verifier/verify.ts";

const CORPUS = new URL("../corpus/classic/expressions.json", import.meta.url);

function compile(): void {
  const version = tcpdumpVersion();
  if (version === undefined) throw new Error("there is no tcpdump");
  const compiled = EXPRESSIONS.map((expression) => ({
    expression,
    filter: readDecimal(compiledForEthernet(expression)),
  }));
  writeFileSync(CORPUS, writeExpressions(version, compiled));
}

async function prove(): Promise<void> {
  const z3 = await startZ3();
  const expressions = readExpressions(readFileSync(CORPUS, "utf8"));
  const began = performance.now();
  let [shown, accepted, slowest, insns] = [0, 0, 0, 0];
  for (const { expression, filter } of expressions) {
    const program = convertFilter("filter", filter, "socket");
    insns += program.insns.length;
    const { verdict } = verify(program);
    if (verdict === "accept") accepted += 1;
    else console.log(`${expression}: ${verdict}`);
    for (const geometry of GEOMETRIES) {
      const from = performance.now();
      const { result } = await z3.solve(conversionDifference(filter, "socket", geometry), 120_000);
      slowest = Math.max(slowest, performance.now() - from);
      if (result === "unsat") shown += 1;
      else console.log(`${expression}: ${result} with offset 0 at byte ${geometry.data}`);
    }
  }
  await z3.stop();
  const questions = expressions.length * GEOMETRIES.length;
  if (shown < questions || accepted < expressions.length) process.exitCode = 1;
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  console.log(
    `${z3.version}: ${shown} of ${questions} questions about ${expressions.length} filters (${insns} instructions of eBPF) shown in ` +
      `${seconds(performance.now() - began)} s, the slowest in ${seconds(slowest)} s; ${accepted} conversions accepted`,
  );
}

if (process.argv.includes("--compile")) compile();
else await prove();
