/** Kernel functions that give and take an arena's pages. */
import { Unsupported } from "../../semantics/errors.ts";
import { allocatePages, freePages } from "../arena-memory.ts";
import type { Call } from "../helpers/call.ts";
import type { HelperTable } from "../helpers/helper.ts";

/** Any memory node (NUMA_NO_NODE). */
const ANY_NODE = -1;

/** An address of user space, or null. */
function allocate(call: Call): bigint {
  const map = call.map(1);
  const address = call.state.value(2);
  const count = call.u32(3, "page_cnt");
  const node = call.i32(4, "node_id");
  const flags = call.u64(5, "flags");
  if (map.kind !== "arena" || flags !== 0n || (node !== ANY_NODE && node !== 0)) return 0n;
  return allocatePages(map, address, count);
}

function free(call: Call): undefined {
  const map = call.map(1);
  const address = call.state.value(2);
  const count = call.u32(3, "page_cnt");
  if (map.kind === "arena") freePages(map, address, count);
  return call.noResult();
}

export const ARENA_FUNCTIONS: HelperTable = {
  bpf_arena_alloc_pages: allocate,
  bpf_arena_free_pages: free,
  bpf_arena_reserve_pages() {
    throw new Unsupported("pages of an arena that are reserved");
  },
};
