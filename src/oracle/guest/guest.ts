/**
 * A guest: a machine of its own in which another kernel runs, and a `Kernel` that makes system calls there. What a program does to that
 * kernel does not reach this machine's. A guest is booted once and answers many calls; a panic, an oops, a warning of the kernel's own, a lockup or silence
 * ends it, and is thrown as a `GuestFailure` where an answer was expected.
 */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { release, version } from "node:os";
import { join } from "node:path";
import { InputError } from "../../semantics/errors.ts";
import type { Kernel, Memory, Outcome, SystemCall } from "../linux/calls.ts";
import { GuestFailure } from "./failure.ts";
import { readAnswer, request } from "./frames.ts";
import { type Image, imageArchive } from "./image.ts";
import { type Accelerator, Machine, MachineEnded } from "./machine.ts";
import { type Setting, settings, setUp } from "./setup.ts";
import { text, X86_64 } from "./x86-64.ts";

export interface GuestOptions {
  /** The folder of images (`guestCache`). */
  readonly cache: string;
  /** What executes it. `auto` (the default) tries KVM where there is /dev/kvm, and translates where no guest comes up on it. */
  readonly accelerator?: Accelerator | "auto";
  /** Default 1024. */
  readonly memoryMiB?: number;
  /** Default 1: translated processors get in each other's way. */
  readonly cpus?: number;
  /** How long it may take to boot, and to answer a list of calls, in milliseconds (defaults 120,000 and 60,000). */
  readonly bootMs?: number;
  readonly answerMs?: number;
  /** Sysctls, by name: `kernel.unprivileged_bpf_disabled` "0". */
  readonly settings?: readonly Setting[];
}

export interface Guest {
  readonly kernel: Kernel;
  /** Makes calls in one of the processes that the first one (0) has been asked to start (`GuestProcesses`). */
  readonly processCalls: (process: number, list: readonly SystemCall[]) => readonly Outcome[];
  readonly accelerator: Accelerator;
  /** Seconds from the start to the first answer. */
  readonly bootSeconds: number;
  /** What has ended it, if anything has; a guest that was stopped has met no failure. */
  readonly failure: () => GuestFailure | undefined;
  /** Ends it. Nothing of it stays. */
  readonly stop: () => void;
}

const QEMU = "qemu-system-x86_64";
const KVM_DEVICE = "/dev/kvm";
/** Where KVM works, a guest is up in a second or two. */
const KVM_BOOT_MS = 15_000;

/**
 * Boots an image. @param path directories, as in `PATH`.
 * @throws InputError without QEMU; `GuestFailure` if the kernel does not come up
 */
export function bootGuest(image: Image, path: string, options: GuestOptions): Guest {
  const qemu = path
    .split(":")
    .map((directory) => join(directory, QEMU))
    .find((file) => existsSync(file));
  if (qemu === undefined) throw new InputError(`${QEMU} is not on PATH (it runs guest kernels)`);
  const chosen = options.accelerator ?? "auto";
  if (chosen !== "auto") return boot(image, qemu, chosen, options);
  if (kvmProblem(options.cache) !== undefined) return boot(image, qemu, "tcg", options);
  try {
    return boot(image, qemu, "kvm", { ...options, bootMs: KVM_BOOT_MS });
  } catch (error) {
    if (!(error instanceof GuestFailure)) throw error;
    const guest = boot(image, qemu, "tcg", options);
    writeFileSync(join(options.cache, KVM_NOTE), thisHost());
    return guest;
  }
}

/** On which host no guest came up by KVM: it is not tried there again. */
const KVM_NOTE = "kvm-fails";

const thisHost = (): string => `${release()} ${version()}`;

/** Why guests are translated, in one line; `undefined` if KVM is tried. */
export function kvmProblem(cache: string): string | undefined {
  const note = join(cache, KVM_NOTE);
  if (existsSync(note) && readFileSync(note, "utf8") === thisHost()) return "no guest came up by KVM here";
  try {
    accessSync(KVM_DEVICE, constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return `${KVM_DEVICE} is not there or not for us`;
  }
}

function boot(image: Image, qemu: string, accelerator: Accelerator, options: GuestOptions): Guest {
  const { cache, memoryMiB = 1024, cpus = 1, bootMs = 120_000, answerMs = 60_000 } = options;
  mkdirSync(cache, { recursive: true });
  const started = performance.now();
  const machine = new Machine({
    qemu,
    kernel: image.kernel,
    initramfs: imageArchive(cache, image),
    accelerator,
    memoryMiB,
    cpus,
  });
  const line = new Line(image.name, machine, answerMs);
  try {
    line.hello(bootMs);
    const release = setUp((list) => line.calls(list));
    settings((list) => line.calls(list), [...WATCHFUL, ...(options.settings ?? [])]);
    const kernel: Kernel = {
      name: image.name,
      arch: "x64",
      release,
      calls: (list) => line.calls(list),
      close: (descriptor) => line.close(descriptor),
      readFile: (file) => readFile((list) => line.calls(list), file),
    };
    const bootSeconds = (performance.now() - started) / 1000;
    return {
      kernel,
      processCalls: (process, list) => line.calls(list, process),
      accelerator,
      bootSeconds,
      failure: () => line.failure,
      stop: () => machine.stop(),
    };
  } catch (error) {
    machine.stop();
    throw error;
  }
}

/** A warning of the kernel about itself ends it: an answer of such a kernel would be none. Not at boot: some warn of the machine. */
const WATCHFUL: readonly Setting[] = [["kernel.panic_on_warn", "1"]];

/** Milliseconds more for each call of a list. */
const MORE_MS = 1000;

/** How many descriptors may wait to be closed. */
const MOST_CLOSING = 512;

/** Sends lists of calls to a machine. */
class Line {
  readonly #guest: string;
  readonly #machine: Machine;
  readonly #limitMs: number;
  /** Closed with the next list: that takes no answer, and so no time of its own. */
  #closing: SystemCall[] = [];
  #sequence = 0;
  #failure: GuestFailure | undefined;

  constructor(guest: string, machine: Machine, limitMs: number) {
    this.#guest = guest;
    this.#machine = machine;
    this.#limitMs = limitMs;
  }

  get failure(): GuestFailure | undefined {
    return this.#failure;
  }

  /** Waits for the first word. */
  hello(limitMs: number): void {
    this.#exchange(new Uint8Array(0), limitMs, 0);
  }

  calls(list: readonly SystemCall[], process = 0): readonly Outcome[] {
    // What waits to be closed is the first process's.
    const before = process === 0 ? this.#closing : [];
    if (process === 0) this.#closing = [];
    this.#sequence = (this.#sequence + 1) % 2 ** 32;
    // Results of earlier calls are meant by their place in the list that is sent.
    const all = [...before, ...list.map((call) => shifted(call, before.length))];
    const sent = request(this.#sequence, all, process);
    const body = this.#exchange(sent.frame, this.#limitMs + MORE_MS * list.length, this.#sequence);
    return readAnswer(sent, body).slice(before.length);
  }

  close(descriptor: number): void {
    if (this.#machine.ending !== undefined) return;
    this.#closing.push({ number: X86_64.close, arguments: [descriptor] });
    if (this.#closing.length >= MOST_CLOSING) this.calls([]);
  }

  #exchange(frame: Uint8Array, limitMs: number, expected: number): Buffer {
    try {
      const { sequence, body } = this.#machine.exchange(frame, limitMs);
      if (sequence !== expected) throw new Error(`answer ${sequence} to request ${expected}`);
      return body;
    } catch (error) {
      if (!(error instanceof MachineEnded)) throw error;
      this.#failure ??= new GuestFailure(this.#guest, error.ending);
      throw this.#failure;
    }
  }
}

function shifted(call: SystemCall, by: number): SystemCall {
  if (by === 0) return call;
  return {
    number: call.number,
    arguments: call.arguments.map((value) =>
      typeof value === "object" && "resultOf" in value ? { resultOf: value.resultOf + by } : value,
    ),
  };
}

/** Some files of the kernel's give no more than a page at a time; so many reads are made at once. */
const PAGE = 4096;
const READS = 64;

function readFile(
  calls: (list: readonly SystemCall[]) => readonly Outcome[],
  path: string,
): Uint8Array | undefined {
  const name: Memory = { bytes: text(path), back: "nothing" };
  const [opened] = calls([{ number: X86_64.open, arguments: [name, 0, 0] }]);
  if (opened === undefined || opened.errno !== 0) return undefined;
  const pieces: Uint8Array[] = [];
  const last = (): Outcome => {
    for (;;) {
      const pages = Array.from(
        { length: READS },
        (): Memory => ({ bytes: new Uint8Array(PAGE), back: "all" }),
      );
      const reads = calls(
        pages.map((page) => ({ number: X86_64.read, arguments: [opened.result, page, PAGE] })),
      );
      for (const [index, read] of reads.entries()) {
        if (read.result <= 0) return read;
        pieces.push(pages[index]?.bytes.subarray(0, read.result) ?? new Uint8Array(0));
      }
    }
  };
  const { errno } = last();
  calls([{ number: X86_64.close, arguments: [opened.result] }]);
  return errno === 0 ? Buffer.concat(pieces) : undefined;
}
