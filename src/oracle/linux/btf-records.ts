/**
 * A program's BTF in the kernel, and what refers to it when the program is loaded: `struct bpf_func_info` and `struct bpf_line_info`
 * (Documentation/bpf/btf.rst).
 */
import type { FunctionInfo, SourceLine } from "../../semantics/program/program.ts";
import { KernelError } from "./errno.ts";
import { bpf, closeDescriptor } from "./syscall.ts";

export interface BtfRecords {
  readonly fd: number;
  /** Fields of BPF_PROG_LOAD. */
  readonly attributes: Readonly<Record<string, number | Uint8Array>>;
  readonly close: () => void;
}

const FUNC_INFO_SIZE = 8;
const LINE_INFO_SIZE = 16;

/** Loads the BTF. @throws KernelError with the kernel's log if it refuses it. */
export function btfRecords(
  raw: Uint8Array,
  functions: readonly FunctionInfo[],
  lines: readonly SourceLine[],
): BtfRecords {
  const fd = loadBtf(raw);
  const funcInfo = functionRecords(functions);
  // The kernel wants line records that begin each function, so they make sense with the functions' only.
  const lineInfo = funcInfo === undefined ? undefined : lineRecords(lines, stringOffsets(raw));
  return {
    fd,
    attributes: {
      prog_btf_fd: fd,
      ...(funcInfo === undefined
        ? {}
        : {
            func_info: funcInfo,
            func_info_rec_size: FUNC_INFO_SIZE,
            func_info_cnt: funcInfo.length / FUNC_INFO_SIZE,
          }),
      ...(lineInfo === undefined
        ? {}
        : {
            line_info: lineInfo,
            line_info_rec_size: LINE_INFO_SIZE,
            line_info_cnt: lineInfo.length / LINE_INFO_SIZE,
          }),
    },
    close: () => closeDescriptor(fd),
  };
}

function loadBtf(raw: Uint8Array): number {
  const { result, errno } = bpf("btf_load", { btf: raw, btf_size: raw.length });
  if (errno === undefined) return result;
  const log = new Uint8Array(1 << 16);
  // Again, for the reason.
  bpf("btf_load", {
    btf: raw,
    btf_size: raw.length,
    btf_log_buf: log,
    btf_log_size: log.length,
    btf_log_level: 1,
  });
  const text = new TextDecoder("latin1").decode(log.subarray(0, log.indexOf(0)));
  throw new KernelError("BTF", errno, text);
}

/** `{insn_off, type_id}` for each function; `undefined` unless all have a type. */
function functionRecords(functions: readonly FunctionInfo[]): Uint8Array | undefined {
  if (functions.length === 0) return undefined;
  const view = new DataView(new ArrayBuffer(functions.length * FUNC_INFO_SIZE));
  for (const [index, { insn, typeId }] of functions.entries()) {
    if (typeId === undefined) return undefined;
    view.setUint32(index * FUNC_INFO_SIZE, insn, true);
    view.setUint32(index * FUNC_INFO_SIZE + 4, typeId, true);
  }
  return new Uint8Array(view.buffer);
}

/** `{insn_off, file_name_off, line_off, line_col}`; `undefined` if a file or a line's text is not among the BTF's strings. */
function lineRecords(
  lines: readonly SourceLine[],
  strings: ReadonlyMap<string, number>,
): Uint8Array | undefined {
  if (lines.length === 0) return undefined;
  const view = new DataView(new ArrayBuffer(lines.length * LINE_INFO_SIZE));
  for (const [index, { insn, file, line, column, text }] of lines.entries()) {
    const fileOffset = strings.get(file);
    const textOffset = strings.get(text);
    if (fileOffset === undefined || textOffset === undefined) return undefined;
    const at = index * LINE_INFO_SIZE;
    view.setUint32(at, insn, true);
    view.setUint32(at + 4, fileOffset, true);
    view.setUint32(at + 8, textOffset, true);
    view.setUint32(at + 12, ((line << 10) | column) >>> 0, true);
  }
  return new Uint8Array(view.buffer);
}

/** Every string of the BTF with its offset in the string section. */
function stringOffsets(raw: Uint8Array): ReadonlyMap<string, number> {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const headerLength = view.getUint32(4, true);
  const start = headerLength + view.getUint32(16, true);
  const section = raw.subarray(start, start + view.getUint32(20, true));
  const offsets = new Map<string, number>();
  let offset = 0;
  for (const text of new TextDecoder().decode(section).split("\0")) {
    if (!offsets.has(text)) offsets.set(text, offset);
    offset += new TextEncoder().encode(text).length + 1;
  }
  return offsets;
}
