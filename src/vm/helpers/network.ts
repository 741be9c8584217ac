/** The helpers of packets and networks. */
import type { HelperTable } from "./helper.ts";
import { CHECKSUM_HELPERS } from "./packet-checksums.ts";
import { PACKET_SHAPE_HELPERS } from "./packet-shape.ts";
import { SOCKET_BUFFER_HELPERS } from "./socket-buffer.ts";
import { XDP_HELPERS } from "./xdp.ts";

export const NETWORK_HELPERS: HelperTable = {
  ...CHECKSUM_HELPERS,
  ...PACKET_SHAPE_HELPERS,
  ...SOCKET_BUFFER_HELPERS,
  ...XDP_HELPERS,
};
