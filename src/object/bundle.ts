/**
 * The program bundle (`*.prog.json`): one program with its maps, and what is expected of it, in a file that people write and the corpus
 * is made of. Unknown keys are errors; every error is one line that begins with the path inside the JSON (`maps[0].type: …`).
 *
 * A bundle holds less than a `Program` from an object: no source lines, no section. `insns` and `data` are hex.
 */
import { InputError } from "../semantics/errors.ts";
import { assemble } from "../semantics/isa/assemble.ts";
import { decode } from "../semantics/isa/codec.ts";
import type { Instruction } from "../semantics/isa/instruction.ts";
import { rowByName } from "../semantics/isa/table.ts";
import type { MapDefinition } from "../semantics/program/map-types.ts";
import type { FunctionInfo, Program, Slots } from "../semantics/program/program.ts";
import { type Btf, readBtf } from "./btf.ts";
import { type BundleFile, bundleSchema, type MapFile } from "./bundle-schema.ts";
import { functionPrototype } from "./function-types.ts";
import { parseJson } from "./json.ts";
import { ownTypes } from "./own-types.ts";
import { explain } from "./schema.ts";

/** One run that a bundle expects. */
export interface ExpectedRun {
  readonly packet?: Uint8Array;
  readonly context?: Uint8Array;
  /** r0's low 32 bits, unsigned. */
  readonly retval: number;
}

export interface Expectation {
  readonly verdict: "accept" | "reject";
  /** A part of the log's last line. */
  readonly message?: string;
  readonly runs: readonly ExpectedRun[];
}

export interface Bundle {
  readonly program: Program;
  readonly expect?: Expectation;
}

/** The bundle is well formed, and its instructions are not: no kernel loads them, where other errors say that the file is no bundle. */
export class EncodingError extends InputError {
  /** The bundle's `name`. */
  readonly program: string;

  constructor(program: string, cause: InputError) {
    super(`insns: ${cause.message}`, { cause });
    this.program = program;
  }
}

/**
 * @param text the file's text
 * @throws InputError with line and column of a syntax error, or with the path of what does not fit; `EncodingError` where only the
 * instructions are at fault
 */
export function readBundle(text: string): Bundle {
  const parsed = bundleSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new InputError(explain(parsed.error, "bundle"));
  const file = parsed.data;
  const btf = file.btf === undefined ? undefined : readBtf(file.btf, "btf");
  const { expect } = file;
  const insns = instructionsOf(file);
  return {
    program: {
      name: file.name,
      type: file.type,
      ...defined({ attach: file.attach, target: file.target, btf: file.btf, privileges: file.privileges }),
      license: file.license,
      flags: file.flags,
      insns: insns.map((insn) => withoutPosition(insn, file)),
      maps: file.maps.map(mapOf),
      ...kernelFunctions(insns, file.kfuncs),
      ...kernelSymbols(insns, file.ksyms),
      ...(btf === undefined || !mayHaveObjects(file) ? {} : { ownTypes: ownTypes(btf) }),
      lines: [],
      functions: file.func_info.map((record, index) => functionOf(record, index, file.name, btf)),
    },
    ...(expect === undefined
      ? {}
      : {
          expect: {
            verdict: expect.verdict,
            ...defined({ message: expect.message }),
            runs: expect.runs.map(({ retval, packet, context }) => ({
              retval,
              ...defined({ packet, context }),
            })),
          },
        }),
  };
}

/** Objects of the program's own come from kernel functions or out of maps. */
const mayHaveObjects = ({ kfuncs, maps }: BundleFile): boolean =>
  kfuncs.length > 0 || maps.some(({ fields }) => fields.length > 0);

/** The given values without those that are undefined. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- exactly the entries that the filter leaves
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

const isKfuncCall = (insn: Instruction | undefined): insn is Instruction =>
  insn?.row.operation.kind === "call" && insn.row.operation.callee === "kfunc";

/** Which function each call names: `imm` is a position in `names`, if the bundle has any. */
function kernelFunctions(insns: Slots, names: readonly string[]): Pick<Program, "kfuncs"> {
  if (names.length === 0) return {};
  const kfuncs = insns.flatMap((insn, at) => {
    if (!isKfuncCall(insn)) return [];
    const name = names[insn.imm];
    if (name === undefined)
      throw new InputError(`instruction ${at} refers to kernel function ${insn.imm} of ${names.length}`);
    return [{ insn: at, name }];
  });
  return kfuncs.length === 0 ? {} : { kfuncs };
}

const isSymbolLoad = (insn: Instruction | undefined): insn is Instruction =>
  insn?.row.operation.kind === "ld_imm64" && insn.row.operation.load === "btf_id";

/** The same for loads of kernel symbols. */
function kernelSymbols(insns: Slots, symbols: BundleFile["ksyms"]): Pick<Program, "ksyms"> {
  if (symbols.length === 0) return {};
  const ksyms = insns.flatMap((insn, at) => {
    if (!isSymbolLoad(insn)) return [];
    const symbol = symbols[insn.imm];
    if (symbol === undefined)
      throw new InputError(`instruction ${at} refers to kernel symbol ${insn.imm} of ${symbols.length}`);
    return [{ insn: at, ...symbol }];
  });
  return ksyms.length === 0 ? {} : { ksyms };
}

const CONSTANT = rowByName("ld_imm64");

/** What has a name is of no kernel's number yet; where the name has no type, a number is what is loaded. */
function withoutPosition(
  insn: Instruction | undefined,
  { kfuncs, ksyms }: BundleFile,
): Instruction | undefined {
  if (kfuncs.length > 0 && isKfuncCall(insn)) return { ...insn, imm: 0 };
  if (ksyms.length === 0 || !isSymbolLoad(insn)) return insn;
  return ksyms[insn.imm]?.typed === false ? { ...insn, row: CONSTANT, imm: 0 } : { ...insn, imm: 0 };
}

function instructionsOf(file: BundleFile): Slots {
  const { name, insns, asm, maps } = file;
  if ((insns === undefined) === (asm === undefined)) {
    throw new InputError("insns: a bundle has either insns or asm");
  }
  const slots = asm === undefined ? decoded(name, insns ?? new Uint8Array(0)) : assembled(asm, file);
  for (const [index, instruction] of slots.entries()) {
    const operation = instruction?.row.operation;
    if (instruction === undefined || operation?.kind !== "ld_imm64") continue;
    if (operation.load !== "map_fd" && operation.load !== "map_value") continue;
    if (instruction.imm < 0 || instruction.imm >= maps.length) {
      const where = asm === undefined ? "insns" : "asm";
      throw new InputError(
        `${where}: instruction ${index} refers to map ${instruction.imm} of ${maps.length}`,
      );
    }
  }
  return slots;
}

function decoded(name: string, insns: Uint8Array): Slots {
  try {
    return decode(insns);
  } catch (error) {
    if (error instanceof InputError) throw new EncodingError(name, error);
    throw error;
  }
}

function assembled(
  asm: string | readonly string[],
  { maps, kfuncs, ksyms }: Pick<BundleFile, "maps" | "kfuncs" | "ksyms">,
): Slots {
  try {
    return assemble(asm, { maps, kfuncs, ksyms: ksyms.map((symbol) => symbol.name) });
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`asm: ${error.message}`, { cause: error });
    throw error;
  }
}

function mapOf(file: MapFile): MapDefinition {
  const { name, type, flags, data, frozen, fields, inner } = file;
  return {
    name,
    type,
    keySize: file.key_size,
    valueSize: file.value_size,
    maxEntries: file.max_entries,
    flags,
    ...defined({
      data,
      btfKey: file.btf_key,
      btfValue: file.btf_value,
      inner: inner === undefined ? undefined : mapOf(inner),
    }),
    ...(frozen ? { frozen } : {}),
    ...(fields.length === 0
      ? {}
      : {
          fields: fields.map(({ kind, offset, type: of, struct, node }) => ({
            kind,
            offset,
            ...defined({ type: of, struct, node }),
          })),
        }),
  };
}

function functionOf(
  { insn, type_id: typeId }: BundleFile["func_info"][number],
  index: number,
  program: string,
  btf: Btf | undefined,
): FunctionInfo {
  if (btf === undefined) throw new InputError(`func_info[${index}]: there is no btf that it refers to`);
  const type = typeId < btf.count ? btf.type(typeId) : undefined;
  if (type?.kind !== "func")
    throw new InputError(`func_info[${index}].type_id: type ${typeId} of btf is no function`);
  const prototype = functionPrototype(btf, typeId);
  return {
    insn,
    typeId,
    name: type.name === "" ? program : type.name,
    linkage: type.linkage,
    ...defined({ prototype }),
  };
}
