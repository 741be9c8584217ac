/** The helpers that the machine has, by number. */
import { HELPER_NAMES } from "../../semantics/helpers/names.ts";
import { DYNPTR_HELPERS } from "./dynptr.ts";
import type { Helper, HelperTable } from "./helper.ts";
import { HOOK_HELPERS } from "./hook.ts";
import { KPTR_HELPERS } from "./kptr.ts";
import { LOCAL_STORAGE_HELPERS } from "./local-storage.ts";
import { LOCK_HELPERS } from "./lock.ts";
import { MAP_HELPERS } from "./maps.ts";
import { MEMORY_HELPERS } from "./memory.ts";
import { NETWORK_HELPERS } from "./network.ts";
import { OUTPUT_HELPERS } from "./output.ts";
import { PER_CPU_HELPERS } from "./per-cpu.ts";
import { PERF_HELPERS } from "./perf.ts";
import { REMOTE_CONTROL_HELPERS } from "./remote-control.ts";
import { RING_BUFFER_HELPERS } from "./ring-buffer.ts";
import { STACK_HELPERS } from "./stacks.ts";
import { STRING_HELPERS } from "./strings.ts";
import { SYMBOL_HELPERS } from "./symbols.ts";
import { TASK_HELPERS } from "./tasks.ts";
import { TIME_HELPERS } from "./time.ts";
import { TIMER_HELPERS } from "./timer.ts";

const HELPERS: HelperTable = {
  ...DYNPTR_HELPERS,
  ...HOOK_HELPERS,
  ...KPTR_HELPERS,
  ...LOCAL_STORAGE_HELPERS,
  ...LOCK_HELPERS,
  ...TIMER_HELPERS,
  ...MAP_HELPERS,
  ...MEMORY_HELPERS,
  ...NETWORK_HELPERS,
  ...OUTPUT_HELPERS,
  ...PER_CPU_HELPERS,
  ...PERF_HELPERS,
  ...REMOTE_CONTROL_HELPERS,
  ...RING_BUFFER_HELPERS,
  ...STACK_HELPERS,
  ...STRING_HELPERS,
  ...SYMBOL_HELPERS,
  ...TASK_HELPERS,
  ...TIME_HELPERS,
};

/** By id; `undefined` where the machine has none. */
export const HELPERS_BY_ID: readonly (Helper | undefined)[] = HELPER_NAMES.map((name) => HELPERS[name]);
