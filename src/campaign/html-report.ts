/**
 * The HTML report of a check: one file that needs nothing else, neither network nor other files. A pure function of the summary: equal
 * summaries give equal reports.
 */
import { type CheckSummary, isFinding, type ProgramReport } from "./check-report.ts";
import { allFindings, type Finding } from "./findings.ts";
import { type Html, html } from "./html.ts";
import { COLUMNS, programHtml } from "./html-program.ts";
import { SCRIPT } from "./html-script.ts";
import { STYLE } from "./html-style.ts";

const many = (count: number): string => count.toLocaleString("en");
const plural = (count: number, thing: string): string => `${many(count)} ${thing}${count === 1 ? "" : "s"}`;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const programId = (index: number): string => `p${index + 1}`;

interface Tile {
  readonly title: string;
  readonly value: string;
  readonly detail: string;
  /** Whether the detail is as it must be. */
  readonly state?: "holds" | "fails" | "lacks";
}

function tiles({ reports, kernel }: CheckSummary): readonly Tile[] {
  const count = (test: (report: ProgramReport) => boolean): number => reports.filter(test).length;
  const verdict = (name: string): number => count((report) => report.verdict.verdict === name);
  const agreement = (kind: string): number => count((report) => report.agreement.kind === kind);
  const accepted = verdict("accept");
  const confirmed = count(({ certificate }) => certificate?.confirmed === true);
  const executed = sum(reports.map(({ coverage }) => coverage.executed));
  const instructions = sum(reports.map(({ coverage }) => coverage.total));
  const violations = sum(reports.map((report) => report.violations.length));
  const different = agreement("different");
  const unsupported = verdict("unsupported");
  return [
    {
      title: "programs",
      value: many(reports.length),
      detail: unsupported === 0 ? "all modelled" : `${many(unsupported)} not modelled`,
    },
    {
      title: "accepted",
      value: many(accepted),
      detail: `${many(confirmed)} certificates confirmed`,
      state: confirmed === accepted ? "holds" : "fails",
    },
    {
      title: "rejected",
      value: many(verdict("reject")),
      detail: `${many(count(({ witness }) => witness !== undefined))} shown to fault`,
    },
    {
      title: "runs",
      value: many(sum(reports.map(({ runs }) => runs.length))),
      detail: plural(violations, "violation"),
      state: violations === 0 ? "holds" : "fails",
    },
    {
      title: "executed",
      value: `${instructions === 0 ? 0 : Math.round((100 * executed) / instructions)} %`,
      detail: `of ${many(instructions)} instructions`,
    },
    kernel.compared
      ? {
          title: `agree with Linux ${kernel.release}`,
          value: many(agreement("same")),
          detail: `${many(agreement("explained"))} explained, ${many(different)} different`,
          state: different === 0 ? "holds" : "fails",
        }
      : { title: "kernel", value: "–", detail: `not compared: ${kernel.reason}`, state: "lacks" },
  ];
}

const tileHtml = ({ title, value, detail, state }: Tile): Html =>
  html`<div class="tile ${state}"><strong>${value}</strong><span>${title}</span><small>${detail}</small></div>`;

function findingHtml({ report, title, input, reproduce }: Finding, id: string): Html {
  return html`<article class="finding-card">
<h3><a href="#${id}">${report.program.name}</a> <span class="mute">${report.file}</span></h3>
<p>${title}</p>
<dl><dt>Failing input</dt><dd><code class="hex">${input}</code></dd>
<dt>Reproduce with</dt><dd>${reproduce.map((line) => html`<code class="command">${line}</code> <button class="copy" data-copy="${line}">copy</button><br>`)}</dd></dl>
</article>`;
}

function findingsHtml(summary: CheckSummary): Html | undefined {
  const findings = allFindings(summary);
  if (findings.length === 0) return undefined;
  return html`<section><h2>Findings</h2>${findings.map((finding) =>
    findingHtml(finding, programId(summary.reports.indexOf(finding.report))),
  )}</section>`;
}

/** Differences that are known, by their reason. */
function explainedHtml({ reports }: CheckSummary): Html | undefined {
  const reasons = new Map<string, { readonly id: string; readonly report: ProgramReport }[]>();
  reports.forEach((report, index) => {
    if (report.agreement.kind !== "explained") return;
    const { reason } = report.agreement;
    reasons.set(reason, [...(reasons.get(reason) ?? []), { id: programId(index), report }]);
  });
  if (reasons.size === 0) return undefined;
  const items = [...reasons].map(
    ([reason, programs]) =>
      html`<li>${reason}<div class="mute">${programs.map(
        ({ id, report }) => html`<a href="#${id}" title="${report.file}">${report.program.name}</a> `,
      )}</div></li>`,
  );
  return html`<details class="fold"><summary>${plural(reasons.size, "known difference")} from the kernel, with the reason</summary><ul>${items}</ul></details>`;
}

function faultsHtml({ faults }: CheckSummary): Html | undefined {
  if (faults.length === 0) return undefined;
  const items = faults.map(({ file, program, error }) => {
    const message = error instanceof Error ? error.message : String(error);
    return html`<li>${file}: ${program === undefined ? undefined : html`${program}: `}${message}</li>`;
  });
  return html`<details class="fold" open><summary class="bad">${plural(faults.length, "internal fault")} (bugs in soundcheck)</summary><ul>${items}</ul></details>`;
}

function unreadableHtml({ unreadable }: CheckSummary): Html | undefined {
  if (unreadable.length === 0) return undefined;
  const items = unreadable.map(({ file, program, message }) => {
    const text = program === undefined ? message : `${file}: ${program}: ${message}`;
    return html`<li>${text}</li>`;
  });
  return html`<details class="fold" open><summary>${many(unreadable.length)} could not be read</summary><ul>${items}</ul></details>`;
}

function headline(summary: CheckSummary): Html {
  const findings = allFindings(summary).length;
  const { seed, runs, seconds, kernel } = summary;
  const facts = [
    `${plural(summary.reports.length, "program")} in ${seconds.toFixed(1)} s`,
    `seed ${seed}, ${plural(runs, "run")} a program at most`,
    kernel.compared ? `compared with Linux ${kernel.release}` : "not compared with a kernel",
  ];
  const { length: faults } = summary.faults;
  const verdict =
    findings === 0 && faults > 0
      ? html`<span class="bad">${plural(faults, "internal fault")}</span>`
      : findings === 0
        ? html`<span class="good">No findings</span>`
        : html`<span class="bad">${plural(findings, "finding")}</span>`;
  return html`<header><p class="brand">soundcheck</p><h1>${verdict}</h1><p class="mute">${facts.join(" · ")}</p></header>`;
}

const choice = (value: string, text: string): Html => html`<option value="${value}">${text}</option>`;

function filters({ reports }: CheckSummary): Html {
  const found = reports.filter(isFinding).length;
  return html`<form class="filters" role="search">
<input type="search" name="text" placeholder="Filter by name, file or type" aria-label="Filter">
<select name="verdict" aria-label="Verdict">${choice("", "any verdict")}${["accept", "reject", "unsupported"].map((v) => choice(v, v))}</select>
<select name="agreement" aria-label="Agreement">${choice("", "any agreement")}${["same", "explained", "different", "not compared"].map((v) => choice(v, v))}</select>
<label><input type="checkbox" name="findings"${found === 0 ? html` disabled` : undefined}> findings only</label>
<output class="mute" name="shown"></output>
</form>`;
}

/** The report as the text of one HTML file. */
export function htmlReport(summary: CheckSummary): string {
  const titles = COLUMNS.map(
    ([title, numeric]) =>
      html`<th${numeric ? html` class="num"` : undefined} aria-sort="none"><button class="sort">${title}</button></th>`,
  );
  const programs = summary.reports.map((report, index) => programHtml(report, programId(index), summary));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>soundcheck report</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<main>
${headline(summary)}
<section class="tiles">${tiles(summary).map(tileHtml)}</section>
${findingsHtml(summary)}
${faultsHtml(summary)}
${unreadableHtml(summary)}
${explainedHtml(summary)}
<section>
<h2>Programs</h2>
${filters(summary)}
<div class="scroll"><table class="programs">
<thead><tr>${titles}</tr></thead>
${programs}</table></div>
</section>
</main>
<script>${{ html: SCRIPT }}</script>
</body>
</html>
`;
  return page.html;
}
