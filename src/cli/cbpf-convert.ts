/** `soundcheck cbpf convert`: a filter as eBPF, with our verdict on that. */
import { writeBundle } from "../object/bundle-write.ts";
import { convertFilter } from "../semantics/classic/convert.ts";
import { inFile } from "../semantics/errors.ts";
import { encode } from "../semantics/isa/codec.ts";
import { disassemble } from "../semantics/isa/disassemble.ts";
import { verify } from "../verifier/verify.ts";
import { filterOf, useOf } from "./cbpf.ts";
import { displayName } from "./files.ts";
import { hexOf } from "./hex.ts";
import { STATUS, type Status } from "./status.ts";
import { complain, out, outJson } from "./terminal.ts";

export interface ConvertOptions {
  readonly json?: true;
  readonly seccomp?: true;
  readonly bundle?: true;
}

/** What a program is called: letters, digits and `_` of the file's name. */
function nameOf(file: string): string {
  const last = displayName(file).split("/").at(-1) ?? "";
  return last.replace(/\.\w+$/, "").replace(/\W+/g, "_") || "filter";
}

export async function convert(file: string, options: ConvertOptions): Promise<Status> {
  const filter = await filterOf(file);
  const use = useOf(options.seccomp);
  const program = inFile(displayName(file), () => convertFilter(nameOf(file), filter, use));
  const { name, type, insns, license } = program;
  const verdict = verify(program);
  if (options.json === true) {
    outJson({ name, type, insns: hexOf(encode(insns)), verdict: verdict.verdict });
  } else if (options.bundle === true) out(writeBundle({ program }));
  else
    out(`; name: ${name}\n; type: ${type}\n; license: ${license}\n${disassemble(insns, { labels: true })}`);
  if (verdict.verdict === "accept") return STATUS.held;
  complain(`${displayName(file)}: the conversion is not accepted: ${verdict.verdict}`);
  return STATUS.found;
}
