/** Kernel functions that give a pointer another type, and leave it what it is. */
import { Unsupported } from "../../semantics/errors.ts";
import type { Call } from "../helpers/call.ts";
import type { HelperTable } from "../helpers/helper.ts";

/** Anything at all as an address that nobody vouches for: the kernel guards each load through it, whatever arithmetic has made of it. */
function readOnly(call: Call): undefined {
  const { state } = call;
  const { value } = state.copyOf(1);
  call.initialised(1, "obj");
  call.u32(2, "btf_id");
  state.setKernelPointer(0, value);
  state.lostKernelPointer = true;
  return undefined;
}

/** The kernel's own context, which lies in its memory: at the address that the environment says. */
function kernelContext(call: Call): undefined {
  const { state } = call;
  call.context(1);
  const { contextAddress } = state.environment;
  if (contextAddress === undefined) throw new Unsupported("the kernel's own context without its address");
  state.setKernelPointer(0, contextAddress);
  return undefined;
}

export const CAST_FUNCTIONS: HelperTable = {
  bpf_rdonly_cast: readOnly,
  bpf_cast_to_kern_ctx: kernelContext,
};
