/** Faults of linked registers: what is learnt of one number is told to others of which it is not true. */
import { edit, ofClass, type SeededBug } from "../bug.ts";

const bug = ofClass("L");

const LINKS = "absint/transfer/links";

export const LINK_BUGS: readonly SeededBug[] = [
  bug(
    "swap-keeps-the-link",
    "verifier",
    "CVE-2026-43070, Linux 6.18",
    "a number whose bytes were swapped stays linked to what it was",
    edit(
      LINKS,
      "default: unlink(at);",
      'default: if (op !== "bswap32" && op !== "bswap64" && op !== "be32" && op !== "be64") unlink(at);',
    ),
  ),
  bug(
    "delta-of-the-compared-number",
    "verifier",
    "4bf79f9be434 and the fix of delta propagation, Linux 6.12",
    "what a comparison says of a number that is a constant more is told as if it were not more",
    edit(LINKS, "const distance = deltaOf(at) - deltaOf(from);", "const distance = deltaOf(at);"),
  ),
  bug(
    "sum-of-registers-keeps-the-delta",
    "verifier",
    "CVE-2026-53092",
    "a number to which a register is added stays linked to what it was",
    edit(LINKS, "if (constant === undefined) return unlink(at);", "if (constant === undefined) return;"),
  ),
  bug(
    "equal-numbers-without-distance",
    "verifier",
    "CVE-2026-45933: ids of different bases",
    "where two linked numbers turn out to be equal their classes are joined as if both counted from the same number",
    edit(LINKS, "const distance = deltaOf(left) - deltaOf(right);", "const distance = 0;"),
  ),
  bug(
    "addition-wraps-in-a-link",
    "verifier",
    "linked scalars and 32-bit additions, Linux 6.11",
    "a 32-bit addition that may wrap around leaves a link of all bits",
    edit(LINKS, "const left = unwrapped ? form : Math.min(form, 32);", "const left = form;"),
  ),
  bug(
    "truncation-keeps-the-link",
    "verifier",
    "CVE-2024-53125: 32-bit copies",
    "a number that was cut to 32 bits stays linked with all its bits",
    edit(
      LINKS,
      "else setLink(at, idOf(at), deltaOf(at), Math.min(formOf(at), bits));",
      "else setLink(at, idOf(at), deltaOf(at), bits === 32 ? formOf(at) : Math.min(formOf(at), bits));",
    ),
  ),
  bug(
    "link-survives-a-mask",
    "verifier",
    "BPF_AND in adjust_reg_min_max_vals and ids, 2020",
    "a number that was masked stays linked to what it was",
    edit(LINKS, "return isConstant(source) ? maskLink(at, source, width) : unlink(at);", "return;"),
  ),
];
