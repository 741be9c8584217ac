/** Helpers that send something out: the trace, texts, and a tail call. */

import { Unsupported } from "../../semantics/errors.ts";
import { EINVAL } from "../errno.ts";
import { fault } from "../fault.ts";
import type { PrintArguments } from "../format/arguments.ts";
import { formatText } from "../format/format.ts";
import { bytesAt, textAt, USER_END } from "../reach.ts";
import { UNINITIALISED } from "../region.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";
import { symbolText } from "./symbols.ts";

/** trace_printk's arguments after format and size. */
const FIRST_ARGUMENT = 3;
const ARGUMENTS = 3;
/** The longest line of the trace (MAX_BPRINTF_BUF), with its final NUL. */
const LINE_MAX = 1024;
/** The most arguments of the other helpers that print (MAX_BPRINTF_VARARGS). */
const VARIABLE_ARGUMENTS = 12;

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** A number that stands for an address, by the run's seed. */
function hashOf(address: bigint, seed: number): number {
  const low = Number(address & 0xffffffffn) | 0;
  const high = Number(address >> 32n) | 0;
  const mixed = Math.imul(low ^ (seed | 0), 0x9e3779b1) ^ Math.imul(high ^ (low >>> 15), 0x85ebca77);
  return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae3d) >>> 0;
}

/** What the arguments' values are and what they point to. */
function printArguments({ state }: Call, count: number, value: (index: number) => bigint): PrintArguments {
  return {
    count,
    value,
    string(index, memory, most) {
      const address = value(index);
      const user = address < USER_END;
      if (user ? memory === "kernel" : memory === "user") return undefined;
      const text = textAt(state, address, most);
      return text === undefined ? undefined : latin1(text.bytes);
    },
    bytes: (index, size) => (value(index) < USER_END ? undefined : bytesAt(state, value(index), size)),
    hash: (address) => hashOf(address, state.environment.seed ?? 0),
    symbol: (address, form) => symbolText(state.environment, address, form),
  };
}

/** The characters of a format up to its NUL; `undefined` if there is none. */
function formatOf(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0);
  return end === -1 ? undefined : latin1(bytes.subarray(0, end));
}

function trace(call: Call, format: string | undefined, given: PrintArguments): number {
  if (format === undefined) return EINVAL;
  const line = formatText(format, given, LINE_MAX);
  if (typeof line === "number") return line;
  call.run.printed.push(line.slice(0, LINE_MAX - 1));
  return line.length;
}

function tracePrint(call: Call): number {
  const format = formatOf(call.read(1, call.size(2, "fmt_size"), "fmt"));
  return trace(
    call,
    format,
    printArguments(call, ARGUMENTS, (index) => call.state.value(FIRST_ARGUMENT + index)),
  );
}

/** Arguments that lie in memory, 8 bytes each; `undefined` for a size that they cannot have. */
function argumentsInMemory(call: Call, register: number, sizeRegister: number): PrintArguments | undefined {
  const size = call.size(sizeRegister, "data_len", "zero");
  const data = call.readOrNull(register, size, "data").slice();
  if (size % 8 !== 0 || size > 8 * VARIABLE_ARGUMENTS) return undefined;
  const words = new BigUint64Array(data.buffer);
  return printArguments(call, words.length, (index) => words[index] ?? 0n);
}

function traceVariable(call: Call): number {
  const format = formatOf(call.read(1, call.size(2, "fmt_size"), "fmt"));
  const given = argumentsInMemory(call, 3, 4);
  return given === undefined ? EINVAL : trace(call, format, given);
}

/** The text goes to memory as far as there is room; the result counts all of it, with its final NUL. */
function textToMemory(call: Call): number {
  const size = call.size(2, "str_size", "zero");
  const given = argumentsInMemory(call, 4, 5);
  const format = latin1(call.text(3, "fmt"));
  const out = size === 0 ? new Uint8Array(0) : call.write(1, size, "str");
  if (given === undefined) return EINVAL;
  const text = formatText(format, given, size);
  if (typeof text === "number") return text;
  if (size > 0) out.set(Buffer.from(`${text.slice(0, size - 1)}\0`, "latin1"));
  return text.length + 1;
}

/** The most that an iterator's program may write in one run (seq_read's buffer for iterators). */
const SEQUENCE_MAX = 8 * 4096;

/** Writes for whoever reads the iterator. */
function toSequence(call: Call, text: string): number {
  if (call.initialised(1, "m").place.kind !== "kernel_memory") call.refuse(1, "m", "is not the kernel's");
  const { tracing } = call.run;
  if (tracing.sequence.length + text.length >= SEQUENCE_MAX)
    throw new Unsupported("an iterator that fills its reader's buffer");
  tracing.sequence += text;
  return 0;
}

function sequencePrint(call: Call): number {
  const format = formatOf(call.read(2, call.size(3, "fmt_size"), "fmt"));
  const given = argumentsInMemory(call, 4, 5);
  if (given === undefined || format === undefined) return EINVAL;
  const text = formatText(format, given, SEQUENCE_MAX);
  return typeof text === "number" ? text : toSequence(call, text);
}

const sequenceWrite = (call: Call): number =>
  toSequence(call, latin1(call.read(2, call.size(3, "len", "zero"), "data")));

/** MAX_TAIL_CALL_CNT in linux/bpf.h. */
const MAX_TAIL_CALLS = 33;

/** Jumps to another program; falls through, leaving no result, if there is none or there were too many jumps. */
function tailCall(call: Call): undefined {
  call.context(1);
  const map = call.map(2);
  const index = call.u32(3, "index");
  if (map.kind !== "programs")
    return call.refuse(2, "prog_array_map", `is a map of type ${map.definition.type}`);
  const target = call.run.tailCalls < MAX_TAIL_CALLS ? map.find(index) : undefined;
  call.state.setTag(0, UNINITIALISED);
  if (target === undefined) return undefined;
  if (target.program.type !== call.type)
    fault("helper_argument", `call tail_call: ${target.program.name} is of another type`);
  call.run.enter(target);
  return undefined;
}

export const OUTPUT_HELPERS: HelperTable = {
  trace_printk: tracePrint,
  trace_vprintk: traceVariable,
  snprintf: textToMemory,
  seq_printf: sequencePrint,
  seq_write: sequenceWrite,
  tail_call: tailCall,
};
