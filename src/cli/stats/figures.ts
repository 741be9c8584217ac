/** What a table of statistics has of a program: the columns, under the names that veristat's tables have where it has the same. */
import { InputError } from "../../semantics/errors.ts";

/** The columns that hold numbers, in the order of a table; times are in microseconds. */
export const NUMBERS = [
  "duration",
  "total_insns",
  "total_states",
  "peak_states",
  "max_states_per_insn",
  "size",
  "certificate_nodes",
  "certificate_bytes",
  "check_duration",
] as const;
export type NumberColumn = (typeof NUMBERS)[number];

export const COLUMNS = ["file_name", "prog_name", "verdict", ...NUMBERS] as const;
export type StatColumn = (typeof COLUMNS)[number];

export type VerdictWord = "accept" | "reject" | "unsupported";

/** The figures of one program; a number that was not measured is not there. */
export interface Figures {
  readonly file_name: string;
  readonly prog_name: string;
  readonly verdict: VerdictWord;
  readonly numbers: Readonly<Partial<Record<NumberColumn, number>>>;
}

export const TITLES: Readonly<Record<StatColumn, string>> = {
  file_name: "File",
  prog_name: "Program",
  verdict: "Verdict",
  duration: "Duration (us)",
  total_insns: "Insns",
  total_states: "States",
  peak_states: "Peak states",
  max_states_per_insn: "Max states per insn",
  size: "Size",
  certificate_nodes: "Nodes",
  certificate_bytes: "Bytes",
  check_duration: "Check (us)",
};

const ALIASES: ReadonlyMap<string, StatColumn> = new Map<string, StatColumn>([
  ["file", "file_name"],
  ["filename", "file_name"],
  ["prog", "prog_name"],
  ["progname", "prog_name"],
  ["program", "prog_name"],
  ["dur", "duration"],
  ["insns", "total_insns"],
  ["insn", "total_insns"],
  ["states", "total_states"],
  ["peak", "peak_states"],
  ["max_states", "max_states_per_insn"],
  ["nodes", "certificate_nodes"],
  ["bytes", "certificate_bytes"],
  ["check", "check_duration"],
]);

/** The column of a name or of a short name for it. */
export function columnNamed(name: string): StatColumn | undefined {
  return COLUMNS.find((each) => each === name) ?? ALIASES.get(name);
}

/** As `columnNamed`. @throws InputError  that lists the names there are */
function requireColumn(name: string): StatColumn {
  const found = columnNamed(name);
  if (found === undefined) throw new InputError(`no column ${name}; there are ${COLUMNS.join(", ")}`);
  return found;
}

/** Columns by name, separated by commas. */
export const columnsNamed = (text: string): readonly StatColumn[] =>
  text.split(",").map((name) => requireColumn(name.trim()));

/** The verdict that a word stands for, ours or veristat's. */
export function verdictNamed(word: string): VerdictWord | undefined {
  switch (word) {
    case "accept":
    case "success":
      return "accept";
    case "reject":
    case "failure":
      return "reject";
    case "unsupported":
      return "unsupported";
    default:
      return undefined;
  }
}

export const isNumberColumn = (column: StatColumn): column is NumberColumn =>
  NUMBERS.some((each) => each === column);
