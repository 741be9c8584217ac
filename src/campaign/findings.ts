/** What a check found, in words, each with the input that shows it and the commands that show it again. */
import {
  type CheckedRun,
  type CheckedVerdict,
  type CheckSummary,
  isFinding,
  type ProgramReport,
} from "./check-report.ts";

export interface Finding {
  readonly report: ProgramReport;
  /** What must not be, in one line. */
  readonly title: string;
  /** The input that shows it. */
  readonly input: string;
  /** A command line for each way to look at it again. */
  readonly reproduce: readonly string[];
}

/** A word of a command line as a shell reads it back. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const command = (...words: readonly string[]): string => ["soundcheck", ...words].map(shellWord).join(" ");

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The input of a generated run, as options of `soundcheck run`. */
export function runCommand({ file, program }: ProgramReport, { packet, context, seed }: CheckedRun): string {
  const input = [
    ...(packet.length === 0 ? [] : ["--packet", hex(packet)]),
    ...(context.length === 0 ? [] : ["--context", hex(context)]),
  ];
  return command("run", file, "--program", program.name, ...input, "--seed", `${seed}`);
}

function inputOf({ packet, context, seed }: CheckedRun): string {
  const parts = [
    ...(packet.length === 0 ? [] : [`packet ${hex(packet)}`]),
    ...(context.length === 0 ? [] : [`context ${hex(context)}`]),
    `seed ${seed}`,
  ];
  return parts.join(", ");
}

/** `reject EACCES: invalid access to packet`: a verdict in one line. */
export function verdictText({ verdict, errno, message }: CheckedVerdict): string {
  const last = message?.trimEnd().split("\n").at(-1);
  return `${verdict}${errno === undefined ? "" : ` ${errno}`}${last === undefined || last === "" ? "" : `: ${last}`}`;
}

function findingsOf(report: ProgramReport, { kernel, seed, runs }: CheckSummary): readonly Finding[] {
  const { file, program, verdict, violations, certificate, agreement, expectation } = report;
  const verify = (...options: readonly string[]): string =>
    command("verify", file, "--program", program.name, ...options);
  const check = command("check", file, "--seed", `${seed}`, "--runs", `${runs}`);
  const found: Finding[] = violations.map(({ insn, message, run }) => ({
    report,
    title: `insn ${insn}: ${message}`,
    input: inputOf(run),
    reproduce: [check, `${runCommand(report, run)} --trace`],
  }));
  if (certificate?.confirmed === false) {
    const title = `the certificate is not confirmed: ${certificate.reason ?? ""}`;
    found.push({ report, title, input: file, reproduce: [verify("--certify-check")] });
  }
  if (agreement.kind === "different") {
    const release = kernel.compared ? `Linux ${kernel.release}` : "the kernel";
    const theirs = report.kernel === undefined ? "" : verdictText(report.kernel);
    const title = `soundcheck says ${verdictText(verdict)}; ${release} says ${theirs}`;
    found.push({ report, title, input: file, reproduce: [verify("--log-level", "2"), check] });
  }
  if (expectation?.holds === false) {
    const title = `expected ${expectation.verdict}: ${expectation.reason ?? verdictText(verdict)}`;
    found.push({ report, title, input: file, reproduce: [verify("--log-level", "2")] });
  }
  return found;
}

/** All findings, in the order of the programs. */
export function allFindings(summary: CheckSummary): readonly Finding[] {
  return summary.reports.filter(isFinding).flatMap((report) => findingsOf(report, summary));
}
