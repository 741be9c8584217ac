/**
 * Processes that make the system calls they are asked to make, wherever they are: on this machine (`processes.ts`) or in a guest (`oracle/guest/guest-processes.ts`). In both places
 * they are the agent (`src/oracle/guest/agent/agent.c`). Process 0 starts the others; a process that another one has started is its copy, as fork(2) makes it.
 */
import { AGENT } from "../guest/frames.ts";
import type { Outcome, SystemCall } from "./calls.ts";
import { errnoName, KernelError } from "./errno.ts";

/** How many processes there can be at a time, beside the first. */
export const MOST_PROCESSES = 63;

export abstract class ProcessHost {
  /** Whether `/` is the file system that the kernel was booted with, which pivot_root(2) cannot put anywhere. */
  abstract readonly firstRoot: boolean;
  /** Of the kernel that they run on, as uname(2) says: `6.18.44`. */
  abstract readonly release: string;
  /** The process's id, as process 0 sees it, by its number. */
  readonly #pids = new Map<number, number>();

  /** Makes calls in one of the processes, one after the other. @throws Error if it does not answer */
  abstract calls(process: number, list: readonly SystemCall[]): readonly Outcome[];

  /** Ends all of them. Nothing of them stays. */
  abstract stop(): void;

  /** Has a process fork; the child gets a number that no other has now. @throws KernelError if the kernel refuses */
  fork(parent: number, child: number): void {
    if (this.#pids.has(child) || child < 1 || child > MOST_PROCESSES)
      throw new Error(`process ${child} cannot be made`);
    const { result, errno } = this.#one(parent, AGENT.fork, [child]);
    if (errno !== 0) throw new KernelError("fork", errnoName(errno));
    this.#pids.set(child, result);
  }

  /** A process's id in the namespace, as process 0 sees it. */
  pid(process: number): number {
    const pid = this.#pids.get(process);
    if (pid === undefined) throw new Error(`there is no process ${process}`);
    return pid;
  }

  /** Has a process execute the agent's file anew: descriptors that close on that are closed. */
  execute(process: number): Outcome {
    return this.#one(process, AGENT.exec, []);
  }

  /** Has a process end, and waits until it has given back what it had. */
  exit(process: number): void {
    const pid = this.pid(process);
    this.#one(process, AGENT.exit, []);
    this.#one(0, AGENT.gone, [pid]);
    this.#pids.delete(process);
  }

  #one(process: number, number: number, values: readonly number[]): Outcome {
    const [outcome] = this.calls(process, [{ number, arguments: values }]);
    if (outcome === undefined) throw new Error(`process ${process} left a call without an answer`);
    return outcome;
  }
}
