/** Open-coded iterators: made in slots of the stack, asked for elements, given back. */

import { MAX_LOOPS } from "../../semantics/helpers/callbacks.ts";
import { E2BIG, EFAULT, EINVAL } from "../errno.ts";
import { fault } from "../fault.ts";
import type { Call } from "../helpers/call.ts";
import type { HelperTable } from "../helpers/helper.ts";
import { findInSlots, putInSlots, removeFromSlots } from "../objects/in-slots.ts";
import type { InSlots } from "../objects/slots.ts";
import type { Thing } from "../objects/thing.ts";
import { bytesAt } from "../reach.ts";
import type { Region } from "../region.ts";
import { give } from "./own-objects.ts";
import { taskObject, tasksOf } from "./tasks.ts";

/** What an iterator still has to give, in order. */
class Iterator<T> implements InSlots {
  readonly what: string;
  readonly size: number;
  left: number;
  readonly #element: (index: number) => T;
  #given = 0;

  constructor(what: string, size: number, count: number, element: (index: number) => T) {
    this.what = what;
    this.size = size;
    this.left = count;
    this.#element = element;
  }

  next(): T | undefined {
    if (this.left === 0) return undefined;
    this.left -= 1;
    this.#given += 1;
    return this.#element(this.#given - 1);
  }
}

/** Numbers, one after the other in the same memory, as the program sees it. */
class Numbers extends Iterator<number> {
  /** Where the number lies that was given last. */
  memory: Region | undefined;
}

class Objects extends Iterator<Thing> {}

function begin(call: Call, iterator: Iterator<unknown>): void {
  putInSlots(call, 1, "it", iterator);
  call.run.held.acquire(iterator, iterator.what);
}

function iteratorAt(call: Call): Numbers | Objects {
  const found = findInSlots(call, 1, "it");
  const isIterator = found instanceof Numbers || found instanceof Objects;
  return isIterator ? found : call.refuse(1, "it", "there is no iterator");
}

function end(call: Call): undefined {
  const iterator = iteratorAt(call);
  if (!call.run.held.release(iterator)) fault("not_held", `call ${call.helper}: it was given back before`);
  removeFromSlots(call, 1, "it", iterator);
  return call.noResult();
}

function next(call: Call): number | undefined {
  const iterator = iteratorAt(call);
  if (iterator instanceof Objects) {
    const thing = iterator.next();
    return thing === undefined ? 0 : give(call, thing);
  }
  const number = iterator.next();
  if (number === undefined) return 0;
  const { state } = call;
  iterator.memory ??= state.space.region({
    place: { kind: "element", of: iterator.what },
    bytes: new Uint8Array(4),
    writable: false,
  });
  iterator.memory.view.setInt32(iterator.memory.origin, number, true);
  state.setPointer(0, iterator.memory, 0);
  return undefined;
}

function beginNumbers(call: Call): number {
  const [start, stop] = [call.i32(2, "start"), call.i32(3, "end")];
  const error = start > stop ? EINVAL : stop - start > MAX_LOOPS ? E2BIG : 0;
  begin(call, new Numbers("an iterator of numbers", 8, error === 0 ? stop - start : 0, (i) => start + i));
  return error;
}

/** Words of bits that an iterator of bits takes at most (BITS_ITER_NR_WORDS_MAX in kernel/bpf/helpers.c). */
const MOST_WORDS = 511;

/** Linux looks at whatever address it is given with care, as probe_read_kernel does: none is a fault. */
function beginBits(call: Call): number {
  const address = call.u64(2, "unsafe_ptr__ign");
  const words = call.u32(3, "nr_words");
  const set: number[] = [];
  let error = address === 0n || words === 0 ? EINVAL : words > MOST_WORDS ? E2BIG : 0;
  if (error === 0) {
    const bytes = bytesAt(call.state, address, 8 * words);
    if (bytes === undefined) error = EFAULT;
    for (const [at, byte] of (bytes ?? []).entries()) {
      for (let bit = 0; bit < 8; bit += 1) if (((byte >> bit) & 1) === 1) set.push(8 * at + bit);
    }
  }
  begin(call, new Numbers("an iterator of bits", 16, set.length, (i) => set[i] ?? 0));
  return error;
}

/** BPF_TASK_ITER_ALL_PROCS, ALL_THREADS and PROC_THREADS (kernel/bpf/task_iter.c). */
const MOST_TASK_FLAGS = 2;

function beginTasks(call: Call): number {
  const flags = call.u32(3, "flags");
  const error = flags > MOST_TASK_FLAGS ? EINVAL : 0;
  const all = tasksOf(call);
  const threads = flags === 0 ? all.filter(({ pid, tgid }) => pid === tgid) : all;
  const given = error === 0 ? threads.map((task) => taskObject(call, task)) : [];
  begin(call, new Objects("an iterator of tasks", 24, given.length, (i) => at(given, i)));
  return error;
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`there is no element ${index}`);
  return found;
}

export const ITERATOR_FUNCTIONS: HelperTable = {
  bpf_iter_num_new: beginNumbers,
  bpf_iter_num_next: next,
  bpf_iter_num_destroy: end,
  bpf_iter_bits_new: beginBits,
  bpf_iter_bits_next: next,
  bpf_iter_bits_destroy: end,
  bpf_iter_task_new: beginTasks,
  bpf_iter_task_next: next,
  bpf_iter_task_destroy: end,
};
