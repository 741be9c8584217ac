/** bpf(2): each command goes to what does it. */
import type { Kernel, Process } from "../kernel.ts";
import type { BpfOperation } from "../operations/bpf.ts";
import type { Answer } from "../system.ts";
import { Attributes } from "./attributes.ts";
import { mapCreate, mapDelete, mapLookup, mapUpdate } from "./maps.ts";
import { getFdById, objGet, objPin } from "./objects.ts";
import { progLoad } from "./programs.ts";

/** @throws Unsupported  for what is not modelled */
export function bpf(kernel: Kernel, process: Process, call: BpfOperation): Answer | number {
  const attr = new Attributes(call);
  switch (call.command) {
    case "map_create":
      return mapCreate(kernel, process, attr);
    case "map_lookup_elem":
      return mapLookup(process, attr);
    case "map_update_elem":
      return mapUpdate(process, attr);
    case "map_delete_elem":
      return mapDelete(process, attr);
    case "prog_load":
      return progLoad(kernel, process, attr);
    case "obj_pin":
      return objPin(process, attr);
    case "obj_get":
      return objGet(process, attr);
    case "map_get_fd_by_id":
      return getFdById(kernel, process, "map", attr.u32("id"));
    case "prog_get_fd_by_id":
      return getFdById(kernel, process, "program", attr.u32("id"));
  }
}
