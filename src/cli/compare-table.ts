/** What `soundcheck compare` prints for people: a row a program, what differs in words, and the totals. */
import type { CheckedVerdict } from "../campaign/check-report.ts";
import type { Comparison, Skipped } from "../campaign/compare/compare.ts";
import { complaintOf } from "../campaign/compare/complaint.ts";
import { isUnexplained, RELATIONS, type Relation } from "../campaign/compare/relation.ts";
import { grouped, tally, unsupportedFeatures } from "../campaign/compare/tally.ts";
import { kernelTitle } from "./kernels.ts";
import { type Cell, type Column, table } from "./table.ts";
import { paint, printable } from "./terminal.ts";

const WIDTH = 110;

const COLUMNS: readonly Column[] = [
  { title: "program", align: "left" },
  { title: "type", align: "left" },
  { title: "ours", align: "left" },
  { title: "processed", align: "right" },
  { title: "kernel's", align: "left" },
  { title: "processed", align: "right" },
  { title: "relation", align: "left" },
];

const KERNEL: Column = { title: "kernel", align: "left" };

/** The rows, one for each program and kernel, in the order given. */
export function comparisonTable(comparisons: readonly Comparison[]): string {
  if (comparisons.length === 0) return "";
  const several = new Set(comparisons.map(({ kernel }) => kernel.name)).size > 1;
  const columns = several ? [...COLUMNS.slice(0, 2), KERNEL, ...COLUMNS.slice(2)] : COLUMNS;
  return table(
    columns,
    comparisons.map((each) => rowOf(each, several)),
    WIDTH,
  );
}

function rowOf(
  { file, program, kernel, ours, theirs, relation }: Comparison,
  several: boolean,
): readonly Cell[] {
  const other = "incomparable" in theirs ? undefined : theirs;
  return [
    { text: printable(`${file.split("/").at(-1) ?? file}: ${program.name}`) },
    { text: program.type },
    ...(several ? [{ text: kernel.name }] : []),
    { text: verdictText(ours) },
    { text: processedText(ours) },
    { text: other === undefined ? "-" : verdictText(other) },
    { text: other === undefined ? "" : processedText(other) },
    relationCell(relation),
  ];
}

function verdictText({ verdict, errno }: CheckedVerdict): string {
  return errno === undefined ? verdict : `${verdict} ${errno}`;
}

function processedText({ verdict, processed }: CheckedVerdict): string {
  return verdict === "unsupported" || processed === undefined ? "" : String(processed);
}

function relationCell(relation: Comparison["relation"]): Cell {
  const { kind } = relation;
  if (kind === "same") return { text: kind, paint: (text) => paint("green", text) };
  if (kind === "not comparable" || kind === "unsupported")
    return { text: kind, paint: (text) => paint("gray", text) };
  if (!isUnexplained(relation)) return { text: `${kind} (explained)`, paint: (text) => paint("cyan", text) };
  return { text: kind.toUpperCase(), paint: (text) => paint(["red", "bold"], text) };
}

/** In words what differs, for each program that has something to say; features and obstacles are counted instead. */
export function differenceText(comparisons: readonly Comparison[]): string {
  return comparisons
    .filter(
      ({ relation: { kind } }) => kind !== "same" && kind !== "unsupported" && kind !== "not comparable",
    )
    .map(({ file, program, kernel, ours, theirs, relation }) => {
      const lines = [
        paint("bold", printable(`${file}: ${program.name}`)),
        `  ours: ${said(ours)}`,
        ...("incomparable" in theirs ? [] : [`  ${kernelTitle(kernel)}: ${said(theirs)}`]),
        ...(relation.reason === undefined ? [] : [`  known: ${printable(relation.reason)}`]),
      ];
      return lines.map((line) => `${line}\n`).join("");
    })
    .join("\n");
}

function said({ verdict, errno, message, insn }: CheckedVerdict): string {
  if (verdict !== "reject") return verdict;
  const words = printable((message ?? "").replaceAll("\n", "; "));
  return `${errno ?? ""} ${insn === undefined ? "" : `at ${insn}: `}${words} [${complaintOf(message ?? "")}]`;
}

/** The totals of each kernel, and what is not modelled. */
export function comparisonTotals(comparisons: readonly Comparison[], skipped: readonly Skipped[]): string {
  const kernels = [...grouped(comparisons, ({ kernel }) => kernelTitle(kernel))];
  const lines = kernels.flatMap(([title, own]) => {
    const { counts, unexplained, programs, compared, agreed } = tally(own);
    return [
      `${paint("bold", title)}: ${agreed} of ${compared} verdicts the same${compared === 0 ? "" : ` (${percent(agreed, compared)})`}, of ${count(programs, "program")}`,
      ...RELATIONS.filter((kind) => kind !== "same" && counts[kind] > 0).map(
        (kind) => `  ${kind}: ${counts[kind]}${explainedPart(kind, counts[kind], unexplained[kind])}`,
      ),
      ...obstacles(own),
    ];
  });
  const features = unsupportedFeatures(comparisons);
  return [
    ...lines,
    ...(features.length === 0 ? [] : ["Not modelled, by programs:"]),
    ...features.map(({ feature, programs }) => `  ${String(programs).padStart(4)}  ${printable(feature)}`),
    ...(skipped.length === 0
      ? []
      : [`${count(skipped.length, "file or program", "files or programs")} left out`]),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function explainedPart(kind: Relation["kind"], all: number, unexplained: number): string {
  if (kind === "unsupported" || kind === "not comparable" || unexplained === all) return "";
  return ` (${all - unexplained} explained)`;
}

/** Why programs were not compared, counted. */
function obstacles(comparisons: readonly Comparison[]): readonly string[] {
  const some = comparisons.filter(({ relation }) => relation.kind === "not comparable");
  return [...grouped(some, ({ relation }) => relation.reason ?? "")].map(
    ([reason, { length }]) => `  ${String(length).padStart(4)}  ${printable(reason)}`,
  );
}

/** With one decimal, and never 100 unless it is all. */
export function percent(part: number, all: number): string {
  return `${part === all ? "100" : (Math.floor((1000 * part) / all) / 10).toFixed(1)} %`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
