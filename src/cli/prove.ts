/** `soundcheck prove`: the theorems, decided by solvers. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { exhibitsOf, type Refutation, refutationsOf, wrongRefutationsOf } from "../campaign/refutation.ts";
import { type Ledger, readLedger, writeLedger } from "../proof/ledger.ts";
import { Pool } from "../proof/pool.ts";
import { Prover } from "../proof/prove.ts";
import { holds, ledgerAfter, runTheorems, type TheoremReport } from "../proof/run.ts";
import type { SolverName } from "../proof/solver-names.ts";
import type { Theorem } from "../proof/theorem.ts";
import { theorems as catalogue } from "../proof/theorems/index.ts";
import type { ChildOptions } from "../proof/z3-process.ts";
import { InputError, inFile } from "../semantics/errors.ts";
import { chosenSolvers, chosenTheorems, sampled } from "./prove-choice.ts";
import { ProveDisplay } from "./prove-progress.ts";
import { csv, type ProveSummary, summaryJson, theoremJson } from "./prove-report.ts";
import { proveTotals, refutationText, remainsText, theoremList, theoremTable } from "./prove-table.ts";
import { STATUS, type Status } from "./status.ts";
import { note, out, outJson } from "./terminal.ts";

export type OutputFormat = "table" | "csv" | "json" | "ndjson";

export interface ProveOptions {
  readonly all?: true;
  readonly jobs: number;
  /** Seconds that a solver may take for an obligation. */
  readonly timeout: number;
  readonly solver: readonly SolverName[];
  readonly cross?: true;
  readonly wrong?: true;
  readonly list?: true;
  readonly keep?: true;
  readonly sample: number;
  readonly seed: number;
  /** The ledger's file; false for none, by default the one that comes with the package. */
  readonly ledger?: string | false;
  readonly output: OutputFormat;
  readonly json?: true;
}

/** What tests put in place of the catalogue, the solvers' process, and the folders for programs and questions. */
export interface ProveSetting {
  readonly theorems?: readonly Theorem[];
  readonly child?: ChildOptions;
  readonly kept?: string;
  readonly disagreements?: string;
}

const HOME = fileURLToPath(new URL("../../", import.meta.url));
const LEDGER = join(HOME, "properties/ledger.json");
const KEPT = join(HOME, "corpus/proofs");
/** Where questions go that solvers disagree about, from the working directory. */
const DISAGREEMENTS = "artifacts/disagreements";

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

async function ledgerIn(file: string): Promise<Ledger> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return new Map();
    throw new InputError(`${file}: the ledger cannot be read: ${messageOf(error)}`, { cause: error });
  }
  return inFile(file, () => readLedger(text));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Writes a file in one step: whoever reads it meets the old one or the new one. */
async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, text);
    await rename(temporary, file);
  } catch (error) {
    throw new InputError(`${file}: cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

const fileNameOf = (...parts: readonly string[]): string =>
  parts
    .join(" ")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");

async function keep(refutations: readonly Refutation[], folder: string): Promise<void> {
  for (const { theorem, wrong, shown } of refutations) {
    if (shown.kind !== "program" || !shown.exhibit.confirmed) continue;
    const file = join(folder, `${fileNameOf(theorem.name, wrong ?? "")}.prog.json`);
    await writeWhole(file, shown.exhibit.bundle);
    note(`kept: ${file}`);
  }
}

async function saveDisagreements(reports: readonly TheoremReport[], folder: string): Promise<void> {
  for (const { theorem, result } of reports) {
    if (result.kind !== "disagreement") continue;
    const file = join(folder, `${fileNameOf(theorem.name, result.obligation.name)}.smt2`);
    const logic = result.obligation.logic === "bits" ? "QF_BV" : "ALL";
    await writeWhole(file, `(set-logic ${logic})\n${result.text}(check-sat)\n`);
    note(`the question that solvers disagree about: ${file}`);
  }
}

function print(summary: ProveSummary, format: OutputFormat): void {
  const { reports, refutations } = summary;
  switch (format) {
    case "csv":
      out(csv(reports));
      return;
    case "json": {
      const all = reports.map((report) => theoremJson(report, summary));
      out(`${JSON.stringify({ theorems: all, ...summaryJson(summary) }, undefined, 2)}\n`);
      return;
    }
    case "ndjson":
      for (const report of reports) outJson(theoremJson(report, summary));
      outJson(summaryJson(summary));
      return;
    case "table":
      out(`${theoremTable(reports)}\n${refutations.map(refutationText).join("")}`);
      out(`${remainsText(summary)}${proveTotals(summary)}`);
  }
}

function statusOf({ reports, refutations, wrongRefutations }: ProveSummary, interrupted: boolean): Status {
  if (interrupted) return STATUS.interrupted;
  const shown = exhibitsOf([...refutations, ...wrongRefutations]);
  return shown.every(({ confirmed }) => confirmed) && reports.every(holds) ? STATUS.held : STATUS.found;
}

function list(theorems: readonly Theorem[], format: OutputFormat): Status {
  if (format === "table") out(theoremList(theorems));
  else
    for (const { name, subject, says, width, full, inputs, open, assumptions, wrong } of theorems) {
      const versions = wrong.map((version) => version.name);
      outJson({
        theorem: name,
        subject,
        says,
        width,
        full,
        inputs,
        open: open ?? null,
        assumptions: assumptions ?? [],
        wrong: versions,
      });
    }
  return STATUS.held;
}

/** @throws InputError for names of nothing, a solver that is not there, a ledger that cannot be read or written */
export async function prove(
  names: readonly string[],
  options: ProveOptions,
  setting: ProveSetting = {},
): Promise<Status> {
  const { theorems = catalogue(), child = {}, kept = KEPT, disagreements = DISAGREEMENTS } = setting;
  const format = options.json === true ? "ndjson" : options.output;
  const chosen = chosenTheorems(theorems, names);
  if (options.list === true) return list(chosen, format);
  const { ledger: ledgerFile = LEDGER } = options;
  const before: Ledger = ledgerFile === false ? new Map() : await ledgerIn(ledgerFile);
  const { solvers, notes } = await chosenSolvers(options.solver, options.cross === true, child);
  const now = (): number => performance.now();
  const start = now();
  const pool = new Pool(options.jobs, now);
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort();
    pool.stop();
  };
  process.once("SIGINT", interrupt);
  for (const line of notes) note(line);
  const display = new ProveDisplay(now);
  let reports: readonly TheoremReport[];
  try {
    reports = await runTheorems(chosen, {
      pool,
      prover: new Prover({ pool, solvers, timeoutMs: options.timeout * 1000 }),
      ledger: options.all === true ? new Map() : before,
      secondsBefore: before,
      sample: (unchanged) => sampled(unchanged, options.sample, options.seed),
      wrong: options.wrong === true,
      progress: display.show,
      signal: interruption.signal,
    });
  } finally {
    display.clear();
    pool.stop();
    process.off("SIGINT", interrupt);
  }
  if (ledgerFile !== false) {
    const [old, text] = [writeLedger(before), writeLedger(ledgerAfter(before, reports))];
    if (text !== old) await writeWhole(ledgerFile, text);
  }
  const summary: ProveSummary = {
    reports,
    refutations: refutationsOf(reports),
    wrongRefutations: wrongRefutationsOf(reports),
    seconds: (now() - start) / 1000,
    jobs: options.jobs,
  };
  print(summary, format);
  await saveDisagreements(reports, disagreements);
  if (options.keep === true) await keep([...summary.refutations, ...summary.wrongRefutations], kept);
  return statusOf(summary, interruption.signal.aborted);
}
