/** Helpers about the hook that the program runs at: its attachment, the traced function's arguments and result, and the hook's own result. */
import { EINVAL, EOPNOTSUPP } from "../errno.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** Bytes of an argument in the context of a program that is attached to a function. */
const ARGUMENT = 8;
/** Attach types whose context has the function's result behind its arguments. */
const HAS_RESULT: ReadonlySet<string> = new Set(["trace_fexit", "modify_return", "trace_fsession"]);

/** What the context holds: the function's arguments, and its result. */
function traced(call: Call): {
  readonly words: BigUint64Array;
  readonly count: number;
  readonly hasResult: boolean;
} {
  call.context(1);
  const bytes = call.state.input.context.bytes.slice();
  const words = new BigUint64Array(bytes.buffer);
  const hasResult = HAS_RESULT.has(call.state.loaded.program.attach ?? "");
  return { words, count: bytes.length / ARGUMENT - (hasResult ? 1 : 0), hasResult };
}

function put(out: Uint8Array, value: bigint): void {
  new DataView(out.buffer, out.byteOffset, ARGUMENT).setBigUint64(0, value, true);
}

function functionArgument(call: Call): number {
  const { words, count } = traced(call);
  const index = call.u32(2, "n");
  const out = call.write(3, ARGUMENT, "value");
  if (index >= count) return EINVAL;
  put(out, words[index] ?? 0n);
  return 0;
}

function functionResult(call: Call): number {
  const { words, count, hasResult } = traced(call);
  const out = call.write(2, ARGUMENT, "value");
  if (!hasResult) return EOPNOTSUPP;
  put(out, words[count] ?? 0n);
  return 0;
}

function functionAddress(call: Call): bigint {
  call.context(1);
  return call.state.environment.attachment?.functionAddress ?? 0n;
}

function attachCookie(call: Call): bigint {
  call.context(1);
  return call.state.environment.attachment?.cookie ?? 0n;
}

function setHookResult(call: Call): number {
  call.run.tracing.hookResult = call.i32(1, "retval");
  return 0;
}

export const HOOK_HELPERS: HelperTable = {
  get_func_arg: functionArgument,
  get_func_ret: functionResult,
  get_func_arg_cnt: (call) => traced(call).count,
  get_func_ip: functionAddress,
  get_attach_cookie: attachCookie,
  get_retval: (call) => call.run.tracing.hookResult ?? call.state.environment.hookResult ?? 0,
  set_retval: setHookResult,
};
