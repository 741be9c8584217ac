/** Helpers that make, of the address of a variable of which each processor has its own, that of one processor's. */
import { Unsupported } from "../../semantics/errors.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** Null for a processor that there is not. */
function ofProcessor(call: Call, cpu: number): number | undefined {
  const { state } = call;
  const region = call.region(1, "percpu_ptr");
  if (region.place.kind === "object") throw new Unsupported("each processor's own part of an object");
  if (region.place.kind !== "kernel_memory") return call.refuse(1, "percpu_ptr", "is not the kernel's");
  const { processorOffsets: offsets } = state.environment;
  if (offsets === undefined) throw new Unsupported("each processor's own variables without where they are");
  const offset = offsets[cpu];
  if (offset === undefined) return 0;
  state.setKernelPointer(0, state.value(1) + offset);
  return undefined;
}

export const PER_CPU_HELPERS: HelperTable = {
  per_cpu_ptr: (call) => ofProcessor(call, call.u32(2, "cpu")),
  this_cpu_ptr: (call) => ofProcessor(call, call.cpu),
};
