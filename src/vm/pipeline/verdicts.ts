/**
 * What the numbers that programs return mean at each kind of hook (linux/bpf.h, linux/pkt_cls.h). What Linux makes of the others was found by
 * trying each at each hook of Linux 6.18 (`properties/machine/pipeline-kernel.test.ts`).
 */

export type XdpVerdict = "aborted" | "drop" | "pass" | "transmit" | "redirect";

const XDP: readonly XdpVerdict[] = ["aborted", "drop", "pass", "transmit", "redirect"];

/** What is none of the five is as if the program had been aborted. @param value  32 bits, unsigned */
export const xdpVerdict = (value: number): XdpVerdict => XDP[value] ?? "aborted";

/** TC_ACT_*, as the unsigned numbers that programs return. */
export const TC_ACT = {
  unspec: 0xffff_ffff,
  ok: 0,
  reclassify: 1,
  shot: 2,
  pipe: 3,
  stolen: 4,
  queued: 5,
  repeat: 6,
  redirect: 7,
  trap: 8,
} as const;

/** What becomes of a packet after a hook of traffic control. */
export type TrafficVerdict =
  /** The hook is over: the packet goes on, and is of the class that was found. */
  | "ok"
  /** The hook is over; nothing was found. */
  | "continue"
  | "drop"
  /** It is gone, and not counted as lost. */
  | "consumed"
  | "redirect"
  /** All classifiers are asked once more. */
  | "again";

/** A verdict of a chain of classifiers and actions. */
export function trafficVerdict(value: number): TrafficVerdict {
  switch (value) {
    case TC_ACT.ok:
      return "ok";
    case TC_ACT.reclassify:
      return "again";
    case TC_ACT.shot:
      return "drop";
    case TC_ACT.stolen:
    case TC_ACT.queued:
    case TC_ACT.trap:
      return "consumed";
    case TC_ACT.redirect:
      return "redirect";
    default:
      return "continue";
  }
}

const DIRECT: ReadonlySet<number> = new Set([
  TC_ACT.ok,
  TC_ACT.shot,
  TC_ACT.stolen,
  TC_ACT.redirect,
  TC_ACT.trap,
]);

/** The verdict of a classifier that acts itself; `undefined` where the next one is asked. */
export function directVerdict(value: number): TrafficVerdict | undefined {
  return DIRECT.has(value) ? trafficVerdict(value) : undefined;
}

/** The verdict of a program at tcx; `next` where the next program is asked, and after the last one clsact's. */
export function tcxVerdict(value: number): TrafficVerdict | "next" {
  if (value === TC_ACT.unspec) return "next";
  return value === TC_ACT.ok || value === TC_ACT.shot || value === TC_ACT.redirect
    ? trafficVerdict(value)
    : "continue";
}
