/** Faults of pruning: states that cover what they do not, and numbers that are forgotten though something rests on them. */
import { edit, ofClass, type SeededBug } from "../bug.ts";

const bug = ofClass("P");

const INCLUSION = "absint/inclusion";
const GENERALISE = "verifier/generalise";

export const PRUNING: readonly SeededBug[] = [
  bug(
    "covered-without-known-bits",
    "verifier",
    "1ad2f5838d34, 2017: pruning without alignment",
    "whether one number's known bits are known of another is not asked",
    edit("absint/scalar/part", "insideTnum, ule(outer.umin, inner.umin),", "ule(outer.umin, inner.umin),"),
  ),
  bug(
    "number-covers-pointer",
    "verifier",
    "CVE-2017-17855, CVE-2017-17864, 179d1c560299",
    "where any number will do a pointer will, too",
    edit(
      INCLUSION,
      "if (kindOf(inner) !== kind)",
      "if (kind === KIND.scalar && kindOf(inner) !== KIND.none) return true; if (kindOf(inner) !== kind)",
    ),
  ),
  bug(
    "constant-is-not-demanded",
    "explorer",
    "CVE-2023-2163, 71b547f56124: the right side of comparisons",
    "the right side of a comparison is not kept, though it decided which way the jump goes",
    edit("absint/transfer/branch", "if (!isPointer(kindOf(right))) demand(m.marks, right);", ""),
  ),
  bug(
    "operand-is-no-origin",
    "explorer",
    "CVE-2023-2163 and CVE-2026-43009: operands that are not traced back",
    "what is computed of two registers is traced back to one of them alone",
    edit("absint/transfer/arithmetic", "if (source !== destination) addOrigins(source, destination);", ""),
  ),
  bug(
    "needs-not-handed-on",
    "explorer",
    "d84b1a6708ee, 2023: precision across states",
    "what a later state needs of a register is not handed on to the state before it",
    edit(
      GENERALISE,
      "if (isNumber(at) && (f === current ? wasRegisterDemanded(marks, r) : callers)) demand(parent, at);",
      "",
    ),
  ),
  bug(
    "needs-of-spills-not-handed-on",
    "explorer",
    "345e004d0233, 2021: precision of spills",
    "what a later state needs of a spilled number is not handed on to the state before it",
    edit(
      GENERALISE,
      "if (demanded && slotByte(slot, 0) === BYTE.spill && isNumber(spilled)) demand(parent, spilled);",
      "",
    ),
  ),
  bug(
    "links-not-handed-on",
    "explorer",
    "4bf79f9be434, Linux 6.11: history of linked registers",
    "a link through which a later state learnt something is not handed on to the state before it",
    edit(GENERALISE, "for (const id of marks.links) if (id <= lastId(state)) useLink(parent, id);", ""),
  ),
  bug(
    "certain-key-is-not-demanded",
    "explorer",
    "cc52d9140aa9, 2019: the key of a call",
    "the key by which a look-up surely finds something is not kept",
    edit("absint/transfer/stack", "demand(m.marks, SCRATCH.value); return constantLow", "return constantLow"),
  ),
  bug(
    "covering-needs-nothing",
    "explorer",
    "precision of what a path ends in (propagate_precision), 2019",
    "a path that ends in a known state does not have to keep what that state needs",
    edit(
      GENERALISE,
      "demand(marks, own); if (idOf(at) !== 0 && idOf(own) !== 0)",
      "if (idOf(at) !== 0 && idOf(own) !== 0)",
    ),
  ),
  bug(
    "dynptrs-are-all-alike",
    "verifier",
    "79168a669d81 and CVE-2023-39191",
    "what the kernel keeps on the stack is not compared: any object there will do",
    edit(
      INCLUSION,
      "return isAll(inner, BYTE.object) && registerIncludes(record, other);",
      "return isAll(inner, BYTE.object);",
    ),
  ),
  bug(
    "beyond-the-other-stack",
    "verifier",
    "CVE-2024-45020",
    "a slot that is not part of the other state's stack counts as covered",
    edit(INCLUSION, ": isUnused(slot);", ": true;"),
  ),
  bug(
    "range-that-is-no-range",
    "verifier",
    "CVE-2026-43030",
    "a packet pointer of which no range is known passes for one with any range",
    edit(
      INCLUSION,
      "(range === 0 || rangeOf(outer) > range - shift)",
      "(range !== 0 && rangeOf(outer) > range - shift)",
    ),
  ),
  bug(
    "ids-not-compared",
    "verifier",
    "CVE-2026-53081 and others of 2026: ids in regsafe",
    "registers that are linked in one state need not be linked in the same way in the other",
    edit(
      INCLUSION,
      "innerId !== NOTHING && innerIds[i] === innerId && shifts[i] === shift",
      "innerIds[i] === innerId || shifts[i] === shift || true",
    ),
  ),
  bug(
    "invalid-bytes-covered",
    "verifier",
    "stacksafe and bytes that were not written, 2017",
    "a byte that was not written passes for one that was",
    edit(
      INCLUSION,
      "inner === BYTE.misc || inner === BYTE.zero ||",
      "inner === BYTE.invalid || inner === BYTE.misc || inner === BYTE.zero ||",
    ),
  ),
  bug(
    "pointer-offsets-not-compared",
    "verifier",
    "states_equal and fixed offsets of pointers, 2017",
    "a pointer passes for one with another fixed offset",
    edit(INCLUSION, "const shift = offOf(inner) - offOf(outer);", "const shift = 0;"),
  ),
  bug(
    "maps-not-compared",
    "verifier",
    "map_uid and map pointers in regsafe, 2021",
    "a pointer into one map's value passes for one into another's",
    edit(
      INCLUSION,
      "if (objectOf(outer) !== objectOf(inner))",
      "if (kind !== KIND.mapValue && objectOf(outer) !== objectOf(inner))",
    ),
  ),
  bug(
    "loop-closed-without-progress",
    "verifier",
    "infinite loops that count as covered, 2019 and 2023",
    "a path that comes back to a loop's head counts as progress if the counter is a constant more, though it may wrap around",
    edit(
      "verifier/measure",
      'if (direction === "up") return d > 0n && now.least >= all.least + d ? d : 0n;',
      'if (direction === "up") return d > 0n ? d : 0n;',
    ),
  ),
];
