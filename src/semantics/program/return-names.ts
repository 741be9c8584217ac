/** What programs' return values are called (linux/bpf.h, linux/pkt_cls.h). */
import type { ProgramType } from "./program-types.ts";

const XDP = ["XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX", "XDP_REDIRECT"];
const TC = [
  "TC_ACT_OK",
  "TC_ACT_RECLASSIFY",
  "TC_ACT_SHOT",
  "TC_ACT_PIPE",
  "TC_ACT_STOLEN",
  "TC_ACT_QUEUED",
  "TC_ACT_REPEAT",
  "TC_ACT_REDIRECT",
  "TC_ACT_TRAP",
];
const UNSPEC = 0xffff_ffff;

/** The name of a program's return value (32 bits, unsigned), where programs of its type have such. */
export function returnName(type: ProgramType, value: number): string | undefined {
  switch (type) {
    case "xdp":
      return XDP[value];
    case "sched_cls":
    case "sched_act":
      return value === UNSPEC ? "TC_ACT_UNSPEC" : TC[value];
    default:
      return undefined;
  }
}
