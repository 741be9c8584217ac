/** What a guest meets in place of an answer: its kernel found something wrong with itself, or is stuck, or its machine ended. */
import type { Ending } from "./machine.ts";

/** A finding about the guest's kernel, or about the machine; never an answer. */
export class GuestFailure extends Error {
  override readonly name = "GuestFailure";
  /** `panic`: the kernel found something wrong with itself. `hang`: no answer in time. `exit`: the machine ended without a word. */
  readonly kind: "panic" | "hang" | "exit";
  /** The kernel's console, from where it begins to complain; its end, if it does not. */
  readonly console: string;

  /** @param guest its name */
  constructor(guest: string, { kind, console, qemu }: Ending) {
    const complaint = COMPLAINT.exec(console);
    const found = kind === "hang" ? "hang" : complaint === null ? "exit" : "panic";
    const words = complaint?.[0] ?? qemu.trim().split("\n").at(-1) ?? "";
    super(`guest ${guest} ${WHAT[found]}${words === "" ? "" : `: ${words}`}`);
    this.kind = found;
    this.console = console.slice(complaint?.index ?? -MOST_CONSOLE).slice(0, MOST_CONSOLE);
  }
}

const WHAT = { panic: "panicked", hang: "does not answer", exit: "ended" } as const;

/** Characters. */
const MOST_CONSOLE = 16_384;

/** How the kernel begins a report about itself. */
const COMPLAINT =
  /(?:BUG: |Oops: |WARNING: |Kernel panic|general protection fault|Unable to handle|watchdog: BUG|INFO: task .* blocked|rcu: INFO|UBSAN: |KASAN: ).*/;
