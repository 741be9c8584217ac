/** Faults of calls: arguments that are not what the helper takes, results that are not what it gives. */
import { edit, ofClass, type SeededBug } from "../bug.ts";

const bug = ofClass("H");

const HELPER = "absint/transfer/call/helper";
const ARGUMENTS = "absint/transfer/call/arguments";
const MEMORY = "absint/transfer/call/memory";

export const HELPERS: readonly SeededBug[] = [
  bug(
    "moved-context-as-argument",
    "verifier",
    "CVE-2020-0430, 58990d1ff3f7",
    "a helper gets a pointer to the context that was moved",
    edit(
      ARGUMENTS,
      'ctx: (_m, _call, _argument, target) => requireUnmoved(target, "ctx"),',
      "ctx: () => undefined,",
    ),
  ),
  bug(
    "moved-record-as-argument",
    "verifier",
    "CVE-2021-4204, be80a1d3f9db",
    "a helper gets a record of a ring buffer by a pointer that was moved",
    edit(ARGUMENTS, "ringbuf_mem: checkUnmoved,", "ringbuf_mem: () => undefined,"),
  ),
  bug(
    "count-is-never-an-error",
    "verifier",
    "100605035e15, b02709587ea3: do_refine_retval_range",
    "a helper that returns a count or an error counts as never failing",
    edit(HELPER, "setConstant(SCRATCH.operand, -MAX_ERRNO, -1);", "setConstant(SCRATCH.operand, 0, 0);"),
  ),
  bug(
    "any-map-for-any-helper",
    "verifier",
    "CVE-2021-34866, 5b029a32cfe4",
    "whether a helper takes maps of that type is not asked",
    edit(ARGUMENTS, "if (without || !helperTakesMap(helper, map.type))", "if (without)"),
  ),
  bug(
    "helper-writes-a-read-only-map",
    "verifier",
    "CVE-2024-49861, 32556ce93bc4",
    "a helper that changes maps gets one that programs may only read",
    edit(
      ARGUMENTS,
      "if (WRITES_MAP.has(helper.name) && isReadOnlyToPrograms(map))",
      "if (WRITES_MAP.has(helper.name) && map.maxEntries < 0)",
    ),
  ),
  bug(
    "uninitialised-means-unwritten",
    "verifier",
    "CVE-2024-50164, 8ea607330a39",
    "memory that a helper fills whatever was there is not checked for being writable",
    edit(
      MEMORY,
      'if (writes || uninitialised) checkWhole(m, target, greatest, "write");',
      'if (writes && !uninitialised) checkWhole(m, target, greatest, "write");',
    ),
  ),
  bug(
    "size-by-its-least-value",
    "verifier",
    "size arguments of helpers, 2017",
    "of the size of a helper's memory the least value counts, not the greatest",
    edit(MEMORY, "const greatest = umaxOf(size);", "const greatest = uminOf(size);"),
  ),
  bug(
    "key-one-past-the-end",
    "verifier",
    "the end of an array for look-ups by a constant key, 2025",
    "a look-up of an array by the first key past its end surely finds something",
    edit(
      ARGUMENTS,
      "index !== undefined && index < map.maxEntries;",
      "index !== undefined && index <= map.maxEntries;",
    ),
  ),
  bug(
    "arguments-survive-a-helper",
    "verifier",
    "caller-saved registers",
    "registers 1 to 5 are what they were after a helper was called",
    edit(HELPER, "setNone(register(m, r));", "register(m, r);"),
  ),
  bug(
    "arguments-survive-a-function",
    "verifier",
    "PREVAIL, 2026: r1-r5 after a subprogram",
    "registers 1 to 5 are what they were after a function of the program returned",
    edit("absint/transfer/call/function", "setNone(registerAt(m.state, caller, r));", ""),
  ),
  bug(
    "packets-survive-a-helper",
    "verifier",
    "helpers that change packets, 2016 and later",
    "packet pointers are what they were after a helper that may move the packet",
    edit(HELPER, "if (changesPacket(call)) forgetPackets(m);", ""),
  ),
  bug(
    "packets-survive-a-global-function",
    "verifier",
    "CVE-2024-58098, CVE-2024-58100",
    "packet pointers are what they were after a global function that may move the packet",
    edit("absint/transfer/call/global", "if (callee.changesPacket) forgetPackets(m);", ""),
  ),
  bug(
    "result-in-range-by-one-end",
    "verifier",
    "CVE-2024-47703, 763aa759d3b2; CVE-2026-72111",
    "of a result that the kernel limits the greatest value alone is looked at",
    edit("absint/transfer/call/function", "if (smin >= least && smax <= greatest)", "if (smax <= greatest)"),
  ),
  bug(
    "callback-result-not-looked-at",
    "verifier",
    "results of callbacks, 2023",
    "a callback of bpf_loop may return anything",
    edit(
      "absint/transfer/call/function",
      "if (sminOf(result) >= 0 && smaxOf(result) <= 1)",
      "if (smaxOf(result) >= sminOf(result))",
    ),
  ),
  bug(
    "moved-dynptr-as-argument",
    "verifier",
    "CVE-2024-43910",
    "a helper gets a constant dynptr by a pointer that was moved",
    edit(
      ARGUMENTS,
      "if (kindOf(target.at) === KIND.dynptr) requireUnmoved(target, kindName(KIND.dynptr));",
      "",
    ),
  ),
];
