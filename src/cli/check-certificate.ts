/** `soundcheck check-certificate`: whether certificates from a file prove what they claim of the programs in others. */

import { inFile } from "../semantics/errors.ts";
import type { Program } from "../semantics/program/program.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";
import { type CertificateEntry, decodeFile } from "../verifier/certificate-format/file.ts";
import { programHash } from "../verifier/certificate-format/program-hash.ts";
import { checkCertificate } from "../verifier/check-certificate.ts";
import { chosen, displayName, readBytes, readProgramFile } from "./files.ts";
import { rules } from "./rules.ts";
import { attempt, explain, report, STATUS, type Status, worse } from "./status.ts";
import { breathe, complain, note, out, outJson, paint, printable } from "./terminal.ts";

export interface CheckCertificateOptions {
  readonly json?: true;
  readonly program?: string;
  /** Of programs in sections whose names say nothing. */
  readonly type?: ProgramType;
}

/** What became of one program. */
interface Answer {
  readonly confirmed: boolean;
  /** Why not; `node` and `insn` where it is one of the certificate's states. */
  readonly reason: string | null;
  readonly node: number | null;
  readonly insn: number | null;
  readonly nodes: number | null;
  readonly bytes: number | null;
  readonly steps: number | null;
  /** No run executes more instructions than these; a string, since it may be beyond what numbers hold. */
  readonly longestRun: string | null;
  readonly ms: number | null;
}

const NOTHING: Answer = {
  confirmed: false,
  reason: null,
  node: null,
  insn: null,
  nodes: null,
  bytes: null,
  steps: null,
  longestRun: null,
  ms: null,
};

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** The entry of a program, or why there is none. */
function entryOf(program: Program, entries: readonly CertificateEntry[]): CertificateEntry | string {
  const hash = programHash(program);
  const own = entries.filter((entry) => isSame(entry.hash, hash));
  const { kernel } = rules().profile;
  const found = own.find(({ profile }) => profile === kernel);
  if (found !== undefined) return found;
  const [other] = own;
  if (other !== undefined) return `its certificate is by the rules of ${other.profile}, not ${kernel}`;
  return entries.some(({ name }) => name === program.name)
    ? "the certificate of this name is of another program, or of another version of it"
    : "no certificate";
}

function answerFor(program: Program, entry: CertificateEntry | string): Answer {
  if (typeof entry === "string") return { ...NOTHING, reason: entry };
  const start = performance.now();
  const check = checkCertificate(program, entry.certificate, undefined, rules());
  const { nodes } = entry.certificate;
  const facts = {
    ...NOTHING,
    nodes: nodes.length,
    bytes: entry.size,
    ms: Math.round((performance.now() - start) * 1000) / 1000,
  };
  if (check.ok) return { ...facts, confirmed: true, steps: check.steps, longestRun: `${check.longestRun}` };
  const node = check.node < 0 ? null : check.node;
  return { ...facts, reason: check.reason, node, insn: node === null ? null : (nodes[node]?.pc ?? null) };
}

function answerText(answer: Answer): string {
  if (answer.confirmed) {
    const { nodes, bytes, steps, longestRun, ms } = answer;
    return `${paint(["green", "bold"], "confirmed")} (${nodes} states in ${bytes} bytes, ${steps} steps in ${ms} ms; no run is longer than ${longestRun} insns)`;
  }
  const { node, insn, reason } = answer;
  const where = node === null ? "" : `node ${node} at insn ${insn}: `;
  return `${paint(["red", "bold"], "not confirmed")}: ${printable(where + (reason ?? ""))}`;
}

/** The file of certificates first, then the programs' files. */
export async function checkCertificates(
  file: string,
  programFiles: readonly string[],
  options: CheckCertificateOptions,
): Promise<Status> {
  let entries: readonly CertificateEntry[];
  try {
    const bytes = await readBytes(file);
    entries = inFile(displayName(file), () => decodeFile(bytes));
  } catch (error) {
    if (options.json === true) outJson({ file: displayName(file), error: explain(error).message });
    return report(error, displayName(file));
  }
  const used = new Set<CertificateEntry>();
  let status: Status = STATUS.held;
  for (const programFile of programFiles) {
    status = worse(
      status,
      await attempt(displayName(programFile), () => checkFile(programFile, entries, used, options)),
    );
  }
  const rest = entries.length - used.size;
  if (rest > 0) note(`${displayName(file)}: ${rest} of ${entries.length} certificates are of other programs`);
  return status;
}

async function checkFile(
  file: string,
  entries: readonly CertificateEntry[],
  used: Set<CertificateEntry>,
  options: CheckCertificateOptions,
): Promise<Status> {
  const { programs, failures } = await readProgramFile(file, options.type);
  let status: Status = STATUS.held;
  for (const { name, message } of failures) {
    if (options.program !== undefined && name !== options.program) continue;
    complain(`${displayName(file)}: ${name}: ${message}`);
    if (options.json === true) outJson({ file: displayName(file), name, error: message });
    status = STATUS.impossible;
  }
  for (const program of chosen(file, programs, options.program)) {
    const entry = entryOf(program, entries);
    if (typeof entry !== "string") used.add(entry);
    const part = (): Status => {
      const answer = answerFor(program, entry);
      if (options.json === true) outJson({ file: displayName(file), name: program.name, ...answer });
      else out(`${printable(`${displayName(file)}: ${program.name}`)}: ${answerText(answer)}\n`);
      return answer.confirmed ? STATUS.held : STATUS.found;
    };
    status = worse(status, await attempt(`${displayName(file)}: ${program.name}`, part));
    await breathe();
  }
  return status;
}
