/** Historical bugs that are not seeded, and why. */

export const ABSENT: readonly { readonly stands: string; readonly reason: string }[] = [
  {
    stands:
      "CVE-2019-7308; CVE-2020-27170, CVE-2020-27171; CVE-2021-29155, 31829, 33200, 33624, 34556, 35477",
    reason: "what processors do by speculation is not modelled",
  },
  {
    stands: "CVE-2021-29154, CVE-2021-20320, CVE-2021-38300",
    reason: "faults of back ends for machine code; soundcheck compiles to WebAssembly",
  },
  {
    stands: "CVE-2016-2383; CVE-2018-25020; f6b1b3bf0d5f, 2018; CVE-2026-53078",
    reason:
      "programs are not rewritten before they run, so there are no offsets to repair and no accesses to expand",
  },
  {
    stands: "CVE-2017-17862",
    reason: "instructions that nothing leads to are refused, and others are never left out",
  },
  {
    stands: "6bdf6abc56b5, 2017; CVE-2022-0264",
    reason: "an address that a program learns is no state of the machine: no run leaves the abstract states",
  },
  { stands: "7be14c1c9030, 2023; CVE-2021-4159", reason: "the result is looser, not wrong" },
  { stands: "CVE-2022-2785", reason: "programs of type syscall do not run in the machine" },
  {
    stands: "CVE-2022-50650",
    reason: "callbacks are explored with the references of their callers; there is no copy to restore",
  },
  {
    stands: "CVE-2024-38566, CVE-2024-56702, CVE-2025-21852",
    reason: "which arguments may be null is data of the kernel's profile",
  },
  {
    stands: "CVE-2025-38502",
    reason: "storage of cgroups is not shared between programs that call each other's tails",
  },
  {
    stands: "CVE-2025-40169",
    reason: "decoding is one table for verifier and machine: what it does not know has no meaning",
  },
  { stands: "CVE-2026-31413", reason: "numbers are not forked by shifts" },
  {
    stands: "CVE-2024-41003, 92424801261d",
    reason:
      "an edge that can be taken teaches an immediate nothing, so what the first edge made of it is what it was",
  },
  {
    stands: "088ec26d9c2d, 2019",
    reason:
      "which bytes of the stack a write at a variable offset initialises: since Linux 6.3 whoever may write there may read what was never written",
  },
];
