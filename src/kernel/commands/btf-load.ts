/**
 * BPF_BTF_LOAD: what is wrong with the form of type information, as the kernel looks at it (Documentation/bpf/btf.rst). Of types there are integers alone; others are not modelled.
 */
import { Unsupported } from "../../semantics/errors.ts";
import { E2BIG, EFAULT, EINVAL, ENOTSUPP, EPERM } from "../../vm/errno.ts";
import { BtfObject, type Integer } from "../btf-object.ts";
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

const TYPE = 12;
const INT_EXTRA = 4;
/** Bits of a type's `info` that mean something, and of an integer's own word. */
const INFO_MASK = 0x9f00_ffff;
const INT_MASK = 0x0fff_ffff;
const INT_KIND = 1;
const LAST_KIND = 19;
const MOST_BITS = 128;
/** An integer is plain, or signed, or a character, or a truth value. */
const ENCODINGS = [0, 1, 2, 4];

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
function typesOf(bytes: Uint8Array, log: string[]): readonly Integer[] | number {
  const header = headerOf(bytes, log);
  if (typeof header === "number") return header;
  const { length, types, strings } = header;
  const text = bytes.subarray(length + strings.at, length + strings.at + strings.size);
  if (length + strings.at + strings.size !== bytes.length) return EINVAL;
  if (text.length === 0 || text.length - 1 > MOST_NAMES || text[0] !== 0 || text.at(-1) !== 0) return EINVAL;
  if (types.at % 4 !== 0 || types.size === 0) return EINVAL;
  return integers(bytes.slice(length + types.at, length + types.at + types.size), text.length, log);
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
  log.push(`flags: ${view.getUint8(3)}`, `hdr_len: ${length}`, `btf_total_size: ${bytes.length}`);
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

/** @param names  bytes of the strings */
function integers(bytes: Uint8Array, names: number, log: string[]): readonly Integer[] | number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const types: Integer[] = [];
  for (let at = 0; at < bytes.length; at += TYPE + INT_EXTRA) {
    if (at + TYPE > bytes.length) return EINVAL;
    const [name, info, size] = [
      view.getUint32(at, true),
      view.getUint32(at + 4, true),
      view.getUint32(at + 8, true),
    ];
    if ((info & ~INFO_MASK) !== 0) return EINVAL;
    const kind = (info >>> 24) & 0x1f;
    if (kind === 0 || kind > LAST_KIND || name >= names) return EINVAL;
    if (kind !== INT_KIND) throw new Unsupported(`btf_load: types of kind ${kind}`);
    if (at + TYPE + INT_EXTRA > bytes.length || (info & 0x8000_ffff) !== 0) return EINVAL;
    const own = view.getUint32(at + TYPE, true);
    const problem = integerProblem(own, size);
    if (problem !== 0) return problem;
    log.push(`[${types.length + 1}] INT size=${size}`);
    types.push({ size, isWord: size === 4 && (own & 0xff_00ff) === 32 });
  }
  return types;
}

function integerProblem(own: number, size: number): number {
  if ((own & ~INT_MASK) !== 0) return EINVAL;
  const bits = (own & 0xff) + ((own >>> 16) & 0xff);
  if (bits > MOST_BITS || Math.ceil(bits / 8) > size) return EINVAL;
  return ENCODINGS.includes((own >>> 24) & 0xf) ? 0 : ENOTSUPP;
}
