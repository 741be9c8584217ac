/** What was measured against the kernel, for people: a table by instruction, and each kind of loss and each finding by its smallest program. */
import { disassemble } from "../../src/semantics/isa/disassemble.ts";
import type { Loss, Measured } from "./kernel-measure.ts";
import type { BoundsProgram } from "./kernel-programs.ts";
import { show } from "./scalars.ts";

/** A table in Markdown, which is also one for the eye. */
function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, i) => Math.max(3, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(" | ")} |`;
  const [first = [], ...others] = cells;
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(first), rule, ...others.map(line)].join("\n");
}

export function precisionTable({ rows }: Measured): string {
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  const total = { results: 0, equal: 0, more: 0, less: 0, incomparable: 0, holdsMore: 0 };
  for (const [, counts] of sorted) {
    for (const name of Object.keys(total)) if (isCount(name)) total[name] += counts[name];
  }
  const cells = ([name, c]: readonly [string, typeof total]): (string | number)[] => [
    name,
    c.results,
    c.equal,
    c.more,
    c.less,
    c.incomparable,
    c.holdsMore,
  ];
  return table(
    ["instruction", "results", "equal", "more precise", "less precise", "incomparable", "holds more"],
    [...sorted, ["all", total] as const].map(cells),
  );

  function isCount(name: string): name is keyof typeof total {
    return name in total;
  }
}

/** The program, one instruction marked. */
const listing = ({ program }: BoundsProgram, marked: number): string =>
  disassemble(program.insns)
    .trimEnd()
    .split("\n")
    .map((line) => (line.trimStart().startsWith(`${marked}:`) ? `>>${line}` : `  ${line}`))
    .join("\n");

const kindOf = ({ bounds, comparison, components }: Loss): string =>
  `${bounds.row.name} [${comparison.where}]: ${components.join(" ")}`;

/** Each kind of loss (instruction, operand, components) once, with the smallest program and how often it was met. */
export function lossesText({ losses }: Measured): string {
  const kinds = new Map<string, { smallest: Loss; times: number }>();
  for (const loss of losses) {
    const kind = kinds.get(kindOf(loss));
    if (kind === undefined) kinds.set(kindOf(loss), { smallest: loss, times: 1 });
    else {
      kind.times += 1;
      if (loss.bounds.program.insns.length < kind.smallest.bounds.program.insns.length) kind.smallest = loss;
    }
  }
  return [...kinds]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, { smallest, times }]) => {
      const { dst, src, ours, kernel } = smallest.comparison;
      return [
        `${kind}, ${times} times`,
        listing(smallest.bounds, smallest.bounds.pc),
        `  dst    ${show(dst)}`,
        ...(src === undefined ? [] : [`  src    ${show(src)}`]),
        `  ours   ${ours === undefined ? "not taken" : show(ours)}`,
        `  kernel ${kernel === undefined ? "not taken" : show(kernel)}`,
        ...(smallest.holds === undefined ? [] : [`  ours holds 0x${smallest.holds.toString(16)}`]),
      ].join("\n");
    })
    .join("\n\n");
}

/** Losses along whole programs. */
export const pathLossesText = ({ pathLosses }: Measured): string =>
  pathLosses
    .map(({ bounds, loss: { pc, register, ours, kernel } }) =>
      [
        `R${register} after insn ${pc}`,
        listing(bounds, pc),
        `  ours   ${show(ours)}`,
        `  kernel ${show(kernel)}`,
      ].join("\n"),
    )
    .join("\n\n");

/** Findings, each with its program and the numbers. */
export const findingsText = ({ findings }: Measured): string =>
  findings
    .map(
      ({ bounds, finding: { of, pc, message, x, y } }) =>
        `${of}, insn ${pc}: ${message}; x = 0x${x.toString(16)}, y = 0x${y.toString(16)}\n${listing(bounds, pc)}`,
    )
    .join("\n\n");

/** One paragraph of numbers. */
export function summary(m: Measured): string {
  const { compared, more, impossible } = m.paths;
  return [
    `${m.programs} programs, the instruction reached in ${m.reached}; ${m.losses.length} results less precise in some component`,
    `along whole programs ${compared} registers compared, ${more} more precise, ${m.pathLosses.length} less; ${impossible} paths found impossible`,
    `${m.runs} runs, ${m.compared} numbers inside the kernel's bounds looked up; ${m.findings.length} findings; ${m.refused.length} programs refused by ours`,
  ].join("\n");
}
