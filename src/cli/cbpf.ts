/** `soundcheck cbpf asm`, `disasm` and `check`: filters of classic BPF in their forms of text, and the kernel's checker. */
import { type ClassicUse, checkFilter } from "../semantics/classic/check.ts";
import type { Filter } from "../semantics/classic/instruction.ts";
import { type FilterFormat, readFilter } from "../semantics/classic/read.ts";
import { writeFilter } from "../semantics/classic/write.ts";
import { inFile } from "../semantics/errors.ts";
import { displayName, readBytes } from "./files.ts";
import { STATUS, type Status } from "./status.ts";
import { out, outJson, paint, printable } from "./terminal.ts";

/** The filter of a file, whatever its form. */
export async function filterOf(file: string): Promise<Filter> {
  const bytes = await readBytes(file);
  return inFile(displayName(file), () => readFilter(bytes));
}

export const useOf = (seccomp: true | undefined): ClassicUse => (seccomp === true ? "seccomp" : "socket");

export interface PrintFilterOptions {
  readonly json?: true;
  readonly output: FilterFormat;
}

export async function printFilter(file: string, { json, output }: PrintFilterOptions): Promise<Status> {
  const filter = await filterOf(file);
  if (json === true) outJson({ file: displayName(file), insns: filter });
  else {
    const written = writeFilter(filter, output);
    if (typeof written === "string") out(written);
    else process.stdout.write(written);
  }
  return STATUS.held;
}

export interface CheckFilterOptions {
  readonly json?: true;
  readonly seccomp?: true;
}

export async function checkFilters(files: readonly string[], options: CheckFilterOptions): Promise<Status> {
  let status: Status = STATUS.held;
  for (const file of files) {
    const filter = await filterOf(file);
    const refusal = checkFilter(filter, useOf(options.seccomp));
    if (refusal !== undefined) status = STATUS.found;
    const name = displayName(file);
    const verdict = refusal === undefined ? "accept" : "reject";
    if (options.json === true) {
      const { insn = null, message = null } = refusal ?? {};
      outJson({ file: name, verdict, instructions: filter.length, insn, message });
      continue;
    }
    const at = refusal?.insn === undefined ? "" : `insn ${refusal.insn}: `;
    const why = refusal === undefined ? `${filter.length} instructions` : `${at}${refusal.message}`;
    const painted = paint(refusal === undefined ? "green" : ["red", "bold"], verdict);
    out(`${printable(name)}: ${painted}: ${why}\n`);
  }
  return status;
}
