/** `soundcheck verify`: the verdict on each program, with the log in the kernel's format. */

import { EncodingError } from "../object/bundle.ts";
import { InputError } from "../semantics/errors.ts";
import { InstructionError } from "../semantics/isa/refusal.ts";
import type { Program } from "../semantics/program/program.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";
import type { EncodedEntry } from "../verifier/certificate-format/file.ts";
import { checkCertificate } from "../verifier/check-certificate.ts";
import {
  type Explanation,
  explain as explainRejection,
  type InstructionPlace,
} from "../verifier/explain/explain.ts";
import { headline } from "../verifier/explain/message-class.ts";
import { explanationText } from "../verifier/explain/text.ts";
import { closingLine, VerifierLog } from "../verifier/log.ts";
import type { Verdict } from "../verifier/verdict.ts";
import { verify } from "../verifier/verify.ts";
import { certificateEntry, writeCertificates } from "./certificates.ts";
import { chosen, displayName, readProgramFile } from "./files.ts";
import { rules } from "./rules.ts";
import { attempt, explain, report, STATUS, type Status, worse } from "./status.ts";
import { breathe, complain, out, outJson, paint, printable } from "./terminal.ts";

export interface VerifyOptions {
  readonly json?: true;
  /** Undefined unless asked for: then level 1, cut to what a person reads. */
  readonly logLevel?: 0 | 1 | 2;
  readonly program?: string;
  /** Of programs in sections whose names say nothing. */
  readonly type?: ProgramType;
  readonly certifyCheck?: true;
  /** The file that certificates of accepted programs are written to. */
  readonly certify?: string;
}

/** Lines of a refused path that are shown unless a log level is asked for. */
const SHORT_LOG = 60;

/** A verdict as JSON: every key always there, `null` where it says nothing. */
export interface VerdictAnswer {
  readonly name: string;
  readonly verdict: "accept" | "reject" | "unsupported";
  readonly errno: string | null;
  /** All lines of the rejection's message, or the unsupported feature. */
  readonly message: string | null;
  readonly insn: number | null;
  readonly processed: number;
  readonly ms: number;
}

interface Verified {
  readonly verdict: Verdict;
  readonly ms: number;
}

export function timedVerify(program: Program): Verified {
  const start = performance.now();
  const verdict = verify(program, undefined, rules());
  return { verdict, ms: Math.round((performance.now() - start) * 1000) / 1000 };
}

export function answerOf(name: string, { verdict, ms }: Verified): VerdictAnswer {
  const rejected = verdict.verdict === "reject" ? verdict : undefined;
  return {
    name,
    verdict: verdict.verdict,
    errno: rejected?.errno ?? null,
    message: verdict.verdict === "unsupported" ? verdict.feature : (rejected?.message ?? null),
    insn: verdict.verdict === "accept" ? null : (verdict.insn ?? null),
    processed: verdict.statistics.processed,
    ms,
  };
}

/**
 * A bundle whose instructions nobody decodes is refused as the kernel refuses it, before a verifier sees it; of what the newest kernel would decode, it is
 * said that it is not modelled.
 */
export function answerOfEncoding(error: unknown): VerdictAnswer | undefined {
  const cause = error instanceof InputError && error.cause instanceof EncodingError ? error.cause : error;
  if (!(cause instanceof EncodingError)) return undefined;
  const wrong = cause.cause instanceof InstructionError ? cause.cause : undefined;
  const rest = { insn: null, processed: 0, ms: 0 };
  const name = cause.program;
  if (wrong?.unmodelled !== undefined) {
    return { name, verdict: "unsupported", errno: null, message: wrong.unmodelled, ...rest };
  }
  return { name, verdict: "reject", errno: "EINVAL", message: wrong?.said ?? cause.message, ...rest };
}

const STATUS_OF = {
  accept: STATUS.held,
  reject: STATUS.found,
  unsupported: STATUS.impossible,
} as const;

export function statusOf({ verdict }: { readonly verdict: VerdictAnswer["verdict"] }): Status {
  return STATUS_OF[verdict];
}

/** The log, of a verification of its own: a log of every path is dear, and most are not wanted. */
function logOf(program: Program, { verdict }: Verified, logLevel: VerifyOptions["logLevel"]): string {
  if (logLevel === 0) return "";
  if (logLevel !== 2 && verdict.verdict === "accept") return `${closingLine(verdict.statistics)}\n`;
  const log = new VerifierLog(program, logLevel ?? 1);
  const text = log.finish(verify(program, log, rules()));
  return logLevel === undefined ? shortened(text) : text;
}

function shortened(log: string): string {
  const lines = log.split("\n");
  if (lines.length <= SHORT_LOG + 1) return log;
  const omitted = lines.length - 1 - SHORT_LOG;
  return [`(${omitted} lines omitted; --log-level 1 shows them)`, ...lines.slice(omitted)].join("\n");
}

/** Where in the source the refused instruction is: `file.c:12`. */
function placeOf({ lines }: Program, insn: number): string {
  const line = lines.findLast((record) => record.insn <= insn);
  return line === undefined ? "" : ` (${line.file.split("/").at(-1) ?? line.file}:${line.line})`;
}

const COLOURS = { accept: "green", reject: "red", unsupported: "yellow" } as const;

function verdictLine(file: string, answer: VerdictAnswer, program?: Program): string {
  const { name, verdict, errno, message, insn, processed, ms } = answer;
  const at = insn === null ? "" : ` at insn ${insn}${program === undefined ? "" : placeOf(program, insn)}`;
  const why = {
    accept: () => ` (${processed} insns processed in ${ms} ms)`,
    reject: () => ` ${errno}${at}: ${headline(message ?? "")}`,
    unsupported: () => `${at}: ${message}`,
  }[verdict]();
  const word = paint([COLOURS[verdict], "bold"], verdict);
  return `${printable(`${displayName(file)}: ${name}`)}: ${word}${printable(why)}\n`;
}

/** Every key always there, `null` where there is nothing to say. */
function explanationJson({
  slice,
  lost,
  at,
  needed,
  known,
  subject,
  suggestion,
  ...rest
}: Explanation): object {
  return {
    ...rest,
    needed: needed ?? null,
    known: known ?? null,
    at: at === undefined ? null : placeJson(at),
    lost: lost === undefined ? null : { ...placeJson(lost.at), how: lost.text },
    subject: subject ?? null,
    slice: slice.map((line) => ({
      ...placeJson(line),
      knowledge: line.knowledge,
      note: line.note?.text ?? null,
      skipped: line.skipped,
    })),
    suggestion: suggestion ?? null,
  };
}

function placeJson({ insn, text, source }: InstructionPlace): object {
  return {
    insn,
    text,
    source: source === undefined ? null : { file: source.file, line: source.line, text: source.text },
  };
}

function verifyOne(
  file: string,
  program: Program,
  options: VerifyOptions,
  certificates: EncodedEntry[],
): Status {
  const verified = timedVerify(program);
  const { verdict } = verified;
  const answer = answerOf(program.name, verified);
  const log =
    options.json === true && options.logLevel === undefined ? "" : logOf(program, verified, options.logLevel);
  const certificate =
    options.certifyCheck === true && verdict.verdict === "accept"
      ? {
          nodes: verdict.certificate.nodes.length,
          check: checkCertificate(program, verdict.certificate, undefined, rules()),
        }
      : undefined;
  if (options.certify !== undefined && verdict.verdict === "accept") {
    certificates.push(certificateEntry(program, verdict.certificate));
  }
  const explanation = verdict.verdict === "reject" ? explainRejection(program, verdict, rules()) : undefined;
  if (options.json === true) {
    outJson({
      file: displayName(file),
      ...answer,
      ...(explanation === undefined ? {} : { explanation: explanationJson(explanation) }),
      ...(log === "" ? {} : { log }),
      ...(certificate === undefined
        ? {}
        : { certificate: { nodes: certificate.nodes, ...certificate.check } }),
    });
  } else {
    out(printable(log) + verdictLine(file, answer, program));
    if (explanation !== undefined) out(printable(explanationText(explanation)).replace(/^(?=.)/gm, "  "));
    if (certificate?.check.ok === true) {
      const { nodes, check } = certificate;
      out(`  certificate: ${nodes} states confirmed in ${check.steps} steps\n`);
    }
  }
  if (certificate?.check.ok !== false) return statusOf(verdict);
  const { node, reason } = certificate.check;
  complain(
    `${displayName(file)}: ${program.name}: the certificate does not hold at its node ${node}: ${reason}`,
  );
  return STATUS.found;
}

async function verifyFile(
  file: string,
  options: VerifyOptions,
  certificates: EncodedEntry[],
): Promise<Status> {
  const { programs, failures } = await readProgramFile(file, options.type);
  const named = failures.filter(({ name }) => options.program === undefined || name === options.program);
  let status: Status = STATUS.held;
  for (const { name, message } of named) {
    complain(`${displayName(file)}: ${name}: ${message}`);
    if (options.json === true) outJson({ file: displayName(file), name, error: message });
    status = STATUS.impossible;
  }
  if (named.length > 0 && options.program !== undefined) return status;
  for (const program of chosen(file, programs, options.program)) {
    status = worse(
      status,
      await attempt(`${displayName(file)}: ${program.name}`, () =>
        verifyOne(file, program, options, certificates),
      ),
    );
    await breathe();
  }
  return status;
}

/** Verifies the programs of every file; what is wrong with one file does not keep the others from being verified. */
export async function verifyFiles(files: readonly string[], options: VerifyOptions): Promise<Status> {
  let status: Status = STATUS.held;
  const certificates: EncodedEntry[] = [];
  for (const file of files) {
    try {
      status = worse(status, await verifyFile(file, options, certificates));
    } catch (error) {
      const answer = answerOfEncoding(error);
      if (answer !== undefined) {
        if (options.json === true) outJson({ file: displayName(file), ...answer });
        else out(verdictLine(file, answer));
        status = worse(status, statusOf(answer));
      } else {
        if (options.json === true) outJson({ file: displayName(file), error: explain(error).message });
        status = worse(status, report(error, displayName(file)));
      }
    }
  }
  const { certify } = options;
  if (certify === undefined) return status;
  return worse(status, await attempt(certify, () => writeCertificates(certify, certificates)));
}
