/** Operations on ring buffers and dynptrs, as programs that are drawn by chance do them. */
import type { Operation, Writer } from "./object-writer.ts";

const SLOT = { dynptr: -40, clone: -56, buffer: -128 } as const;
const BUFFER = 64;

/** Fills the buffer on the stack with bytes. */
function fillBuffer(w: Writer): void {
  for (let at = 0; at < BUFFER; at += 8) {
    w.line(`*(u64 *)(r10 ${SLOT.buffer + at}) = ${w.random.below(0x7fff_ffff)}`);
  }
}

const FLAGS = [0, 0, 0, 0, 1, 2, 4];
const LENGTHS = [0, 1, 7, 8, 16, 33, 60, 64];

export const RING_OPERATIONS: readonly Operation[] = [
  function output(w) {
    fillBuffer(w);
    w.line("r1 = map[ring]");
    w.pointer(2, "r10", SLOT.buffer);
    w.line(`r3 = ${w.pick(LENGTHS)}`, `r4 = ${w.pick(FLAGS)}`);
    w.call("bpf_ringbuf_output");
    w.out("r0");
  },
  function query(w) {
    w.line("r1 = map[ring]", `r2 = ${w.random.below(6)}`);
    w.call("bpf_ringbuf_query");
    w.out("r0");
  },
  function reserve(w) {
    const end = w.label();
    const size = w.pick([0, 1, 8, 24, 100, 1000, 4088, 4096, 8192]);
    w.line("r1 = map[ring]", `r2 = ${size}`, `r3 = ${w.pick([0, 0, 0, 1])}`);
    w.call("bpf_ringbuf_reserve");
    w.line(`if r0 == 0 goto ${end}`);
    if (size >= 8)
      w.line(`*(u64 *)(r0 +${8 * w.random.below(Math.floor(size / 8))}) = ${w.random.below(1000)}`);
    w.line("r2 = 1");
    w.out("r2");
    w.line("r1 = r0", `r2 = ${w.pick([0, 1, 2])}`);
    w.call(`bpf_ringbuf_${w.pick(["submit", "discard"])}`);
    w.line(`${end}:`);
  },
];

/** What is done with a dynptr; place 1 and on of the record are told in. */
const DYNPTR_STEPS: readonly ((w: Writer, at: number, index: number) => void)[] = [
  function read(w, at, index) {
    const size = w.pick(LENGTHS);
    w.pointer(1, "r10", SLOT.buffer);
    w.line(`r2 = ${size}`);
    w.pointer(3, "r10", at);
    w.line(`r4 = ${w.pick([0, 0, 1, 8, 50, 64, 300])}`, `r5 = ${w.pick([0, 0, 0, 1])}`);
    w.call("bpf_dynptr_read");
    w.line(`r2 = *(u64 *)(r10 ${SLOT.buffer})`, "r2 ^= r0");
    w.out("r2", index);
  },
  function write(w, at, index) {
    w.pointer(1, "r10", at);
    w.line(`r2 = ${w.pick([0, 0, 1, 8, 50, 64, 300])}`);
    w.pointer(3, "r10", SLOT.buffer);
    w.line(`r4 = ${w.pick(LENGTHS)}`, `r5 = ${w.pick([0, 0, 0, 0, 1, 4])}`);
    w.call("bpf_dynptr_write");
    w.out("r0", index);
  },
  function data(w, at, index) {
    const end = w.label();
    w.pointer(1, "r10", at);
    w.line(`r2 = ${w.pick([0, 0, 1, 8, 56, 60])}`, "r3 = 8");
    w.call("bpf_dynptr_data");
    w.line(`if r0 == 0 goto ${end}`, "r2 = *(u64 *)(r0 +0)", `*(u64 *)(r0 +0) = ${w.random.below(99)}`);
    w.out("r2", index);
    w.line(`${end}:`);
  },
  function size(w, at, index) {
    w.pointer(1, "r10", at);
    const name = w.pick(["bpf_dynptr_size", "bpf_dynptr_is_null", "bpf_dynptr_is_rdonly"]);
    w.call(name);
    // Of a truth value only the lowest byte is one, and a size has 32 bits on Linux 6.18.
    w.line(name === "bpf_dynptr_size" ? "w0 = w0" : "r0 &= 255");
    w.out("r0", index);
  },
  function adjust(w, at, index) {
    w.pointer(1, "r10", at);
    w.line(`r2 = ${w.pick([0, 1, 8, 30])}`, `r3 = ${w.pick([0, 8, 30, 60, 64, 100])}`);
    w.call("bpf_dynptr_adjust");
    w.out("r0", index);
  },
  function slice(w, at, index) {
    const end = w.label();
    w.pointer(1, "r10", at);
    w.line(`r2 = ${w.pick([0, 0, 1, 8, 50, 64])}`);
    w.pointer(3, "r10", SLOT.buffer);
    w.line("r4 = 8");
    w.call(w.pick(["bpf_dynptr_slice", "bpf_dynptr_slice_rdwr"]));
    w.line(`if r0 == 0 goto ${end}`, "r2 = *(u64 *)(r0 +0)");
    w.out("r2", index);
    w.line(`${end}:`);
  },
  function fill(w, at, index) {
    w.pointer(1, "r10", at);
    w.line(`r2 = ${w.pick([0, 1, 8, 50])}`, `r3 = ${w.pick(LENGTHS)}`, `r4 = ${w.random.below(256)}`);
    w.call("bpf_dynptr_memset");
    w.out("r0", index);
  },
];

function steps(w: Writer, at: number): void {
  for (let index = 1; index <= 3; index += 1) w.pick(DYNPTR_STEPS)(w, at, index);
}

/** A copy is made, and something done with it and with a copy of its bytes. */
function cloned(w: Writer): void {
  if (w.pick([true, false])) return steps(w, SLOT.dynptr);
  w.pointer(1, "r10", SLOT.dynptr);
  w.pointer(2, "r10", SLOT.clone);
  w.call("bpf_dynptr_clone");
  w.out("r0", 4);
  w.pointer(1, "r10", SLOT.clone);
  w.line(`r2 = ${w.pick([0, 4, 40])}`);
  w.pointer(3, "r10", SLOT.dynptr);
  w.line(`r4 = ${w.pick([0, 4, 40])}`, `r5 = ${w.pick([0, 1, 8, 24, 64])}`);
  w.call("bpf_dynptr_copy");
  w.out("r0", 3);
  for (const index of [1, 2]) w.pick(DYNPTR_STEPS)(w, w.pick([SLOT.clone, SLOT.dynptr]), index);
}

export const DYNPTR_OPERATIONS: readonly Operation[] = [
  function ofRecord(w) {
    fillBuffer(w);
    w.line(
      "r1 = map[ring]",
      `r2 = ${w.pick([0, 8, 60, 100, 4096, 0x1000000])}`,
      `r3 = ${w.pick([0, 0, 0, 1])}`,
    );
    w.pointer(4, "r10", SLOT.dynptr);
    w.call("bpf_ringbuf_reserve_dynptr");
    w.out("r0");
    cloned(w);
    w.pointer(1, "r10", SLOT.dynptr);
    w.line(`r2 = ${w.pick([0, 1, 2])}`);
    w.call(`bpf_ringbuf_${w.pick(["submit", "discard"])}_dynptr`);
  },
  function ofValue(w) {
    fillBuffer(w);
    w.line("r1 = map_value[memory]+0", `r2 = ${w.pick([0, 8, 60, 64])}`, `r3 = ${w.pick([0, 0, 0, 1])}`);
    w.pointer(4, "r10", SLOT.dynptr);
    w.call("bpf_dynptr_from_mem");
    w.out("r0");
    cloned(w);
  },
  function ofPacket(w) {
    fillBuffer(w);
    w.line("r1 = *(u64 *)(r10 -16)", `r2 = ${w.pick([0, 0, 0, 1])}`);
    w.pointer(3, "r10", SLOT.dynptr);
    w.call("bpf_dynptr_from_skb");
    w.out("r0");
    cloned(w);
  },
];
