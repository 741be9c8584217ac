/** `soundcheck verify --stats`: a row of figures for each program, in the manner of veristat, alone or beside those of an earlier run. */

import { basename } from "node:path";
import { inFile } from "../semantics/errors.ts";
import type { Program } from "../semantics/program/program.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";
import { encodeCertificate } from "../verifier/certificate-format/encode.ts";
import { checkCertificate } from "../verifier/check-certificate.ts";
import { displayName, readBytes, readProgramFile } from "./files.ts";
import { rules } from "./rules.ts";
import { filterAll, orderBy } from "./stats/choose.ts";
import { type Entry, pairUp, type Selector, valueOf } from "./stats/entry.ts";
import { columnsNamed, type Figures, NUMBERS, type StatColumn } from "./stats/figures.ts";
import { figuresFromCsv } from "./stats/file.ts";
import { entriesToCsv, entryJson, selectorsOf, tableText } from "./stats/print.ts";
import { attempt, report, STATUS, type Status, worse } from "./status.ts";
import { breathe, complain, out, outJson } from "./terminal.ts";
import { answerOfEncoding, timedVerify } from "./verify.ts";

export interface StatsOptions {
  readonly filter?: readonly string[];
  readonly sort?: string;
  readonly emit?: string;
  readonly output?: "table" | "csv" | "json" | "ndjson";
  readonly json?: true;
  readonly program?: string;
  /** Of programs in sections whose names say nothing. */
  readonly type?: ProgramType;
  /** A file of figures to compare with. */
  readonly compare?: string;
  /** Only rows of a comparison in which something but times differs. */
  readonly changed?: true;
}

const NAMES: readonly StatColumn[] = ["file_name", "prog_name", "verdict"];
/** Times differ from run to run: they are compared only if asked for. */
const STEADY = NUMBERS.filter((column) => column !== "duration" && column !== "check_duration");

const microseconds = (ms: number): number => Math.round(ms * 1000);

/** A first verification makes the operators that it is the first to use: where that may be what took the time, a second one is measured. */
const SHORT_MS = 500;

function measure(file: string, program: Program): Figures {
  const first = timedVerify(program);
  const { verdict, ms } = first.ms < SHORT_MS ? timedVerify(program) : first;
  const { processed, totalStates, peakStates, maxStatesPerInsn } = verdict.statistics;
  return {
    file_name: basename(file),
    prog_name: program.name,
    verdict: verdict.verdict,
    numbers: {
      duration: microseconds(ms),
      total_insns: processed,
      total_states: totalStates,
      peak_states: peakStates,
      max_states_per_insn: maxStatesPerInsn,
      size: program.insns.length,
      ...(verdict.verdict === "accept" ? measureCertificate(program, verdict.certificate) : {}),
    },
  };
}

function measureCertificate(
  program: Program,
  certificate: Parameters<typeof checkCertificate>[1],
): Figures["numbers"] {
  const start = performance.now();
  checkCertificate(program, certificate, undefined, rules());
  return {
    check_duration: microseconds(performance.now() - start),
    certificate_nodes: certificate.nodes.length,
    certificate_bytes: encodeCertificate(certificate).length,
  };
}

interface Measured {
  readonly rows: readonly Figures[];
  readonly status: Status;
}

/** The figures of a file's programs; those in a file of figures as they are. */
async function measureFile(file: string, { program: name, type }: StatsOptions): Promise<Measured> {
  if (file.endsWith(".csv")) return { rows: await readFigures(file), status: STATUS.held };
  const { programs, failures } = await readProgramFile(file, type);
  const rows: Figures[] = [];
  let status: Status = STATUS.held;
  for (const failure of failures) {
    complain(`${displayName(file)}: ${failure.name}: ${failure.message}`);
    status = STATUS.impossible;
  }
  for (const program of programs) {
    if (name !== undefined && program.name !== name) continue;
    const place = `${displayName(file)}: ${program.name}`;
    status = worse(
      status,
      await attempt(place, () => {
        rows.push(measure(displayName(file), program));
        return STATUS.held;
      }),
    );
    await breathe();
  }
  return { rows, status };
}

async function readFigures(file: string): Promise<readonly Figures[]> {
  const bytes = await readBytes(file);
  return inFile(displayName(file), () => figuresFromCsv(new TextDecoder().decode(bytes)));
}

async function measureAll(files: readonly string[], options: StatsOptions): Promise<Measured> {
  const rows: Figures[] = [];
  let status: Status = STATUS.held;
  for (const file of files) {
    try {
      const measured = await measureFile(file, options);
      rows.push(...measured.rows);
      status = worse(status, measured.status);
    } catch (error) {
      // What nobody decodes is refused before a verifier sees it: a row without figures.
      const refused = answerOfEncoding(error);
      if (refused === undefined) status = worse(status, report(error, displayName(file)));
      else
        rows.push({
          file_name: basename(file),
          prog_name: refused.name,
          verdict: refused.verdict,
          numbers: {},
        });
    }
  }
  return { rows, status };
}

const hasChanged = (entry: Entry): boolean =>
  (["verdict", ...STEADY] as const).some((column) => {
    const [a, b] = (["a", "b"] as const).map((variant) => valueOf(entry, { column, variant }));
    return (
      a !== b && (entry.a === undefined || entry.b === undefined || (a !== undefined && b !== undefined))
    );
  });

function print(entries: readonly Entry[], selectors: readonly Selector[], options: StatsOptions): void {
  const comparing = options.compare !== undefined;
  switch (options.json === true ? "ndjson" : (options.output ?? "table")) {
    case "table":
      out(tableText(entries, selectors, comparing));
      break;
    case "csv":
      out(entriesToCsv(entries, selectors, comparing));
      break;
    case "json":
      out(`${JSON.stringify(entries.map((entry) => entryJson(entry, selectors, comparing)))}\n`);
      break;
    case "ndjson":
      for (const entry of entries) outJson(entryJson(entry, selectors, comparing));
  }
}

/** Prints the figures of all programs. The status says whether everything could be read, not what the verdicts are. */
export async function verifyStats(files: readonly string[], options: StatsOptions): Promise<Status> {
  const { compare } = options;
  const passes = filterAll(options.filter ?? []);
  const order = options.sort === undefined ? undefined : orderBy(options.sort);
  const numbers = compare === undefined ? NUMBERS : (["total_insns", "total_states"] as const);
  const columns = options.emit === undefined ? [...NAMES, ...numbers] : columnsNamed(options.emit);
  const before = compare === undefined ? undefined : await readFigures(compare);
  const { rows, status } = await measureAll(files, options);
  const paired = before === undefined ? rows.map((b): Entry => ({ b })) : pairUp(before, rows);
  const entries = paired.filter((entry) => passes(entry) && (options.changed !== true || hasChanged(entry)));
  if (order !== undefined) entries.sort(order);
  print(entries, selectorsOf(columns, compare !== undefined), options);
  return status;
}
