/** Expected: the numbers of linux/bpf.h. */
import { describe, expect, it } from "vitest";
import { HELPER_NAMES, helperId } from "./names.ts";

describe("helper names", () => {
  it("are the kernel's", () => {
    const known: [string, number][] = [
      ["unspec", 0],
      ["map_lookup_elem", 1],
      ["tail_call", 12],
      ["perf_event_output", 25],
      ["xdp_adjust_head", 44],
      ["ringbuf_reserve", 131],
      ["loop", 181],
      ["user_ringbuf_drain", 209],
      ["cgrp_storage_delete", 211],
    ];
    for (const [name, number] of known) expect([name, helperId(name)]).toEqual([name, number]);
    expect(HELPER_NAMES).toHaveLength(212);
    expect(new Set(HELPER_NAMES).size).toBe(212);
    expect(helperId("bpf_map_lookup_elem")).toBe(1);
    expect(helperId("map_lookup")).toBeUndefined();
  });
});
