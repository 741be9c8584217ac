/** What a run of theorems found, as values: for JSON, CSV, and the texts of prove-table.ts. */
import type { Refutation } from "../campaign/refutation.ts";
import { holds, type TheoremReport } from "../proof/run.ts";
import { csvText } from "./csv.ts";

export interface ProveSummary {
  readonly reports: readonly TheoremReport[];
  readonly refutations: readonly Refutation[];
  /** Of wrong versions; they are asked for. */
  readonly wrongRefutations: readonly Refutation[];
  /** From start to end. */
  readonly seconds: number;
  readonly jobs: number;
}

/** Why a theorem is not proved, in words; nothing if it is. */
export function reasonOf({ result }: TheoremReport): string | undefined {
  switch (result.kind) {
    case "open":
      return result.reason;
    case "unknown":
      return `${result.obligation.name}: ${result.reason}`;
    case "refuted":
      return `${result.obligation.name} has a counterexample`;
    case "vacuous":
      return `${result.obligation.name}: the premises contradict each other`;
    case "disagreement": {
      const opinions = result.opinions.map(({ solver, answer }) => `${solver} says ${answer}`);
      return `${result.obligation.name}: ${opinions.join(", ")}`;
    }
    case "not tried":
      return "interrupted";
    default:
      return undefined;
  }
}

const round = (seconds: number): number => Math.round(seconds * 100) / 100;

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** A number as both that it may be. */
export function bothSigns(value: bigint, width: number): string {
  const signed = BigInt.asIntN(width, value);
  return signed < 0n ? `${hex(value)} (${signed})` : value < 10n ? `${value}` : `${hex(value)} (${value})`;
}

type Values = Refutation["values"];

const valuesJson = (values: Values): object =>
  Object.fromEntries(
    values.map(({ name, width, value }) => [
      name,
      { hex: hex(value), signed: `${BigInt.asIntN(width, value)}` },
    ]),
  );

/** Of what was refuted; where that is a step, `whole` has values that refute all of the claim. */
function refutationJson({ obligation, values, shown }: Refutation): object {
  const isProgram = shown.kind === "program";
  return {
    obligation,
    values: valuesJson(values),
    whole: isProgram && shown.whole !== undefined ? valuesJson(shown.whole) : null,
    program: isProgram
      ? {
          asm: shown.exhibit.asm,
          packet: Buffer.from(shown.exhibit.packet).toString("hex"),
          confirmed: shown.exhibit.confirmed,
        }
      : null,
    no_program: isProgram ? null : shown.kind,
  };
}

/** A theorem's report: every key always there, `null` where it says nothing. */
export function theoremJson(report: TheoremReport, { refutations, wrongRefutations }: ProveSummary): object {
  const { theorem, result, obligations, seconds, solver, wrong } = report;
  const refutation = refutations.find((one) => one.theorem === theorem);
  return {
    theorem: theorem.name,
    subject: theorem.subject,
    says: theorem.says,
    width: theorem.width,
    full: theorem.full,
    inputs: theorem.inputs,
    assumptions: theorem.assumptions ?? [],
    result: result.kind,
    reason: reasonOf(report) ?? null,
    obligations,
    seconds: round(seconds),
    solver: solver === "" ? null : solver,
    counterexample: refutation === undefined ? null : refutationJson(refutation),
    wrong: wrong.map((one) => {
      const shown = wrongRefutations.find((r) => r.theorem === theorem && r.wrong === one.wrong.name);
      return {
        name: one.wrong.name,
        result: one.outcome.kind,
        seconds: round(one.seconds),
        counterexample: shown === undefined ? null : refutationJson(shown),
      };
    }),
  };
}

export function summaryJson({ reports, seconds, jobs }: ProveSummary): object {
  const count = (...kinds: readonly TheoremReport["result"]["kind"][]): number =>
    reports.filter(({ result }) => kinds.includes(result.kind)).length;
  const versions = reports.flatMap(({ wrong }) => wrong);
  return {
    summary: {
      theorems: reports.length,
      proved: count("proved"),
      proved_before: count("proved before"),
      open: count("open"),
      refuted: count("refuted"),
      vacuous: count("vacuous"),
      unknown: count("unknown"),
      disagreements: count("disagreement"),
      not_tried: count("not tried"),
      wrong_versions: versions.length,
      wrong_refuted: versions.filter(({ outcome }) => outcome.kind === "refuted").length,
      held: reports.every(holds),
      seconds: round(seconds),
      jobs,
    },
  };
}

const CSV = [
  "theorem",
  "subject",
  "says",
  "width",
  "full",
  "inputs",
  "result",
  "reason",
  "seconds",
  "solver",
];

/** A row a theorem, as RFC 4180 writes them but for the line ends. */
export function csv(reports: readonly TheoremReport[]): string {
  const rows = reports.map((report) => {
    const { theorem, result, seconds, solver } = report;
    const { name, subject, says, width, full, inputs } = theorem;
    const reason = reasonOf(report) ?? "";
    return [
      name,
      subject,
      says,
      `${width}`,
      `${full}`,
      inputs,
      result.kind,
      reason,
      `${round(seconds)}`,
      solver,
    ];
  });
  return csvText([CSV, ...rows]);
}
