/**
 * `soundcheck plugin`: the protocol by which the bpf_conformance suite runs other people's machines. Memory comes as hexadecimal digits in
 * the first argument, the program on standard input; r0 goes to standard output.
 */
import { decode } from "../semantics/isa/codec.ts";
import { runRaw } from "../vm/raw.ts";
import { readBytes, STANDARD_INPUT } from "./files.ts";
import { parseHex } from "./hex.ts";
import { STATUS, type Status } from "./status.ts";
import { complain, out, outJson } from "./terminal.ts";

export interface PluginOptions {
  readonly json?: true;
  /** The program, instead of standard input. */
  readonly program?: string;
  /** Compiles the program. */
  readonly jit?: true;
}

export async function plugin(memory: string, options: PluginOptions): Promise<Status> {
  const bytes = parseHex("memory", memory);
  const text = options.program ?? Buffer.from(await readBytes(STANDARD_INPUT)).toString("latin1");
  const how = options.jit === true ? "compiled" : "interpreted";
  const result = runRaw(decode(parseHex("program", text)), bytes, how);
  if (result.outcome === "fault") {
    const { insn, message } = result.fault;
    complain(`insn ${insn}: ${message}`);
    if (options.json === true) outJson({ outcome: "fault", insn, message });
    return STATUS.found;
  }
  const r0 = result.r0.toString(16);
  if (options.json === true) outJson({ outcome: "exit", r0: `0x${r0}` });
  else out(`${r0}\n`);
  return STATUS.held;
}
