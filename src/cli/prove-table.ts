/** The table of theorems that `soundcheck prove` prints, counterexamples, and the totals it ends with. */

import { scalarText } from "../absint/scalar/text.ts";
import { exhibitsOf, type Refutation } from "../campaign/refutation.ts";
import type { Shown } from "../proof/counterexample.ts";
import { holds, type TheoremReport } from "../proof/run.ts";
import type { Theorem } from "../proof/theorem.ts";
import { bothSigns, type ProveSummary, reasonOf } from "./prove-report.ts";
import { type Cell, type Column, table } from "./table.ts";
import { paint, printable } from "./terminal.ts";

const WIDTH = 120;

const COLUMNS: readonly Column[] = [
  { title: "theorem", align: "left" },
  { title: "says", align: "left" },
  { title: "width", align: "right" },
  { title: "result", align: "left" },
  { title: "seconds", align: "right" },
  { title: "solver", align: "left" },
];

const STYLES = {
  proved: "green",
  "proved before": "cyan",
  open: "yellow",
  "not tried": "yellow",
} as const;

function resultCell({ result, wrong }: TheoremReport): Cell {
  const { kind } = result;
  if (kind === "proved" && wrong.some(({ outcome }) => outcome.kind !== "refuted"))
    return { text: "WRONG NOT REFUTED", paint: (text) => paint(["red", "bold"], text) };
  if (kind === "proved" || kind === "proved before" || kind === "open" || kind === "not tried")
    return { text: kind, paint: (text) => paint(STYLES[kind], text) };
  if (kind === "unknown")
    return {
      text: result.reason.includes("timeout") ? "not proved: timeout" : "not proved",
      paint: (text) => paint("red", text),
    };
  return { text: kind.toUpperCase(), paint: (text) => paint(["red", "bold"], text) };
}

/** "sound" on inputs that synchronisation leaves as they are is another statement than "sound" on any. */
const saysText = ({ says, inputs }: Theorem): string =>
  inputs === "synchronised" ? `${says} if synchronised` : says;

/** A row a theorem. */
export const theoremTable = (reports: readonly TheoremReport[]): string =>
  table(
    COLUMNS,
    reports.map((report) => [
      { text: report.theorem.name },
      { text: saysText(report.theorem) },
      { text: `${report.theorem.width}` },
      resultCell(report),
      { text: report.solver === "" ? "-" : report.seconds.toFixed(2) },
      { text: report.solver === "" ? "-" : report.solver },
    ]),
    WIDTH,
  );

/** The theorems there are, untried. */
export const theoremList = (theorems: readonly Theorem[]): string =>
  table(
    [
      { title: "theorem", align: "left" },
      { title: "says", align: "left" },
      { title: "width", align: "right" },
      { title: "wrong versions", align: "right" },
      { title: "", align: "left" },
    ],
    theorems.map((theorem) => [
      { text: theorem.name },
      { text: saysText(theorem) },
      { text: `${theorem.width}${theorem.full ? "" : " (not full)"}` },
      { text: `${theorem.wrong.length}` },
      { text: theorem.open === undefined ? "" : `open: ${theorem.open}` },
    ]),
    WIDTH,
  );

function operationText(instruction: NonNullable<Shown["instruction"]>): string {
  if (instruction.kind === "load")
    return `a ${instruction.signed ? "signed " : ""}load of ${8 * instruction.size} bits`;
  const { kind, width, immediate } = instruction;
  const name = kind === "alu" ? instruction.op : instruction.condition;
  return `${name} on ${width} bits${immediate === undefined ? "" : ` with ${bothSigns(immediate, width)}`}`;
}

function operandText({ names: [scalar, number], numbers, value }: Shown["operands"][number]): string {
  const text = `${number} = ${bothSigns(value, 64)}`;
  return scalar === number ? `  ${text}` : `  ${scalar} = ${scalarText(numbers)}, in it ${text}`;
}

function escapeText({ instruction, operands, escapes }: Shown): string {
  if (escapes === "reached")
    return instruction === undefined
      ? "  where it is claimed that there is no number"
      : `  ${operationText(instruction)} holds, which it is claimed not to do`;
  const { component, from, value, of } = escapes;
  const claimed =
    component === "value"
      ? scalarText(from)
      : `${component} ${bothSigns(from[component], widthOf(component))}`;
  const what =
    instruction?.kind === "jump"
      ? `where ${operationText(instruction)} holds, `
      : instruction === undefined
        ? ""
        : `${operationText(instruction)} gives `;
  const name = of === "result" ? "" : (operands[of]?.names[1] ?? "");
  return `  ${what}${name === "" ? "" : `${name} = `}${bothSigns(value, 64)}, outside of ${claimed}`;
}

const widthOf = (component: string): 32 | 64 => (component.endsWith("32") ? 32 : 64);

const valueLines = (values: Refutation["values"]): readonly string[] =>
  values.map(({ name, width, value }) => `  ${name} = ${bothSigns(value, width)}`);

function shownLines({ shown: as }: Refutation): readonly string[] {
  switch (as.kind) {
    case "no run":
      return ["  No program shows it: the claim is not about runs."];
    case "not found":
      return ["  No run of the whole operation was found that shows it."];
    case "program": {
      const { shown, exhibit, whole } = as;
      return [
        ...(whole === undefined ? [] : ["  Of the whole, with", ...valueLines(whole)]),
        ...shown.operands.map(operandText),
        escapeText(shown),
        exhibit.confirmed
          ? "  In the machine this program returns 1:"
          : "  The machine does not confirm it: this program should return 1, and does not:",
        ...exhibit.asm.map((line) => `  ${line.endsWith(":") ? line : `    ${line}`}`),
        `  on the packet ${Buffer.from(exhibit.packet).toString("hex")}`,
      ];
    }
  }
}

/** A counterexample as values, as abstract operands with the numbers in them, and as a program. */
export function refutationText(refutation: Refutation): string {
  const { theorem, wrong, obligation, values } = refutation;
  const of = wrong === undefined ? theorem.name : `${theorem.name}, wrong version: ${wrong}`;
  const lines = [
    `${paint(["red", "bold"], "Counterexample")} to ${of}: ${obligation}`,
    ...valueLines(values),
    ...shownLines(refutation),
  ];
  return `${lines.map(printable).join("\n")}\n\n`;
}

const plural = (count: number, thing: string): string =>
  `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;

const isProved = ({ result }: TheoremReport): boolean =>
  result.kind === "proved" || result.kind === "proved before";

/** What is not proved at full width, with the widths at which the same is proved, and what is argued on paper. */
export function remainsText({ reports }: ProveSummary): string {
  const missing = reports.filter((report) => report.theorem.full && !isProved(report));
  const standIns = (theorem: Theorem): string => {
    const { subject, says, inputs } = theorem;
    const widths = reports
      .filter((report) => isProved(report) && !report.theorem.full)
      .filter(({ theorem: t }) => t.subject === subject && t.says === says && t.inputs === inputs)
      .map(({ theorem: t }) => t.width);
    return widths.length === 0 ? "" : ` (proved at ${[...new Set(widths)].join(", ")} bits)`;
  };
  const assumed = reports.filter(({ theorem }) => (theorem.assumptions ?? []).length > 0);
  const section = (title: string, lines: readonly string[]): string =>
    lines.length === 0
      ? ""
      : `${paint("bold", title)}\n${lines.map((line) => `  ${printable(line)}\n`).join("")}\n`;
  return (
    section(
      "Not proved at full width",
      missing.map((report) => {
        const { theorem } = report;
        return `${theorem.name}${standIns(theorem)}: ${reasonOf(report) ?? ""}`;
      }),
    ) +
    section(
      "Argued on paper, not checked by a solver",
      assumed.flatMap(({ theorem }) => (theorem.assumptions ?? []).map((text) => `${theorem.name}: ${text}`)),
    ) +
    section(
      "Wrong versions that are not refuted",
      reports.flatMap(({ theorem, wrong }) =>
        wrong
          .filter(({ outcome }) => outcome.kind !== "refuted")
          .map((one) => `${theorem.name}: ${one.wrong.name}: ${one.outcome.kind}`),
      ),
    )
  );
}

/** The sums, in a few lines. */
export function proveTotals(summary: ProveSummary): string {
  const { reports, refutations, wrongRefutations, seconds, jobs } = summary;
  const count = (test: (report: TheoremReport) => boolean): number => reports.filter(test).length;
  const kinds = [
    "proved",
    "proved before",
    "open",
    "refuted",
    "vacuous",
    "disagreement",
    "unknown",
    "not tried",
  ];
  const parts = kinds.flatMap((kind) => {
    const n = count(({ result }) => result.kind === kind);
    return n === 0 ? [] : [`${n} ${kind === "unknown" ? "not proved" : kind}`];
  });
  const full = reports.filter(({ theorem }) => theorem.full);
  const obligations = reports.reduce((sum, report) => sum + report.obligations, 0);
  const spent = reports
    .filter(({ result }) => result.kind !== "proved before")
    .reduce((sum, report) => sum + report.seconds, 0);
  const solvers = new Set(reports.flatMap((r) => (r.obligations > 0 ? [r.solver] : [])));
  const versions = reports.flatMap(({ wrong }) => wrong);
  const all = [...refutations, ...wrongRefutations];
  const shown = exhibitsOf(all);
  const confirmed = shown.filter((exhibit) => exhibit.confirmed).length;
  const unshown = (kind: Refutation["shown"]["kind"], text: string): readonly string[] => {
    const n = all.filter((one) => one.shown.kind === kind).length;
    return n === 0 ? [] : [`${n} ${text}`];
  };
  const held = reports.every(holds) && confirmed === shown.length;
  const lines = [
    `${plural(reports.length, "theorem")}: ${parts.join(", ")}`,
    `at full width ${full.filter(isProved).length} of ${full.length} are proved`,
    ...(obligations === 0
      ? []
      : [`${plural(obligations, "obligation")} in ${spent.toFixed(1)} s of ${[...solvers].join(", ")}`]),
    ...(versions.length === 0
      ? []
      : [
          `${versions.filter(({ outcome }) => outcome.kind === "refuted").length} of ${plural(versions.length, "wrong version")} refuted`,
        ]),
    ...(all.length === 0
      ? []
      : [
          [
            `${confirmed} of ${plural(all.length, "counterexample")} shown by a program in the machine`,
            ...unshown("not found", "without a run that was found"),
            ...unshown("no run", "to claims that are not about runs"),
          ].join(", "),
        ]),
    paint(
      [held ? "green" : "red", "bold"],
      `${held ? "All held" : "Not all held"} in ${seconds.toFixed(1)} s, ${jobs} at a time`,
    ),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
