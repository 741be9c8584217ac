/** Contexts that are bytes from the environment. */
import { InputError } from "../../semantics/errors.ts";
import type { Context as ContextLayout } from "../../semantics/profile/profile.ts";
import type { ProgramType } from "../../semantics/program/program-types.ts";
import type { AddressSpace } from "../address-space.ts";
import { Context } from "../context.ts";
import type { Environment } from "../environment.ts";
import type { Made } from "./made.ts";

/** Types whose contexts are what the environment says, byte for byte; the pointers among their fields, where the machine has none, are not modelled. */
export const GIVEN_WHOLE: ReadonlySet<ProgramType> = new Set([
  "kprobe",
  "tracepoint",
  "perf_event",
  "raw_tracepoint",
  "raw_tracepoint_writable",
  "syscall",
  "netfilter",
  "cgroup_device",
  "cgroup_sock",
  "cgroup_sock_addr",
  "cgroup_sysctl",
  "struct_ops",
]);

/** The sample that a decoder for infrared remote controls is given: its type, and how long it is. */
export const REMOTE_CONTROL: ContextLayout = {
  struct: "unsigned int",
  size: 4,
  fields: [{ name: "sample", offset: 0, size: 4, value: "scalar", reads: [1, 2, 4], writes: [] }],
};

/** The context as bytes of the layout's size: what the environment leaves out is 0. */
export function contextBytes(layout: ContextLayout, given: Uint8Array | undefined): Uint8Array {
  const bytes = new Uint8Array(layout.size);
  if (given === undefined) return bytes;
  if (given.length > layout.size) {
    throw new InputError(`context: ${given.length} bytes, but ${layout.struct} has ${layout.size}`);
  }
  bytes.set(given);
  return bytes;
}

/** The context is given back as the program leaves it, as much of it as was given; a tracepoint's record whole. */
export function bytesInput(
  space: AddressSpace,
  layout: ContextLayout,
  { context: given, tracepointRecord: record }: Environment,
): Made {
  const context = new Context(space, layout, contextBytes(layout, given));
  const contextOut = (): { context: Uint8Array } => ({ context: context.bytes.slice(0, given?.length ?? 0) });
  const hasRecord = layout.fields.some(({ value }) => value === "tp_buffer");
  if (record === undefined || !hasRecord) return { context, results: contextOut };
  const region = space.region({ place: { kind: "tracepoint_record" }, bytes: record });
  const recordOut = (): Uint8Array => region.bytes.slice(region.origin, region.origin + region.end);
  return {
    context,
    tracepointRecord: region,
    results: () => ({ ...contextOut(), tracepointRecord: recordOut() }),
  };
}
