/** The context of programs that choose a socket for a packet: as BPF_PROG_TEST_RUN makes it of a `struct bpf_sk_lookup`, with no socket chosen yet. */
import { InputError } from "../../semantics/errors.ts";
import type { Context as ContextLayout } from "../../semantics/profile/profile.ts";
import type { AddressSpace } from "../address-space.ts";
import { Context } from "../context.ts";
import type { Environment } from "../environment.ts";
import type { Made } from "./made.ts";

const FIELDS = {
  sk: 0,
  family: 8,
  /** Linux keeps 16 bits of the family and of the protocol. */
  protocol: 12,
  remote_ip4: 16,
  remote_ip6: 20,
  remote_port: 36,
  /** Two bytes behind a port in network order. */
  padding: 38,
  local_ip4: 40,
  local_ip6: 44,
  local_port: 60,
  ingress_ifindex: 64,
};
/** Bytes of the structure. */
const SIZE = 72;
const AF_INET = 2;
const AF_INET6 = 10;
const IPV6 = 16;
const PORT_MAX = 0xffff;

function check(bytes: Uint8Array, view: DataView): void {
  const family = view.getUint16(FIELDS.family, true);
  if (family !== AF_INET && family !== AF_INET6)
    throw new InputError(`context: family is ${family}, but there are ${AF_INET} and ${AF_INET6}`);
  if (view.getUint32(FIELDS.local_port, true) > PORT_MAX)
    throw new InputError("context: local_port has 16 bits");
  const set = (from: number, to: number): boolean => bytes.subarray(from, to).some((byte) => byte !== 0);
  if (set(FIELDS.sk, FIELDS.family)) throw new InputError("context: sk may not be set");
  if (set(FIELDS.ingress_ifindex, SIZE)) throw new InputError("context: ingress_ifindex may not be set");
}

/**
 * @throws InputError  for a context that BPF_PROG_TEST_RUN would refuse
 */
export function socketLookupInput(
  space: AddressSpace,
  layout: ContextLayout,
  { context: given }: Environment,
): Made {
  if (given === undefined || given.length > SIZE)
    throw new InputError(`context: a sk_lookup program needs one, of ${SIZE} bytes at most`);
  const all = new Uint8Array(SIZE);
  all.set(given);
  const view = new DataView(all.buffer);
  check(all, view);
  const bytes = all.slice(0, layout.size);
  // A program sees the addresses of the family alone.
  const isIpv4 = view.getUint16(FIELDS.family, true) === AF_INET;
  for (const [ip4, ip6] of [
    [FIELDS.remote_ip4, FIELDS.remote_ip6],
    [FIELDS.local_ip4, FIELDS.local_ip6],
  ] as const) {
    if (isIpv4) bytes.fill(0, ip6, ip6 + IPV6);
    else bytes.fill(0, ip4, ip4 + 4);
  }
  bytes.fill(0, FIELDS.family + 2, FIELDS.protocol);
  bytes.fill(0, FIELDS.protocol + 2, FIELDS.remote_ip4);
  bytes.fill(0, FIELDS.padding, FIELDS.local_ip4);
  return { context: new Context(space, layout, bytes), results: () => ({ context: all }) };
}
