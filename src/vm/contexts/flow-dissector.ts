/**
 * The context of flow dissectors, as BPF_PROG_TEST_RUN makes it: the frame from its Ethernet header on, and the keys that the program fills. What comes back in place of the
 * packet is the keys.
 */
import { InputError } from "../../semantics/errors.ts";
import type { Context as ContextLayout } from "../../semantics/profile/profile.ts";
import type { AddressSpace } from "../address-space.ts";
import { Context } from "../context.ts";
import type { Environment } from "../environment.ts";
import { ETHERNET_HEADER, Packet } from "../packet.ts";
import type { Made } from "./made.ts";

/** `struct bpf_flow_keys` in linux/bpf.h, and bytes of it. */
const KEYS = { nhoff: 0, thoff: 2, n_proto: 10, flags: 48 };
const KEYS_SIZE = 56;

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

/** @throws InputError  for a packet or context that BPF_PROG_TEST_RUN would refuse */
export function flowDissectorInput(
  space: AddressSpace,
  layout: ContextLayout,
  { packet: frame, context: given = new Uint8Array(0) }: Environment,
): Made {
  if (frame === undefined || frame.length < ETHERNET_HEADER)
    throw new InputError(`packet: a flow_dissector program needs one of at least ${ETHERNET_HEADER} bytes`);
  if (given.some((byte, at) => byte !== 0 && (at < KEYS.flags || at >= KEYS.flags + 4)))
    throw new InputError("context: of the flow keys only flags may be set");
  const bytes = new Uint8Array(KEYS_SIZE);
  bytes.set(given.subarray(0, KEYS_SIZE));
  const view = new DataView(bytes.buffer);
  view.setUint16(KEYS.nhoff, ETHERNET_HEADER, true);
  view.setUint16(KEYS.thoff, ETHERNET_HEADER, true);
  bytes.set(frame.subarray(12, 14), KEYS.n_proto);
  const flowKeys = space.region({ place: { kind: "flow_keys" }, bytes });
  const packet = new Packet(space, {
    bytes: frame,
    headroom: 0,
    tailroom: 0,
    metadata: 0,
    hidden: 0,
    writable: false,
  });
  const results = (): { packet: Uint8Array } => {
    const out = flowKeys.bytes.slice(flowKeys.origin, flowKeys.origin + KEYS_SIZE);
    const keys = new DataView(out.buffer);
    const nhoff = clamp(keys.getUint16(KEYS.nhoff, true), ETHERNET_HEADER, frame.length);
    keys.setUint16(KEYS.nhoff, nhoff, true);
    keys.setUint16(KEYS.thoff, clamp(keys.getUint16(KEYS.thoff, true), nhoff, frame.length), true);
    return { packet: out };
  };
  return { context: new Context(space, layout, new Uint8Array(layout.size)), packet, flowKeys, results };
}
