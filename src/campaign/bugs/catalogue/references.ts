/** Faults of what a program holds: references, locks, records, dynptrs, and maps that are taken for constant. */
import { edit, ofClass, type SeededBug } from "../bug.ts";

const bug = ofClass("LT");

const HELPER = "absint/transfer/call/helper";
const FUNCTION = "absint/transfer/call/function";

export const REFERENCES: readonly SeededBug[] = [
  bug(
    "released-pointer-stays",
    "verifier",
    "CVE-2022-49873; PREVAIL, 2026: a record after it was submitted",
    "pointers to what was given back stay pointers",
    edit(HELPER, "endPointers(m, (at) => referenceOf(at) === id);", ""),
  ),
  bug(
    "null-check-gives-back",
    "verifier",
    "references where null is ruled out (mark_ptr_or_null_regs), 2018",
    "a check for null counts as giving back also where there is something to give back",
    edit(
      "absint/transfer/branch",
      "if (isNull && id !== 0 && referenceOf(pointer) === id)",
      "if (id !== 0 && referenceOf(pointer) === id)",
    ),
  ),
  bug(
    "one-leak-is-none",
    "verifier",
    "what is held at the end (check_reference_leak), 2018",
    "a program may end while it holds one thing",
    edit(
      FUNCTION,
      "if (held.length === 0 || (currentFrame(m) > 0 && !withCallers))",
      "if (held.length <= 1 || (currentFrame(m) > 0 && !withCallers))",
    ),
  ),
  bug(
    "lock-held-at-the-end",
    "verifier",
    "spin locks at exit, 2019",
    "a program may end while it holds a spin lock",
    edit(FUNCTION, "if (held.some(({ kind }) => isLock(kind)))", "if (held.length > 99)"),
    edit(
      FUNCTION,
      "if (held.length === 0 || (currentFrame(m) > 0 && !withCallers))",
      "if (held.every(({ kind }) => isLock(kind)) || (currentFrame(m) > 0 && !withCallers))",
    ),
  ),
  bug(
    "calls-under-a-lock",
    "verifier",
    "helpers in sections with a spin lock, 2019",
    "helpers may be called while a spin lock is held",
    edit(
      HELPER,
      "if (holdsAnyLock(m) && !WHILE_LOCKED.has(call.helper.name))",
      "if (holdsAnyLock(m) && WHILE_LOCKED.size === 0)",
    ),
  ),
  bug(
    "any-lock-will-do",
    "verifier",
    "locks of different elements, 2019 and 2022",
    "a lock is left through a pointer to another one",
    edit(
      "absint/transfer/map-fields",
      "(idOf(at) !== 0 ? idOf(at) : -1 - objectOf(at))",
      "(-1 - objectOf(at))",
    ),
  ),
  bug(
    "changing-map-taken-for-constant",
    "verifier",
    "CVE-2021-4001, 353050be4c19",
    "what lies in a map that programs may only read counts as constant, although user space may still write it",
    edit(
      "absint/transfer/access",
      'if (type !== "array" || frozen !== true || (flags & MAP_FLAGS.rdonly_prog) === 0) return false;',
      'if (type !== "array" || (frozen === false && maxEntries < 0) || (flags & MAP_FLAGS.rdonly_prog) === 0) return false;',
    ),
  ),
  bug(
    "record-larger-than-reserved",
    "verifier",
    "CVE-2021-3489, 4b81ccebaeee: sizes of ring buffers' records",
    "a record of a ring buffer counts as eight bytes longer than was asked for",
    edit("absint/transfer/call/arguments", "call.allocated = size;", "call.allocated = size + 8;"),
  ),
  bug(
    "record-larger-than-the-ring",
    "objects",
    "CVE-2021-3489, 4b81ccebaeee",
    "a record that is larger than its ring buffer is given out",
    edit(
      "vm/maps/ring-buffer",
      "places > capacity || this.producer + places - oldest > capacity - 1",
      "this.producer + places - oldest > 2 * capacity",
    ),
  ),
  bug(
    "slices-survive-their-dynptr",
    "verifier",
    "CVE-2023-39191 and dynptrs that are overwritten",
    "slices of a dynptr stay when it is overwritten",
    edit(
      "absint/transfer/dynptr-slots",
      "removeDynptrs(m, life); forgetSlices(m, life);",
      "removeDynptrs(m, life);",
    ),
  ),
  bug(
    "dynptr-overwritten",
    "verifier",
    "CVE-2023-39191: stack slots of dynptrs",
    "a write to the stack leaves a dynptr whose bytes it changes",
    edit(
      "absint/transfer/stack",
      "if (slotByte(at, 0) === BYTE.object) overwriteDynptr(m, frame, slot);",
      "if (isDynptrSlot(m, frame, slot)) continue;",
    ),
  ),
  bug(
    "owned-dynptr-dropped",
    "verifier",
    "dynptrs of ring buffers that are overwritten, 2022",
    "a dynptr that owns a record may be overwritten",
    edit(
      "absint/transfer/dynptr-slots",
      'if (isOwning(objectOf(record))) reject("EINVAL", "cannot overwrite referenced dynptr");',
      "if (isOwning(objectOf(record))) noteSlotRead(m.marks, frame, slot, slotAt(m.state, frame, slot));",
    ),
  ),
];
