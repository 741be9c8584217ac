/** The helpers of packets and networks. */

import { ROUTE_HELPERS } from "./fib-lookup.ts";
import type { HelperTable } from "./helper.ts";
import { MTU_HELPERS } from "./mtu.ts";
import { CHECKSUM_HELPERS } from "./packet-checksums.ts";
import { PACKET_FACT_HELPERS } from "./packet-facts.ts";
import { PACKET_GROUP_HELPERS } from "./packet-groups.ts";
import { PACKET_SHAPE_HELPERS } from "./packet-shape.ts";
import { REDIRECT_HELPERS } from "./redirect.ts";
import { SOCKET_BUFFER_HELPERS } from "./socket-buffer.ts";
import { SOCKET_HELPERS } from "./sockets.ts";
import { TUNNEL_HELPERS } from "./tunnels.ts";
import { VLAN_HELPERS } from "./vlan-tags.ts";
import { XDP_HELPERS } from "./xdp.ts";
import { XDP_BYTES_HELPERS } from "./xdp-bytes.ts";

export const NETWORK_HELPERS: HelperTable = {
  ...CHECKSUM_HELPERS,
  ...PACKET_GROUP_HELPERS,
  ...PACKET_SHAPE_HELPERS,
  ...MTU_HELPERS,
  ...PACKET_FACT_HELPERS,
  ...REDIRECT_HELPERS,
  ...ROUTE_HELPERS,
  ...SOCKET_BUFFER_HELPERS,
  ...SOCKET_HELPERS,
  ...TUNNEL_HELPERS,
  ...VLAN_HELPERS,
  ...XDP_BYTES_HELPERS,
  ...XDP_HELPERS,
};
