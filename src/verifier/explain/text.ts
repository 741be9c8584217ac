/** An explanation as text, in the order of Linux 7.3's: the problem, the reason, where, how it came about, and what mends it. */
import type { SourceLine } from "../../semantics/program/program.ts";
import type { Explanation, InstructionPlace } from "./explain.ts";
import type { SliceLine } from "./lines.ts";

const fileName = (file: string): string => file.split("/").at(-1) ?? file;

const sourcePlace = ({ file, line }: SourceLine): string => `${fileName(file)}:${line}`;

function placeText({ insn, text, source }: InstructionPlace): string {
  return `insn ${insn}${source === undefined ? "" : ` (${sourcePlace(source)})`}: ${text}`;
}

const COLUMN = 44;

function lineText({ insn, text, knowledge, note }: SliceLine): string {
  const head = `${insn}: ${text}`;
  const parts = [...knowledge, ...(note === undefined ? [] : [`<- ${note.text}`])];
  return parts.length === 0 ? head : `${head.padEnd(COLUMN - 2)} ; ${parts.join(" ")}`;
}

/** A source line may have several records, one for each column. */
const isSameLine = (a: SourceLine, b: SourceLine | undefined): boolean =>
  a.line === b?.line && a.file === b.file;

/** The lines of a slice, with the source lines that they belong to. */
function sliceText(lines: readonly SliceLine[]): readonly string[] {
  let shown: SourceLine | undefined;
  return lines.flatMap((line) => {
    const source =
      line.source === undefined || line.source.text === "" || isSameLine(line.source, shown)
        ? undefined
        : line.source;
    shown = line.source;
    return [
      ...(line.skipped === 0 ? [] : [`  … ${line.skipped} more`]),
      ...(source === undefined ? [] : [`  ; ${source.text.trim()} @ ${sourcePlace(source)}`]),
      `  ${lineText(line)}`,
    ];
  });
}

/** The explanation, a line feed after each line. */
export function explanationText(explanation: Explanation): string {
  const { category, problem, needed, known, at, lost, subject, slice, suggestion } = explanation;
  const lines = [
    `Verification failed: ${category}: ${problem}`,
    ...(needed === undefined ? [] : [`Needed: ${needed}`]),
    ...(known === undefined ? [] : [`Known: ${known}`]),
    ...(at === undefined ? [] : [`At: ${placeText(at)}`]),
    ...(lost === undefined ? [] : [`Since: ${placeText(lost.at)}: ${lost.text}`]),
    ...(slice.length === 0 ? [] : [`Causal path of ${subject ?? "it"}:`, ...sliceText(slice)]),
    ...(suggestion === undefined ? [] : [`Suggestion: ${suggestion}`]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
