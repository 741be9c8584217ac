/** bpf(2): the attribute is copied and looked at, and the command goes to what does it. */
import type { Command } from "../../semantics/abi/bpf-commands.ts";
import { EINVAL, EPERM } from "../../vm/errno.ts";
import { progAttach, progDetach } from "../attachments/attach.ts";
import { iterCreate, linkCreate, linkDetach, linkUpdate, rawTracepointOpen } from "../attachments/links.ts";
import { progQuery } from "../attachments/query.ts";
import type { Kernel, Process } from "../kernel.ts";
import type { BpfOperation } from "../operations/bpf.ts";
import { may } from "../privileges.ts";
import type { Answer } from "../system.ts";
import { Attribute, attributeProblem } from "./attribute.ts";
import { mapDeleteBatch, mapLookupBatch, mapTakeBatch, mapUpdateBatch } from "./batches.ts";
import { btfLoad } from "./btf-load.ts";
import type { Handler } from "./call.ts";
import { mapDelete, mapFreeze, mapLookup, mapNextKey, mapTake, mapUpdate } from "./elements.ts";
import { enableStats, progBindMap, streamRead, taskFdQuery, tokenCreate } from "./further.ts";
import { btfFdById, fdById, mapFdById, nextId } from "./ids.ts";
import { objectInfo } from "./information.ts";
import { mapCreate } from "./maps.ts";
import { objGet, objPin } from "./pins.ts";
import { progLoad } from "./program-load.ts";
import { progTestRun } from "./test-run.ts";

const HANDLERS: { readonly [C in Command]: Handler<C> } = {
  map_create: mapCreate,
  map_lookup_elem: mapLookup,
  map_update_elem: mapUpdate,
  map_delete_elem: mapDelete,
  map_get_next_key: mapNextKey,
  prog_load: progLoad,
  obj_pin: objPin,
  obj_get: objGet,
  prog_attach: progAttach,
  prog_detach: progDetach,
  prog_test_run: progTestRun,
  prog_get_next_id: nextId("program"),
  map_get_next_id: nextId("map"),
  prog_get_fd_by_id: fdById("program"),
  map_get_fd_by_id: mapFdById,
  obj_get_info_by_fd: objectInfo,
  prog_query: progQuery,
  raw_tracepoint_open: rawTracepointOpen,
  btf_load: btfLoad,
  btf_get_fd_by_id: btfFdById,
  task_fd_query: taskFdQuery,
  map_lookup_and_delete_elem: mapTake,
  map_freeze: mapFreeze,
  btf_get_next_id: nextId("btf"),
  map_lookup_batch: mapLookupBatch,
  map_lookup_and_delete_batch: mapTakeBatch,
  map_update_batch: mapUpdateBatch,
  map_delete_batch: mapDeleteBatch,
  link_create: linkCreate,
  link_update: linkUpdate,
  link_get_fd_by_id: fdById("link"),
  link_get_next_id: nextId("link"),
  enable_stats: enableStats,
  iter_create: iterCreate,
  link_detach: linkDetach,
  prog_bind_map: progBindMap,
  token_create: tokenCreate,
  prog_stream_read_by_fd: streamRead,
};

/** Has a command done by what does it: whatever command it is, its attribute is its own. */
const withHandler = <C extends Command>(
  command: C,
  use: (command: C, handler: Handler<C>) => Answer,
): Answer => use(command, HANDLERS[command]);

/** @throws Unsupported  for what is not modelled */
export function bpf(kernel: Kernel, process: Process, call: BpfOperation): Answer {
  const { command } = call;
  if (typeof command === "number") return { result: attributeProblem(call) || EINVAL };
  return withHandler(command, (name, handler) => {
    const attr = new Attribute(call, name);
    const problem = attr.copy();
    if (problem !== 0) return { result: problem };
    // The one command that asks for privileges first.
    if (name === "prog_query" && !may(process, "cap_net_admin")) return { result: EPERM };
    if (attr.hasMore) return { result: EINVAL };
    const result = handler({ kernel, process, attr });
    const out = attr.changes();
    return Object.keys(out).length === 0 ? { result } : { result, out };
  });
}
