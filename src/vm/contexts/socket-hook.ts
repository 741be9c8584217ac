/**
 * The contexts of hooks on sockets that show their programs bytes, too: a message that is sent (`sk_msg`), a packet from its transport header on (`sk_reuseport`), the value of a socket option
 * (`cgroup_sockopt`), a segment with its headers (`sock_ops`). The bytes are the environment's packet; without one there are none, between pointers that are equal, where Linux has
 * null pointers in `sock_ops`.
 */
import type { Context as ContextLayout } from "../../semantics/profile/profile.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { ProgramType } from "../../semantics/program/program-types.ts";
import type { AddressSpace } from "../address-space.ts";
import { Context } from "../context.ts";
import type { Environment } from "../environment.ts";
import { Packet } from "../packet.ts";
import { contextBytes } from "./bytes.ts";
import type { Made } from "./made.ts";

export const SHOWS_BYTES: ReadonlySet<ProgramType> = new Set([
  "sk_msg",
  "sk_reuseport",
  "cgroup_sockopt",
  "sock_ops",
]);

/** Fields that say how many bytes there are; an option's may say more than its program is shown. */
const LENGTHS: ReadonlySet<string> = new Set(["size", "len", "skb_len"]);

/** Programs may put in a longer value than was given: Linux has room for so many bytes, of which it clears none. */
const OPTION_ROOM = 16;
const LEFT_OVER = 0xa5;

function withRoom(bytes: Uint8Array, { attach }: Program): Uint8Array {
  if (attach !== "cgroup_setsockopt" || bytes.length >= OPTION_ROOM) return bytes;
  const room = new Uint8Array(OPTION_ROOM).fill(LEFT_OVER);
  room.set(bytes);
  return room;
}

/**
 * @param writable  whether the program may change the bytes; as many as were given come back
 */
export function socketHookInput(
  space: AddressSpace,
  layout: ContextLayout,
  program: Program,
  { packet: bytes = new Uint8Array(0), context: given }: Environment,
  writable: boolean,
): Made {
  const values = contextBytes(layout, given);
  const view = new DataView(values.buffer);
  for (const { name, offset } of layout.fields)
    if (LENGTHS.has(name)) view.setUint32(offset, bytes.length, true);
  const context = new Context(space, layout, values);
  const packet = new Packet(space, {
    bytes: withRoom(bytes, program),
    headroom: 0,
    tailroom: 0,
    metadata: 0,
    hidden: 0,
    writable,
  });
  const results = (): ReturnType<NonNullable<Made["results"]>> => ({
    packet: packet.buffer.slice(packet.data, packet.data + bytes.length),
    context: context.bytes.slice(0, given?.length ?? 0),
  });
  return { context, packet, results };
}
