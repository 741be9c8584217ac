/** Helpers that send something out: the trace, and perf events. */

import { EFAULT, EINVAL } from "../errno.ts";
import { fault } from "../fault.ts";
import { SCALAR, UNINITIALISED } from "../region.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";
import { type Arguments, formatPrint } from "./print.ts";

/** trace_printk's arguments after format and size. */
const FIRST_ARGUMENT = 3;
const ARGUMENTS = 3;
/** The longest line of the trace (BPF_TRACE_PRINTK_SIZE), with its final NUL. */
const LINE_MAX = 1024;

/** Bytes behind an argument, up to `size` of them; fewer at the end of the region; none if it is no pointer. */
function bytesBehind(call: Call, register: number, size: number): Uint8Array {
  const region = call.state.tag(register);
  const offset = call.state.offset(register, region);
  if (region === SCALAR || region === UNINITIALISED || !region.live || offset < region.start)
    return new Uint8Array(0);
  const end = Math.max(offset, Math.min(region.end, offset + size));
  return region.bytes.subarray(region.origin + offset, region.origin + end);
}

function argumentsOf(call: Call): Arguments {
  const register = (index: number): number => FIRST_ARGUMENT + index;
  return {
    count: ARGUMENTS,
    value: (index) => call.state.value(register(index)),
    string: (index) => text(bytesBehind(call, register(index), LINE_MAX)),
    bytes: (index, size) => {
      const found = bytesBehind(call, register(index), size);
      return found.length === size ? found : undefined;
    },
  };
}

/** The characters up to the first NUL. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end === -1 ? bytes : bytes.subarray(0, end)));
}

function tracePrint(call: Call): number {
  const format = call.read(1, call.size(2, "fmt_size"), "fmt");
  if (!format.includes(0)) return EINVAL;
  const line = formatPrint(text(format), argumentsOf(call));
  if (typeof line === "number") return line;
  call.run.printed.push(line.slice(0, LINE_MAX - 1));
  return line.length;
}

const INDEX_MASK = 0xffffffffn;
const CURRENT_CPU = 0xffffffff;
const CONTEXT_LENGTH_MASK = 0xfffffn << 32n;

/** Sends a record, for programs on packets followed by as much of the packet as bits 32 to 51 of the flags say. */
function perfEventOutput(call: Call): number {
  call.context(1);
  const map = call.map(2);
  const flags = call.u64(3, "flags");
  const data = call.read(4, call.size(5, "size", "zero"), "data").slice();
  if (map.kind !== "events") return call.refuse(2, "map", `is a map of type ${map.definition.type}`);
  const { packet } = call.state;
  const known = packet === undefined ? INDEX_MASK : INDEX_MASK | CONTEXT_LENGTH_MASK;
  if ((flags & ~known) !== 0n) return EINVAL;
  const taken = packet?.slice(0, Number((flags & CONTEXT_LENGTH_MASK) >> 32n));
  if (packet !== undefined && taken === undefined) return EFAULT;
  const index = Number(flags & INDEX_MASK);
  const record = Buffer.concat([data, taken ?? new Uint8Array(0)]);
  return map.output(index === CURRENT_CPU ? call.cpu : index, Uint8Array.from(record));
}

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
  perf_event_output: perfEventOutput,
  tail_call: tailCall,
};
