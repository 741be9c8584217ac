/** `soundcheck compare`: our verdicts beside those of kernels. */
import { isDeepStrictEqual } from "node:util";
import type { CheckedVerdict } from "../campaign/check-report.ts";
import { type Comparison, compareFile, type Skipped } from "../campaign/compare/compare.ts";
import { complaintOf } from "../campaign/compare/complaint.ts";
import { isUnexplained } from "../campaign/compare/relation.ts";
import { byWeight, tally, unsupportedFeatures } from "../campaign/compare/tally.ts";
import { InputError } from "../semantics/errors.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";
import { comparisonTable, comparisonTotals, differenceText } from "./compare-table.ts";
import { corpusFiles, inCorpus, knownDifferences } from "./corpus.ts";
import { displayName, readBytes } from "./files.ts";
import { type OpenKernel, openKernel } from "./kernels.ts";
import { attempt, report, STATUS, type Status, worse } from "./status.ts";
import { breathe, complain, note, out, outJson } from "./terminal.ts";

export interface CompareCommandOptions {
  readonly json?: true;
  /** Names of kernels. */
  readonly with: readonly string[];
  readonly type?: ProgramType;
  readonly program?: string;
  /** Show only programs on which the verdicts differ or that could not be compared. */
  readonly differences?: true;
}

export async function compare(names: readonly string[], options: CompareCommandOptions): Promise<Status> {
  const kernels: OpenKernel[] = [];
  try {
    let status: Status = STATUS.held;
    for (const name of new Set(options.with)) {
      status = worse(
        status,
        await attempt(name, () => {
          kernels.push(openKernel(name));
          return STATUS.held;
        }),
      );
    }
    return status === STATUS.held ? await compareWith(kernels, names, options) : status;
  } finally {
    for (const { close } of kernels) close();
  }
}

async function compareWith(
  kernels: readonly OpenKernel[],
  names: readonly string[],
  options: CompareCommandOptions,
): Promise<Status> {
  const known = knownDifferences();
  const comparisons: Comparison[] = [];
  const skipped: Skipped[] = [];
  let status: Status = STATUS.held;
  for (const name of names.length === 0 ? corpusFiles() : names) {
    const compareOne = async (): Promise<Status> => {
      const file = { name: displayName(name), bytes: await readBytes(name) };
      let own: Status = STATUS.held;
      for (const { kernel } of kernels) {
        const result = compareFile(file, {
          kernel,
          known,
          ofCorpus: inCorpus,
          now: () => performance.now(),
          ...(options.type === undefined ? {} : { defaultType: options.type }),
        });
        const wanted = result.comparisons.filter(
          ({ program }) => options.program === undefined || program.name === options.program,
        );
        comparisons.push(...wanted);
        skipped.push(
          ...result.skipped.filter((each) => !skipped.some((before) => isDeepStrictEqual(each, before))),
        );
        for (const each of wanted) if (options.json === true) outJson(comparisonJson(each));
        for (const { file: place, program, error } of result.faults) {
          own = worse(own, report(error, `${place}: ${program}`));
        }
        await breathe();
      }
      return own;
    };
    status = worse(status, await attempt(displayName(name), compareOne));
  }
  if (options.program !== undefined && comparisons.length === 0) {
    return worse(status, report(new InputError(`no file has a program ${options.program}`)));
  }
  return worse(status, tell(comparisons, skipped, options));
}

/** Prints the outcome. The status is that of the comparisons alone: what is left out or not modelled is named and is no difference. */
function tell(
  comparisons: readonly Comparison[],
  skipped: readonly Skipped[],
  options: CompareCommandOptions,
): Status {
  for (const { file, program, reason } of skipped) {
    note(`left out: ${file}${program === undefined ? "" : `: ${program}`}: ${reason}`);
  }
  const shown = byWeight(
    options.differences === true
      ? comparisons.filter(({ relation }) => relation.kind !== "same")
      : comparisons,
  );
  if (options.json === true) outJson(summaryJson(comparisons, skipped));
  else {
    const parts = [comparisonTable(shown), differenceText(shown), comparisonTotals(comparisons, skipped)];
    out(parts.filter((part) => part !== "").join("\n"));
  }
  const open = comparisons.filter(({ relation }) => isUnexplained(relation)).length;
  if (open > 0) complain(`${open} unexplained ${open === 1 ? "difference" : "differences"}`);
  return open > 0 ? STATUS.found : STATUS.held;
}

function verdictJson({ verdict, errno, message, insn, processed, ms }: CheckedVerdict): object {
  return {
    verdict,
    errno: errno ?? null,
    message: message ?? null,
    complaint: verdict === "reject" ? complaintOf(message ?? "") : null,
    insn: insn ?? null,
    processed: processed ?? null,
    ms: Math.round(ms * 1000) / 1000,
  };
}

function comparisonJson({ file, program, kernel, ours, theirs, relation }: Comparison): object {
  return {
    file,
    name: program.name,
    type: program.type,
    attach: program.attach ?? null,
    section: program.section ?? null,
    kernel: kernel.name,
    release: kernel.release,
    ours: verdictJson(ours),
    theirs: "incomparable" in theirs ? null : verdictJson(theirs),
    relation: relation.kind,
    reason: relation.reason ?? null,
    unexplained: isUnexplained(relation),
  };
}

function summaryJson(comparisons: readonly Comparison[], skipped: readonly Skipped[]): object {
  const { counts, unexplained, programs, compared, agreed } = tally(comparisons);
  return {
    summary: {
      programs,
      compared,
      agreed,
      relations: counts,
      unexplained,
      unsupported: unsupportedFeatures(comparisons),
      skipped,
    },
  };
}
