/**
 * BPF_BTF_LOAD: what is wrong with the form of type information, as the kernel looks at it (Documentation/bpf/btf.rst): the header and its
 * sections here, types in `src/kernel/btf`.
 */
import { E2BIG, EFAULT, EINVAL, ENOTSUPP, EPERM } from "../../vm/errno.ts";
import { Names, readTypes } from "../btf/form.ts";
import { Resolution, refuseSpecial } from "../btf/resolution.ts";
import { BtfObject } from "../btf-object.ts";
import { may } from "../privileges.ts";
import { type Call, tokenProblem } from "./call.ts";
import { isLogAsked, writeLog } from "./load-log.ts";

const TOKEN = 1 << 16;
const LARGEST = 1 << 24;
const HEADER = 24;
/** The header's part that says how long it is. */
const LENGTH_END = 8;
const MAGIC = 0xeb9f;
const MOST_NAMES = 0xff_ffff;
/** Where `btf_log_true_size` ends. */
const TRUE_SIZE_END = 32;

export function btfLoad({ kernel, process, attr }: Call<"btf_load">): number {
  const flags = attr.u32("btf_flags");
  if ((flags & ~TOKEN) !== 0) return EINVAL;
  if (flags !== 0) return tokenProblem(process, attr.s32("btf_token_fd"));
  if (!may(process, "cap_bpf")) return EPERM;
  const size = attr.u32("btf_size");
  if (size > LARGEST) return E2BIG;
  const [level, logSize] = [attr.u32("btf_log_level"), attr.u32("btf_log_size")];
  if (!isLogAsked(level, logSize, attr.u64("btf_log_buf"))) return EINVAL;
  const bytes = attr.read("btf", size);
  const log: string[] = [];
  const found = bytes === undefined ? EFAULT : typesOf(bytes, log);
  const write = (text: Uint8Array): boolean => attr.write("btf_log_buf", text);
  const { problem, trueSize } = writeLog(log.join("\n"), level, logSize, write);
  if (attr.size >= TRUE_SIZE_END && !attr.writeBack("btf_log_true_size", trueSize)) return EFAULT;
  if (problem !== 0) return problem;
  if (typeof found === "number" || bytes === undefined) return typeof found === "number" ? found : EFAULT;
  return process.descriptors.open(new BtfObject(kernel.objects, bytes, found));
}

interface Header {
  readonly length: number;
  readonly types: { readonly at: number; readonly size: number };
  readonly strings: { readonly at: number; readonly size: number };
}

/** The types, or a negative error number. */
function typesOf(bytes: Uint8Array, log: string[]): Resolution | number {
  const header = headerOf(bytes, log);
  if (typeof header === "number") return header;
  const { length, types, strings } = header;
  const text = bytes.subarray(length + strings.at, length + strings.at + strings.size);
  if (length + strings.at + strings.size !== bytes.length) return EINVAL;
  if (text.length === 0 || text.length - 1 > MOST_NAMES || text[0] !== 0 || text.at(-1) !== 0) return EINVAL;
  if (types.at % 4 !== 0 || types.size === 0) return EINVAL;
  const names = new Names(text);
  const told = (line: string): number => log.push(line);
  const found = readTypes(bytes.slice(length + types.at, length + types.at + types.size), names, told);
  if (typeof found === "number") return found;
  const resolution = new Resolution(found, names);
  const problem = resolution.check();
  if (problem !== 0) return problem;
  refuseSpecial(found, names);
  return resolution;
}

function headerOf(bytes: Uint8Array, log: string[]): Header | number {
  log.push("hdr_len not found");
  if (bytes.length < LENGTH_END) return EINVAL;
  const whole = new Uint8Array(Math.max(HEADER, bytes.length));
  whole.set(bytes);
  const view = new DataView(whole.buffer);
  const length = view.getUint32(4, true);
  if (bytes.length < length) return EINVAL;
  if (length > HEADER && bytes.subarray(HEADER, length).some((byte) => byte !== 0)) return E2BIG;
  // What a short header leaves out is zero.
  whole.fill(0, Math.min(length, HEADER), HEADER);
  const [types, strings] = [8, 16].map((at) => ({
    at: view.getUint32(at, true),
    size: view.getUint32(at + 4, true),
  }));
  log.splice(0, 1, `magic: 0x${view.getUint16(0, true).toString(16)}`, `version: ${view.getUint8(2)}`);
  const places = ["type_off", "type_len", "str_off", "str_len"];
  log.push(`flags: 0x${view.getUint8(3).toString(16)}`, `hdr_len: ${length}`);
  log.push(...places.map((name, index) => `${name}: ${view.getUint32(8 + 4 * index, true)}`));
  log.push(`btf_total_size: ${bytes.length}`);
  if (view.getUint16(0, true) !== MAGIC) return EINVAL;
  if (view.getUint8(2) !== 1 || view.getUint8(3) !== 0) return ENOTSUPP;
  if (types === undefined || strings === undefined || bytes.length === length) return EINVAL;
  return coversAll([types, strings], bytes.length - length) ? { length, types, strings } : EINVAL;
}

/** Whether sections follow each other without gaps to the end. */
function coversAll(
  sections: readonly { readonly at: number; readonly size: number }[],
  total: number,
): boolean {
  let end = 0;
  for (const { at, size } of [...sections].sort((a, b) => a.at - b.at)) {
    if (at !== end || size > total - end) return false;
    end += size;
  }
  return end === total;
}
