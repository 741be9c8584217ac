/** Steps of probes about pointers as such: loads of all forms through any pointer at hand, over the pointer or beside it, and what a look-up gives, compared with null or not. */
import { helperId } from "../../semantics/helpers/names.ts";
import { FRAME, MEMORY, SAVED, STACK, type Step } from "./probe.ts";

/** Where a look-up's key is, below what programs keep on the stack. */
const KEY = STACK.start - 8;
/** Loads with acquire: since Linux 6.15. */
const ACQUIRES = 615;

/** A word out of the context, the map's value or the stack. The register that points there may be the one that it is loaded into. */
export const loadThrough: Step = (draft) => {
  const to = draft.target();
  const from = draft.once(2) ? to : draft.scratch(to);
  const offset = draft.random.below(4) * 4;
  switch (draft.random.below(3)) {
    case 0:
      draft.emit("ldxdw", { dst: from, src: FRAME, off: SAVED.context });
      break;
    case 1:
      draft.emit("mov64_reg", { dst: from, src: MEMORY });
      break;
    default:
      draft.emit("mov64_reg", { dst: from, src: FRAME });
      draft.emit("add64_imm", { dst: from, imm: STACK.start });
  }
  // The first two words of an XDP program's context, as loads have them, are pointers.
  const off = draft.type === "xdp" ? 8 + (offset % 8) + 4 : offset;
  const acquires = draft.version >= ACQUIRES && draft.once(2);
  draft.emit(acquires ? "load_acquire32" : "ldxw", { dst: to, src: from, off });
  draft.known.delete(from);
  draft.known.set(to, undefined);
};

/** What a look-up gives, of an element that may not be there: it is compared with null and read, or given to a helper as it is. */
export const lookUp: Step = (draft) => {
  if (draft.reserved.size > 0) return;
  draft.emit("stw", { dst: FRAME, off: KEY, imm: draft.random.below(2) });
  draft.emit("mov64_reg", { dst: 2, src: FRAME });
  draft.emit("add64_imm", { dst: 2, imm: KEY });
  draft.emit("ld_imm64_map_fd", { dst: 1, imm: 0 });
  draft.emit("call_helper", { imm: helperId("map_lookup_elem") ?? 0 });
  draft.called();
  if (draft.once(2)) {
    draft.jump("jeq64_imm", draft.out, { dst: 0, imm: 0 });
    draft.emit("ldxw", { dst: 0, src: 0, off: 4 * draft.random.below(8) });
  } else {
    draft.emit("mov64_reg", { dst: 1, src: 0 });
    draft.emit("mov64_imm", { dst: 2, imm: 4 * draft.random.below(4) });
    for (const register of [3, 4, 5]) draft.emit("mov64_imm", { dst: register, imm: 0 });
    draft.emit("call_helper", { imm: helperId("csum_diff") ?? 0 });
  }
  draft.known.set(0, undefined);
};
