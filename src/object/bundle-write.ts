/** Writes bundles, as `bundle.ts` reads them. */
import { encode } from "../semantics/isa/codec.ts";
import { rowByName } from "../semantics/isa/table.ts";
import type { MapDefinition } from "../semantics/program/map-types.ts";
import type { KernelSymbol, Program, Slots } from "../semantics/program/program.ts";
import type { Bundle } from "./bundle.ts";

/** The bundle as a file's text; what a bundle cannot hold (source lines, section) is left out. */
export function writeBundle({ program, expect }: Bundle): string {
  const kfuncs = [...new Set(program.kfuncs?.map(({ name }) => name))];
  const ksyms = symbolsOf(program);
  const typed = program.functions.every(({ typeId }) => typeId !== undefined);
  const file = {
    name: program.name,
    type: program.type,
    attach: program.attach,
    target: program.target,
    license: program.license,
    flags: program.flags.length === 0 ? undefined : program.flags,
    insns: hexText(encode(withPositions(program, kfuncs, ksyms))),
    kfuncs: kfuncs.length === 0 ? undefined : kfuncs,
    ksyms:
      ksyms.length === 0
        ? undefined
        : ksyms.map((symbol) => (symbol.typed ? symbol.name : { name: symbol.name, typed: false })),
    maps: program.maps.length === 0 ? undefined : program.maps.map(mapFile),
    btf: program.btf === undefined ? undefined : hexText(program.btf),
    func_info:
      program.functions.length > 0 && typed
        ? program.functions.map(({ insn, typeId }) => ({ insn, type_id: typeId }))
        : undefined,
    expect:
      expect === undefined
        ? undefined
        : {
            verdict: expect.verdict,
            message: expect.message,
            runs:
              expect.runs.length === 0
                ? undefined
                : expect.runs.map(({ packet, context, retval }) => ({
                    packet: packet === undefined ? undefined : hexText(packet),
                    context: context === undefined ? undefined : hexText(context),
                    retval,
                  })),
          },
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

type Symbols = readonly Omit<KernelSymbol, "insn">[];

/** The kernel's variables and functions that the program refers to, each once. */
function symbolsOf({ ksyms = [] }: Program): Symbols {
  const found = new Map(ksyms.map(({ name, typed }) => [`${typed} ${name}`, { name, typed }]));
  return [...found.values()];
}

const SYMBOL_LOAD = rowByName("ld_imm64_btf_id");

/** The instructions with calls of kernel functions by their positions among `names`, and loads of kernel symbols likewise. */
function withPositions(
  { insns, kfuncs = [], ksyms = [] }: Program,
  names: readonly string[],
  symbols: Symbols,
): Slots {
  const slots = [...insns];
  for (const { insn, name, typed } of ksyms) {
    const load = slots[insn];
    const imm = symbols.findIndex((symbol) => symbol.name === name && symbol.typed === typed);
    if (load !== undefined) slots[insn] = { ...load, row: SYMBOL_LOAD, imm };
  }
  for (const { insn, name } of kfuncs) {
    const call = slots[insn];
    if (call !== undefined) slots[insn] = { ...call, imm: names.indexOf(name) };
  }
  return slots;
}

function mapFile(definition: MapDefinition): object {
  const { name, type, keySize, valueSize, maxEntries, flags, inner, data, frozen, fields } = definition;
  return {
    name,
    type,
    key_size: keySize,
    value_size: valueSize,
    max_entries: maxEntries,
    flags,
    inner: inner === undefined ? undefined : mapFile(inner),
    data: data === undefined ? undefined : hexText(data),
    frozen: frozen === true ? true : undefined,
    fields: fields?.length === 0 ? undefined : fields,
    btf_key: definition.btfKey,
    btf_value: definition.btfValue,
  };
}

function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
