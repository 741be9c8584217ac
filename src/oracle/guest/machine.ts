/**
 * A machine in QEMU that runs a kernel and one process, the agent, and exchanges frames with it synchronously.
 *
 * It has no network and no disk, and ends for certain: a shell between it and us kills it when the pipe from us closes, however we ended; and
 * a thread kills both if an answer does not come in time, while we wait for it. Requests and answers go through two FIFOs. QEMU inherits a
 * descriptor of each, so that they have two ends from the start, and end when it does.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { answerHeader, HEADER_SIZE } from "./frames.ts";

/** What executes the guest's instructions: the processor, or QEMU by translation. */
export type Accelerator = "kvm" | "tcg";

export interface MachineOptions {
  /** `qemu-system-x86_64`, or its path. */
  readonly qemu: string;
  /** A file: the kernel as the boot loader takes it. */
  readonly kernel: string;
  readonly initramfs: Uint8Array;
  readonly accelerator: Accelerator;
  readonly memoryMiB: number;
  readonly cpus: number;
}

/** What ended a machine. */
export interface Ending {
  /** `hang`: no answer in time, and it was killed. `exit`: QEMU ended, as it does when the kernel panics. */
  readonly kind: "hang" | "exit";
  /** What the guest's kernel wrote to its console. */
  readonly console: string;
  /** What QEMU itself said. */
  readonly qemu: string;
}

/** Thrown where an answer was expected from a machine that ended. */
export class MachineEnded extends Error {
  override readonly name = "MachineEnded";
  readonly ending: Ending;

  constructor(ending: Ending) {
    super(ending.kind === "hang" ? "the guest did not answer in time" : "the guest's machine ended");
    this.ending = ending;
  }
}

/** Waits for the end of its input, then leaves nothing behind. Its own ends of the FIFOs it closes, lest they outlive QEMU. */
const KEEPER = `
directory=$1; shift
"$@" </dev/null >"$directory/qemu" 2>&1 &
exec 3>&- 4>&-
read -r _
kill -9 $!
wait
rm -rf "$directory"
`;

/** Plain JavaScript: a thread has no part in what turns TypeScript into it. The deadline is in milliseconds since 1970; 0 is none. */
const WATCHDOG = `
const { workerData } = require("node:worker_threads");
const deadline = new Float64Array(workerData.shared, 0, 1);
const bitten = new Int32Array(workerData.shared, 8, 1);
const timer = setInterval(() => {
  // Read once: it may be taken back meanwhile.
  const last = deadline[0];
  if (last === 0 || Date.now() < last) return;
  clearInterval(timer);
  Atomics.store(bitten, 0, 1);
  try { process.kill(-workerData.group, "SIGKILL"); } catch {}
}, 50);
`;

/** Features that some kernels do not survive where they are translated; and the ones for which they copy bytes singly, which is slow there. */
const TRANSLATED_CPU = "max,la57=off,-cx16,-erms,-fsrm";

/**
 * Any oops is a panic, and a panic ends QEMU. So do processes and processors that are stuck, after the kernel's 20 s and two minutes. Guards against what
 * processors do by mistake are taken away one by one, for speed: a kernel that is told to have none of them does without the verifier's, too.
 */
const COMMAND_LINE = [
  "console=ttyS0",
  "loglevel=5",
  "panic=-1",
  "oops=panic",
  "softlockup_panic=1",
  "hung_task_panic=1",
  "nopti",
  "nospectre_v2",
  "spec_store_bypass_disable=off",
  "retbleed=off",
  "random.trust_cpu=on",
  "tsc=nowatchdog",
].join(" ");

/** Nothing that is not named here: no network, no disk, no display; and QEMU itself may not start processes or change who it is. */
const BARE =
  "-no-user-config -nodefaults -no-reboot -display none -nic none -machine q35 " +
  "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny";

const PORT = "-device virtio-serial-pci,max_ports=2 -device virtserialport,chardev=agent,nr=1".split(" ");

function qemuArguments(options: MachineOptions, directory: string): string[] {
  const { kernel, accelerator, memoryMiB, cpus } = options;
  const processor =
    accelerator === "kvm" ? "-accel kvm -cpu host" : `-accel tcg,thread=multi -cpu ${TRANSLATED_CPU}`;
  const bare = `${BARE} ${processor} -smp ${cpus} -m ${memoryMiB}`.split(" ");
  const inside = (name: string): string => join(directory, name);
  const boot = ["-kernel", kernel, "-initrd", inside("initramfs"), "-append", COMMAND_LINE];
  const console = ["-serial", `file:${inside("console")}`];
  const port = ["-chardev", `pipe,id=agent,path=${inside("agent")}`, ...PORT];
  return [...bare, ...boot, ...console, ...port];
}

/** A running machine. It has to be stopped. */
export class Machine {
  readonly #directory: string;
  readonly #keeper: ChildProcess;
  readonly #watchdog: Worker;
  readonly #requests: number;
  readonly #answers: number;
  readonly #deadline: Float64Array;
  readonly #bitten: Int32Array;
  #ending: Ending | undefined;
  #stopped = false;

  /** Starts QEMU; whether it comes up, the first answer tells. */
  constructor(options: MachineOptions) {
    const directory = mkdtempSync(join(tmpdir(), "soundcheck-guest-"));
    this.#directory = directory;
    writeFileSync(join(directory, "initramfs"), options.initramfs);
    const [requests, answers] = [join(directory, "agent.in"), join(directory, "agent.out")];
    const made = spawnSync("mkfifo", [requests, answers]);
    if (made.status !== 0) throw new Error(`mkfifo: ${made.error?.message ?? String(made.stderr)}`);
    // Opened for both, a FIFO does not wait for its other end; after that, neither do its single ends.
    const inherited = [answers, requests].map((path) => openSync(path, constants.O_RDWR));
    this.#answers = openSync(answers, constants.O_RDONLY);
    this.#requests = openSync(requests, constants.O_WRONLY);
    const command = [options.qemu, ...qemuArguments(options, directory)];
    this.#keeper = spawn("sh", ["-c", KEEPER, "sh", directory, ...command], {
      stdio: ["pipe", "ignore", "ignore", ...inherited],
      detached: true,
    });
    this.#keeper.unref();
    this.#keeper.on("error", () => undefined);
    this.#keeper.stdin?.on("error", () => undefined);
    if (this.#keeper.stdin !== null && "unref" in this.#keeper.stdin) unref(this.#keeper.stdin);
    for (const descriptor of inherited) closeSync(descriptor);

    const shared = new SharedArrayBuffer(16);
    this.#deadline = new Float64Array(shared, 0, 1);
    this.#bitten = new Int32Array(shared, 8, 1);
    this.#watchdog = new Worker(WATCHDOG, { eval: true, workerData: { shared, group: this.#keeper.pid } });
    this.#watchdog.unref();
  }

  /** What ended the machine, if it has ended. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /**
   * Sends a frame, unless it is empty, and waits for one: its sequence number and what follows its header.
   * @throws MachineEnded if none comes
   */
  exchange(frame: Uint8Array, limitMs: number): { readonly sequence: number; readonly body: Buffer } {
    if (this.#ending !== undefined) throw new MachineEnded(this.#ending);
    this.#deadline[0] = Date.now() + limitMs;
    try {
      for (let sent = 0; sent < frame.length; ) sent += this.#send(frame.subarray(sent));
      const { sequence, size } = answerHeader(this.#receive(HEADER_SIZE));
      return { sequence, body: this.#receive(size) };
    } finally {
      this.#deadline[0] = 0;
    }
  }

  #send(bytes: Uint8Array): number {
    try {
      return writeSync(this.#requests, bytes);
    } catch {
      throw this.#ended();
    }
  }

  #receive(size: number): Buffer {
    const bytes = Buffer.allocUnsafe(size);
    for (let have = 0; have < size; ) {
      const got = readSync(this.#answers, bytes, have, size - have, null);
      if (got === 0) throw this.#ended();
      have += got;
    }
    return bytes;
  }

  #ended(): MachineEnded {
    const kind = Atomics.load(this.#bitten, 0) === 1 ? "hang" : "exit";
    this.#ending ??= { kind, console: this.#text("console"), qemu: this.#text("qemu") };
    this.stop();
    return new MachineEnded(this.#ending);
  }

  /** What the guest's kernel has written to its console so far; nothing after the end, when `ending` has it. */
  console(): string {
    return this.#text("console");
  }

  #text(name: string): string {
    try {
      return readFileSync(join(this.#directory, name), "latin1").replaceAll("\r", "");
    } catch {
      return "";
    }
  }

  /** Kills the machine, whatever it does. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#ending ??= { kind: "exit", console: this.#text("console"), qemu: this.#text("qemu") };
    try {
      if (this.#keeper.pid !== undefined) process.kill(-this.#keeper.pid, "SIGKILL");
    } catch {
      // The keeper and the machine have ended.
    }
    void this.#watchdog.terminate();
    closeSync(this.#answers);
    closeSync(this.#requests);
    this.#keeper.stdin?.destroy();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function unref(stream: object): void {
  if ("unref" in stream && typeof stream.unref === "function") stream.unref();
}
