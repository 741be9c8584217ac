/** The table and the totals that `soundcheck check` ends with. Programs that differ in nothing but their ISA version share a row. */
import { type CheckSummary, isFinding, type ProgramReport } from "../campaign/check-report.ts";
import { type Cell, type Column, table } from "./table.ts";
import { paint, printable } from "./terminal.ts";

const WIDTH = 100;
/** Bundles of one directory that are still shown one a row. */
const MOST_BUNDLES = 12;

const COLUMNS: readonly Column[] = [
  { title: "program", align: "left" },
  { title: "isa", align: "left" },
  { title: "verdict", align: "left" },
  { title: "processed", align: "right" },
  { title: "evidence", align: "right" },
  { title: "runs", align: "right" },
  { title: "covered", align: "right" },
  { title: "kernel", align: "left" },
  { title: "agreement", align: "left" },
];

interface Group {
  readonly label: string;
  /** Whether the row stands for a folder of bundles. */
  readonly folder: boolean;
  readonly versions: string[];
  readonly reports: ProgramReport[];
}

interface FileParts {
  readonly folder: string;
  readonly base: string;
  readonly version: string;
}

/** `corpus/objects/xdp_vlan.v3.o` is version `v3` of object `xdp_vlan`. */
function partsOf(file: string): FileParts {
  const name = file.split("/").at(-1) ?? file;
  const folder = file.slice(0, file.length - name.length);
  const [, object, version] = /^(.*)\.(v\d)\.o$/.exec(name) ?? [];
  return { folder, base: object ?? name.replace(/\.(o|prog\.json)$/, ""), version: version ?? "" };
}

const isBundle = (file: string): boolean => file.endsWith(".prog.json");

function counted<T>(things: readonly T[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>();
  for (const thing of things) counts.set(thing, (counts.get(thing) ?? 0) + 1);
  return counts;
}

function groupsOf(reports: readonly ProgramReport[]): readonly Group[] {
  const perFile = counted(reports.map(({ file }) => file));
  const perFolder = counted(
    reports.filter(({ file }) => isBundle(file)).map(({ file }) => partsOf(file).folder),
  );
  const groups = new Map<string, Group>();
  for (const report of reports) {
    const { file, program } = report;
    const found = isFinding(report);
    const { folder, base, version } = partsOf(file);
    const folded = isBundle(file) && (perFolder.get(folder) ?? 0) > MOST_BUNDLES && !found;
    const label = folded
      ? `${folder.split("/").at(-2) ?? ""}/*.prog.json`
      : isBundle(file)
        ? program.name
        : perFile.get(file) === 1
          ? base
          : `${base}: ${program.name}`;
    const { verdict, kernel, agreement } = report;
    const key = JSON.stringify([folder, label, verdict.verdict, kernel?.verdict, agreement.kind, found]);
    const group = groups.get(key) ?? { label, folder: folded, versions: [], reports: [] };
    if (version !== "" && !group.versions.includes(version)) group.versions.push(version);
    group.reports.push(report);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** `v1-v4`, or the versions there are. */
function versionsText(versions: readonly string[]): string {
  const sorted = [...versions].sort();
  const numbers = sorted.map((version) => Number(version.slice(1)));
  const [first, last] = [numbers[0] ?? 0, numbers.at(-1) ?? 0];
  const whole = last - first === numbers.length - 1 && numbers.length > 2;
  return whole ? `v${first}-v${last}` : sorted.join(" ");
}

function range(numbers: readonly number[]): string {
  if (numbers.length === 0) return "-";
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return least === most ? `${least}` : `${least}-${most}`;
}

const VERDICT_STYLE = { accept: "green", reject: "yellow", unsupported: "magenta" } as const;

function agreementCell({ agreement }: ProgramReport): Cell {
  switch (agreement.kind) {
    case "same":
      return { text: "same", paint: (text) => paint("green", text) };
    case "explained":
      return { text: "explained", paint: (text) => paint("cyan", text) };
    case "different":
      return { text: "DIFFERENT", paint: (text) => paint(["red", "bold"], text) };
    case "not compared":
      return { text: "-" };
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The size of the certificates, or whether runs show that the rejected programs fault. */
function evidenceCell(reports: readonly ProgramReport[]): Cell {
  if (reports.some(({ certificate }) => certificate?.confirmed === false)) {
    return { text: "REFUTED", paint: (text) => paint(["red", "bold"], text) };
  }
  const nodes = reports.flatMap(({ certificate }) => certificate?.nodes ?? []);
  if (nodes.length > 0) return { text: range(nodes) };
  const faults = reports.filter(({ witness }) => witness !== undefined).length;
  if (faults === 0) return { text: "-" };
  return { text: faults === reports.length ? "faults" : `${faults} fault` };
}

function rowOf({ label, folder, versions, reports }: Group): readonly Cell[] {
  const [first] = reports;
  if (first === undefined) return [];
  const executed = sum(reports.map(({ coverage }) => coverage.executed));
  const total = sum(reports.map(({ coverage }) => coverage.total));
  const runs = sum(reports.map((report) => report.runs.length));
  const { verdict } = first.verdict;
  const count = folder || reports.length > Math.max(1, versions.length) ? ` ×${reports.length}` : "";
  const found = reports.some(isFinding);
  return [
    { text: printable(label) + count, ...(found ? { paint: (text) => paint(["red", "bold"], text) } : {}) },
    { text: versionsText(versions) },
    { text: verdict, paint: (text) => paint(VERDICT_STYLE[verdict], text) },
    { text: range(reports.flatMap((report) => report.verdict.processed ?? [])) },
    evidenceCell(reports),
    { text: `${runs}` },
    { text: runs === 0 ? "-" : `${Math.round((100 * executed) / Math.max(1, total))} %` },
    { text: first.kernel?.verdict ?? "-" },
    agreementCell(first),
  ];
}

const LEGEND =
  "evidence: the states of an accepted program's certificate; faults: a run of the rejected program faults\n";

/** A row for each group of programs, findings first. */
export function programTable({ reports }: CheckSummary): string {
  const groups = groupsOf(reports);
  const found = groups.filter((group) => group.reports.some(isFinding));
  const rest = groups.filter((group) => !group.reports.some(isFinding));
  return table(COLUMNS, [...found, ...rest].map(rowOf), WIDTH) + paint("gray", LEGEND);
}

const plural = (count: number, thing: string): string =>
  `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;

/** Reasons with the number of programs that each holds for. */
function reasonsText(title: string, reasons: readonly string[]): string {
  if (reasons.length === 0) return "";
  const lines = [...counted(reasons)]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${`${count}`.padStart(5)}  ${printable(reason)}\n`);
  return `${paint("bold", title)}\n${lines.join("")}\n`;
}

/** Why verdicts differ from the kernel's, were not compared or not reached. */
export function reasons({ reports, unreadable, kernel }: CheckSummary): string {
  const explained = reports.flatMap(({ agreement, verdict }) =>
    agreement.kind === "explained" && verdict.verdict !== "unsupported" ? [agreement.reason] : [],
  );
  const uncompared = reports.flatMap(({ agreement }) =>
    agreement.kind === "not compared" && kernel.compared ? [agreement.reason] : [],
  );
  const unsupported = reports.flatMap(({ verdict }) =>
    verdict.verdict === "unsupported" ? [verdict.message ?? ""] : [],
  );
  const unread = unreadable.map(({ file, program, message }) =>
    program === undefined ? message : `${file}: ${program}: ${message}`,
  );
  return (
    reasonsText("Differences from the kernel with a known reason", explained) +
    reasonsText("Not modelled yet", unsupported) +
    reasonsText("Not compared with the kernel", uncompared) +
    reasonsText("Could not be read", unread)
  );
}

/** The sums, in a few lines. */
export function totals(summary: CheckSummary): string {
  const { reports, unreadable, faults, kernel, seconds, seed } = summary;
  const count = (test: (report: ProgramReport) => boolean): number => reports.filter(test).length;
  const verdicts = (["accept", "reject", "unsupported"] as const).map((verdict) =>
    count((report) => report.verdict.verdict === verdict),
  );
  const [accepted = 0, rejected = 0, unsupported = 0] = verdicts;
  const agreed = (kind: ProgramReport["agreement"]["kind"]): number =>
    count(({ agreement }) => agreement.kind === kind);
  const runs = sum(reports.map((report) => report.runs.length));
  const executed = sum(reports.map(({ coverage }) => coverage.executed));
  const total = sum(reports.map(({ coverage }) => coverage.total));
  const confirmed = count(({ certificate }) => certificate?.confirmed === true);
  const witnessed = count(({ witness }) => witness !== undefined);
  const findings = count(isFinding);
  const lines = [
    `${plural(reports.length, "program")}: ${accepted} accepted, ${rejected} rejected, ${unsupported} not modelled${
      unreadable.length === 0 ? "" : `; ${unreadable.length} could not be read`
    }`,
    `${confirmed} of ${plural(accepted, "certificate")} confirmed; ${witnessed} of ${plural(rejected, "rejected program")} shown to fault`,
    `${plural(runs, "run")} executed ${Math.round((100 * executed) / Math.max(1, total))} % of ${plural(total, "instruction")}`,
    kernel.compared
      ? `Linux ${kernel.release}: ${agreed("same")} agree, ${agreed("explained")} explained, ${agreed("different")} different, ${agreed("not compared")} not compared`
      : `not compared with a kernel: ${kernel.reason}`,
    ...(faults.length === 0
      ? []
      : [paint(["red", "bold"], `${plural(faults.length, "internal fault")} (bugs in soundcheck)`)]),
    paint(
      [findings === 0 ? "green" : "red", "bold"],
      `${findings === 0 ? "No findings" : plural(findings, "finding")} in ${seconds.toFixed(1)} s (seed ${seed})`,
    ),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
