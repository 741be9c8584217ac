/**
 * How a packet came to a hook, for a program that is run there: more than BPF_PROG_TEST_RUN can say. With it the environment's `context` is the
 * whole context, `__sk_buff` or `xdp_md`, and the run gives all of it back.
 */
export interface Arrival {
  /** Where the data of a socket buffer begins: at the Ethernet header, or behind it. */
  readonly from: "link" | "network";
  /** How many of the packet's first bytes are metadata that an XDP program has put in front of the frame. */
  readonly metadata: number;
}
