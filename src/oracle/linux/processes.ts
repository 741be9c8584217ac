/**
 * Processes on this machine that make the system calls they are asked to make: in a process namespace, with mounts and network of their own. They are the agent of guests
 * (`src/oracle/guest/agent/agent.c`), and end when whoever asks ends, or stops them.
 *
 * Process 0 starts the others. A process that another one has started is its copy, as fork(2) makes it; the processes' descriptors below 1000 are at the disposal of
 * the calls.
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
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answerHeader, HEADER_SIZE, readAnswer, request } from "../guest/frames.ts";
import { agentFile, guestCache } from "../guest/image.ts";
import type { Kernel, Outcome, SystemCall } from "./calls.ts";
import { ProcessHost } from "./process-host.ts";
import { THIS_MACHINE } from "./this-machine.ts";

export class Processes extends ProcessHost {
  readonly firstRoot = false;
  readonly release = THIS_MACHINE.release;
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #requests: number;
  readonly #answers: number;
  #sequence = 0;
  #stopped = false;

  /**
   * @param environment  says where the compiled agent is kept (`guestCache`)
   * @throws InputError without a C compiler; Error where such namespaces cannot be had
   */
  constructor(environment: Readonly<Record<string, string | undefined>>) {
    super();
    const agent = agentFile(guestCache(environment));
    this.#directory = mkdtempSync(join(tmpdir(), "soundcheck-processes-"));
    const [requests, answers] = [join(this.#directory, "in"), join(this.#directory, "out")];
    const made = spawnSync("mkfifo", [requests, answers]);
    if (made.status !== 0) throw new Error(`mkfifo: ${made.error?.message ?? String(made.stderr)}`);
    // Opened for both, a FIFO does not wait for its other end; after that, neither do its single ends.
    const both = [requests, answers].map((path) => openSync(path, constants.O_RDWR));
    this.#requests = openSync(requests, constants.O_WRONLY);
    this.#answers = openSync(answers, constants.O_RDONLY);
    const theirs = [openSync(requests, constants.O_RDONLY), openSync(answers, constants.O_WRONLY)];
    const errors = openSync(this.#errors, "w");
    this.#child = spawn(agent, [], {
      argv0: "soundcheck-trace",
      env: {},
      stdio: ["ignore", "ignore", errors, ...theirs],
    });
    this.#child.unref();
    this.#child.on("error", () => undefined);
    for (const descriptor of [...both, ...theirs, errors]) closeSync(descriptor);
    this.#receive(HEADER_SIZE);
  }

  get #errors(): string {
    return join(this.#directory, "errors");
  }

  /** Makes calls in one of the processes, one after the other. @throws Error if it does not answer */
  calls(process: number, list: readonly SystemCall[]): readonly Outcome[] {
    this.#sequence = (this.#sequence + 1) % 2 ** 32;
    const sent = request(this.#sequence, list, process);
    for (let at = 0; at < sent.frame.length; ) at += writeSync(this.#requests, sent.frame, at);
    const { sequence, size } = answerHeader(this.#receive(HEADER_SIZE));
    const body = this.#receive(size);
    if (sequence !== this.#sequence)
      throw new Error(`process ${process}: answer ${sequence} to request ${this.#sequence}`);
    return readAnswer(sent, body);
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

  #ended(): Error {
    const why = readFileSync(this.#errors, "utf8").trim();
    this.stop();
    return new Error(`the processes have ended${why === "" ? "" : `: ${why}`}`);
  }

  /** One of the processes as a kernel to ask, with its descriptors. */
  kernel(process: number): Kernel {
    return {
      name: `process ${process}`,
      arch: THIS_MACHINE.arch,
      release: this.release,
      calls: (list) => this.calls(process, list),
      close: (descriptor) => void this.calls(process, [{ number: CLOSE, arguments: [descriptor] }]),
      readFile: () => undefined,
    };
  }

  /** Ends all of them. Nothing of them stays. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#child.kill("SIGKILL");
    closeSync(this.#requests);
    closeSync(this.#answers);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** close(2) of x86-64, which the agent is for. */
const CLOSE = 3;
