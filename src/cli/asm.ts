/** `soundcheck asm`: assembly to bytes, or to a bundle. */
import { writeBundle } from "../object/bundle-write.ts";
import { encode } from "../semantics/isa/codec.ts";
import { chosen, readProgramFile } from "./files.ts";
import { hexOf } from "./hex.ts";
import { STATUS, type Status } from "./status.ts";
import { out, outJson } from "./terminal.ts";

export interface AsmOptions {
  readonly json?: true;
  readonly bundle?: true;
  readonly program?: string;
}

/** An instruction a line; a 16-byte load takes one line too. */
function hexLines(bytes: Uint8Array): string {
  const digits = hexOf(bytes);
  return digits.replace(/.{16}/g, "$&\n");
}

export async function asm(file: string, options: AsmOptions): Promise<Status> {
  const { programs } = await readProgramFile(file, "unspec");
  for (const program of chosen(file, programs, options.program)) {
    const { name, type, insns } = program;
    const bytes = encode(insns);
    if (options.json === true) outJson({ name, type, insns: hexOf(bytes) });
    else out(options.bundle === true ? writeBundle({ program }) : hexLines(bytes));
  }
  return STATUS.held;
}
