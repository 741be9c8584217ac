/**
 * A program's BTF in the kernel, and what refers to it when the program is loaded: `struct bpf_func_info` and `struct bpf_line_info`
 * (Documentation/bpf/btf.rst).
 */
import type { FunctionInfo, Program } from "../../semantics/program/program.ts";
import { bpf } from "./bpf.ts";
import type { Kernel } from "./calls.ts";
import { KernelError } from "./errno.ts";

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
  kernel: Kernel,
  raw: Uint8Array,
  program: Pick<Program, "functions" | "lineInfo">,
): BtfRecords {
  return recordsIn(kernel, loadBtf(kernel, raw), program);
}

/** The records of a program whose BTF is in the kernel already. @param fd the BTF's descriptor, which `close` closes */
export function recordsIn(
  kernel: Kernel,
  fd: number,
  { functions, lineInfo: lines }: Pick<Program, "functions" | "lineInfo">,
): BtfRecords {
  const funcInfo = functionRecords(functions);
  // The kernel wants line records that begin each function, so they make sense with the functions' only.
  const lineInfo = funcInfo === undefined ? undefined : lines;
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
    close: () => kernel.close(fd),
  };
}

export function loadBtf(kernel: Kernel, raw: Uint8Array): number {
  const { result, errno } = bpf(kernel, "btf_load", { btf: raw, btf_size: raw.length });
  if (errno === undefined) return result;
  const log = new Uint8Array(1 << 16);
  // Again, for the reason.
  bpf(kernel, "btf_load", {
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
