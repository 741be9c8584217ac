/**
 * Program arrays that Linux empties a little later: when the last descriptor or pin goes, it queues work on the processor that it happened on. An array that is named again before that
 * work has run, and loses its name again, stays for good (docs/lifetime-model.md). So a trace waits until all such work has run: all its processes are on one processor, which takes
 * work in order, and an array of the overseer's own comes last.
 */
import { cpus } from "node:os";
import type { Memory, Outcome, SystemCall } from "../../../oracle/linux/calls.ts";
import { resultOf, room, systemCall } from "./syscalls.ts";

/** Makes calls in the overseer. */
type Oversee = (list: readonly SystemCall[]) => readonly Outcome[];

const [MAP_CREATE, MAP_GET_NEXT_ID, OBJ_GET_INFO_BY_FD] = [0, 12, 15];
const PROGRAM_ARRAY = 3;
/** `struct bpf_map_info`: the id is the second number. */
const INFO_BYTES = 8;

const given = (words: readonly number[]): Memory => ({
  bytes: new Uint8Array(Uint32Array.from(words).buffer),
  back: "nothing",
});

/** Bits of a set of processors. */
const SET_BYTES = 128;

/** Has the overseer, and so all that it starts, stay on the processor on which it is. */
export function stayOnOneProcessor(oversee: Oversee): void {
  const here = room(4);
  oversee([systemCall("getcpu", here, 0, 0)]);
  const number = new DataView(here.bytes.buffer).getUint32(0, true);
  const set = new Uint8Array(Math.max(SET_BYTES, Math.ceil(cpus().length / 8)));
  set[number >> 3] = 1 << (number & 7);
  oversee([systemCall("sched_setaffinity", 0, set.length, { bytes: set, back: "nothing" })]);
}

/** How often it is looked whether the work has run, and the pause between two looks. */
const LOOKS = 10_000;
const PAUSE_NS = 200_000;

/** Waits until the arrays that nobody names any more are empty. */
export function awaitEmptied(oversee: Oversee): void {
  const [made] = oversee([systemCall("bpf", MAP_CREATE, given([PROGRAM_ARRAY, 4, 4, 1]), 16)]);
  const fd = resultOf(made);
  const info = room(INFO_BYTES);
  const about: Memory = { ...given([fd, INFO_BYTES, 0, 0]), pointers: [[8, info]] };
  const pause = given([0, 0, PAUSE_NS, 0]);
  oversee([systemCall("bpf", OBJ_GET_INFO_BY_FD, about, 16), systemCall("close", fd)]);
  const id = new DataView(info.bytes.buffer).getUint32(4, true);
  for (let look = 0; look < LOOKS; look += 1) {
    const next: Memory = { ...given([id - 1, 0, 0]), back: "all" };
    const [found] = oversee([systemCall("bpf", MAP_GET_NEXT_ID, next, 12)]);
    if (resultOf(found) < 0 || new DataView(next.bytes.buffer).getUint32(4, true) !== id) return;
    oversee([systemCall("nanosleep", pause, 0)]);
  }
  throw new Error("a program array without a name is not emptied");
}
