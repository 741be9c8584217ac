/** One program in the HTML report: its row in the table, and what opens under it. */
import type { Program } from "../semantics/program/program.ts";
import { returnName } from "../semantics/program/return-names.ts";
import {
  type CheckedRun,
  type CheckedVerdict,
  type CheckSummary,
  isFinding,
  type ProgramReport,
} from "./check-report.ts";
import { runCommand, verdictText } from "./findings.ts";
import { type Html, html } from "./html.ts";

/** Kinds of runs that are shown of one program. */
const MOST_KINDS = 12;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const percent = (part: number, whole: number): number => (whole === 0 ? 0 : Math.round((100 * part) / whole));

/** A coloured word. */
const tag = (kind: string, text: string): Html => html`<span class="tag ${kind}">${text}</span>`;

const AGREEMENT = {
  same: ["same", "good"],
  explained: ["explained", "note"],
  different: ["different", "bad"],
  "not compared": ["not compared", "mute"],
} as const;

const VERDICT = { accept: "good", reject: "warn", unsupported: "note" } as const;

// --- The log

const SOURCE_LINE = /^; /;
const INSTRUCTION = /^(\d+: )(\([0-9a-f]{2}\)) (.*?)(\s+;.*)?$/;
const STATE = /^(\d+:|from \d+ to \d+:|caller:|callee:| *frame\d+:| *R\d+=|returning from callee)/;
const CLOSING = /^processed \d+ insns/;

/** A line of the log by what it is: source, instruction, state, closing line, or the message. */
function logLine(line: string): Html {
  if (SOURCE_LINE.test(line)) return html`<span class="l-source">${line}</span>\n`;
  const [, number = "", opcode = "", text = "", effect = ""] = INSTRUCTION.exec(line) ?? [];
  if (number !== "") {
    return html`<span class="l-dim">${number}${opcode}</span> ${text}<span class="l-effect">${effect}</span>\n`;
  }
  if (CLOSING.test(line) || line.startsWith("(")) return html`<span class="l-dim">${line}</span>\n`;
  if (STATE.test(line) || line === "") return html`<span class="l-effect">${line}</span>\n`;
  return html`<span class="l-message">${line}</span>\n`;
}

const logHtml = (log: string): readonly Html[] => log.trimEnd().split("\n").map(logLine);

// --- Runs

function outcomeText({ outcome }: CheckedRun, { type }: Program): string {
  switch (outcome.kind) {
    case "exit": {
      const name = returnName(type, Number(BigInt.asUintN(32, BigInt(outcome.r0))));
      return `returned ${outcome.r0}${name === undefined ? "" : ` ${name}`}`;
    }
    case "fault":
      return `fault at insn ${outcome.insn}: ${outcome.message}`;
    case "unsupported":
      return `not modelled: ${outcome.feature}`;
  }
}

interface RunKind {
  readonly example: CheckedRun;
  count: number;
}

/** Runs that ended alike are one line, with the first as the example. */
function runKinds({ runs, program }: ProgramReport): readonly RunKind[] {
  const kinds = new Map<string, RunKind>();
  for (const run of runs) {
    const key = outcomeText(run, program);
    const known = kinds.get(key);
    if (known === undefined) kinds.set(key, { example: run, count: 1 });
    else known.count += 1;
  }
  return [...kinds.values()].sort((a, b) => b.count - a.count);
}

function runRow(report: ProgramReport, { example, count }: RunKind): Html {
  const { packet, context, steps, seed, outcome } = example;
  const bytes = packet.length > 0 ? packet : context;
  const what = packet.length > 0 ? "packet" : context.length > 0 ? "context" : "no input";
  return html`<tr>
<td class="num">${count}</td>
<td class="${outcome.kind === "fault" ? "fault" : ""}">${outcomeText(example, report.program)}</td>
<td class="num">${steps}</td>
<td><code class="hex" title="${`${what}, ${bytes.length} bytes, seed ${seed}`}">${hex(bytes)}</code></td>
<td><button class="copy" data-copy="${runCommand(report, example)}">copy command</button></td>
</tr>`;
}

function runsHtml(report: ProgramReport): Html {
  const kinds = runKinds(report);
  if (kinds.length === 0) return html`<p class="mute">Not run: the machine has no such programs.</p>`;
  const rest = kinds.length - MOST_KINDS;
  return html`<table class="runs">
<thead><tr><th class="num">runs</th><th>outcome</th><th class="num">steps</th><th>first of them: packet or context</th><th></th></tr></thead>
<tbody>${kinds.slice(0, MOST_KINDS).map((kind) => runRow(report, kind))}</tbody>
</table>${rest > 0 ? html`<p class="mute">and ${rest} more outcomes</p>` : undefined}`;
}

// --- The facts

const fact = (name: string, value: Html | string): Html => html`<dt>${name}</dt><dd>${value}</dd>`;

function verdictHtml(verdict: CheckedVerdict): Html {
  const { processed, ms, insn, message } = verdict;
  const at = insn === undefined ? "" : ` at insn ${insn}`;
  const errno = verdict.errno === undefined ? "" : ` ${verdict.errno}`;
  const effort = `${processed === undefined ? "" : `${processed.toLocaleString("en")} insns processed, `}${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
  return html`${tag(VERDICT[verdict.verdict], `${verdict.verdict}${errno}`)}${at} <span class="mute">${effort}</span>${
    message === undefined ? undefined : html`<pre class="message">${message.trimEnd()}</pre>`
  }`;
}

function agreementHtml({ agreement }: ProgramReport): Html {
  const [text, kind] = AGREEMENT[agreement.kind];
  const reason = "reason" in agreement ? agreement.reason : undefined;
  return html`${tag(kind, text)}${reason === undefined ? undefined : html` ${reason}`}`;
}

function certificateHtml({ certificate }: ProgramReport): Html | undefined {
  if (certificate === undefined) return undefined;
  const { nodes, bytes, confirmed, reason } = certificate;
  const size = `${nodes.toLocaleString("en")} states, ${(bytes / 1024).toFixed(1)} KiB`;
  return fact(
    "certificate",
    confirmed ? html`${tag("good", "confirmed")} ${size}` : html`${tag("bad", "refuted")} ${size}: ${reason}`,
  );
}

function details(report: ProgramReport, { kernel }: CheckSummary): Html {
  const { file, program, verdict, coverage, violations, witness, expectation, log } = report;
  const executed = `${coverage.executed} of ${coverage.total} (${percent(coverage.executed, coverage.total)} %)`;
  return html`<dl>
${fact("file", html`<code>${file}</code>${program.section === undefined ? undefined : html` section <code>${program.section}</code>`}`)}
${fact("type", `${program.type}${program.attach === undefined || program.attach === program.type ? "" : `, attached as ${program.attach}`}; license ${program.license}`)}
${fact("soundcheck", verdictHtml(verdict))}
${report.kernel === undefined ? undefined : fact(kernel.compared ? `Linux ${kernel.release}` : "kernel", verdictHtml(report.kernel))}
${fact("agreement", agreementHtml(report))}
${certificateHtml(report)}
${expectation === undefined ? undefined : fact("expected", html`${tag(expectation.holds ? "good" : "bad", expectation.verdict)} ${expectation.reason}`)}
${fact("executed", `${executed} instructions`)}
${violations.map(({ insn, message }) => fact("violation", html`${tag("bad", `insn ${insn}`)} ${message}`))}
${witness === undefined ? undefined : fact("shown to fault", html`<span class="fault">${outcomeText(witness, program)}</span>`)}
</dl>
<h4>Runs</h4>
${runsHtml(report)}
<h4>${verdict.verdict === "accept" ? "Log" : "Log of the refused path"}</h4>
<pre class="log">${logHtml(log)}</pre>`;
}

// --- The row

/** What the table sorts by, one value a column, and what the text filter searches. */
function keys(report: ProgramReport): string {
  const { file, program, verdict, runs, coverage, certificate, witness, agreement } = report;
  const evidence = certificate?.nodes ?? (witness === undefined ? -1 : -2);
  const covered = percent(coverage.executed, coverage.total);
  const ours = [program.name, file, program.type, verdict.verdict, verdict.processed ?? 0];
  return JSON.stringify([
    ...ours,
    evidence,
    runs.length,
    covered,
    report.kernel?.verdict ?? "",
    agreement.kind,
  ]);
}

/** The titles of the table's columns; those of numbers are set to the right. */
export const COLUMNS: readonly (readonly [title: string, numeric: boolean])[] = [
  ["program", false],
  ["file", false],
  ["type", false],
  ["verdict", false],
  ["processed", true],
  ["evidence", true],
  ["runs", true],
  ["covered", true],
  ["kernel", false],
  ["agreement", false],
];

function evidence({ certificate, witness }: ProgramReport): Html {
  if (certificate?.confirmed === false) return tag("bad", "refuted");
  if (certificate !== undefined)
    return html`<span title="states of the certificate">${certificate.nodes}</span>`;
  return witness === undefined ? html`` : html`<span title="a run of the machine faults">faults</span>`;
}

/** The program as a body of the table: its row, and a template of what opens under it. @param id of the row, for links */
export function programHtml(report: ProgramReport, id: string, summary: CheckSummary): Html {
  const { file, program, verdict, coverage, runs, agreement } = report;
  const covered = percent(coverage.executed, coverage.total);
  const [agreementText, agreementKind] = AGREEMENT[agreement.kind];
  const base = file.split("/").at(-1) ?? file;
  return html`<tbody id="${id}" class="${isFinding(report) ? "program finding" : "program"}" data-keys="${keys(report)}"><tr>
<td><button class="open" aria-expanded="false">${program.name}</button></td>
<td class="file" title="${file}">${base}</td>
<td>${program.type}</td>
<td title="${verdictText(verdict)}">${tag(VERDICT[verdict.verdict], verdict.verdict)}</td>
<td class="num">${(verdict.processed ?? 0).toLocaleString("en")}</td>
<td class="num">${evidence(report)}</td>
<td class="num">${runs.length}</td>
<td class="num">${runs.length === 0 ? "" : html`<span class="bar" style="--part:${covered}%"></span>${covered} %`}</td>
<td>${report.kernel?.verdict ?? ""}</td>
<td>${tag(agreementKind, agreementText)}</td>
</tr><template>${details(report, summary)}</template></tbody>
`;
}
