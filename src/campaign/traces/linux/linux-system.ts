/** Linux as a system that operations are done on: each operation is system calls of real processes. */
import type { Operation } from "../../../kernel/operation.ts";
import { isAttachmentOperation } from "../../../kernel/operations/attachments.ts";
import { isFileOperation } from "../../../kernel/operations/files.ts";
import {
  type Answer,
  OBJECT_KINDS,
  type Observation,
  type Pin,
  type System,
} from "../../../kernel/system.ts";
import { ESRCH } from "../../../vm/errno.ts";
import { doAttachCommand, hasIdsInside } from "./attach-commands.ts";
import { awaitEnds, doAttachment, mayEnd } from "./attachment-calls.ts";
import { doBpf } from "./bpf-calls.ts";
import { doFile } from "./file-calls.ts";
import { LinuxTrace } from "./linux-trace.ts";
import { doProcess } from "./process-calls.ts";
import { awaitEmptied } from "./program-arrays.ts";
import { systemCall } from "./syscalls.ts";
import type { World } from "./world.ts";

/** How long Linux may take to free what nothing keeps, and between two looks, in nanoseconds. */
const LONGEST_NS = 10_000_000_000n;
const PAUSE_NS = 2_000_000n;

export class LinuxSystem implements System {
  readonly #trace: LinuxTrace;
  // What was seen since the last operation that may have changed it.
  #alive: Observation["alive"] | undefined;
  #pins: readonly Pin[] | undefined;

  /** @param network  whether the trace is in a network namespace of its own */
  constructor(world: World, network = false) {
    this.#trace = new LinuxTrace(world, network);
  }

  do(operation: Operation): Answer {
    const { process } = operation;
    if (!this.#trace.running.has(process)) return { result: ESRCH };
    const ending = mayEnd(this.#trace, operation);
    const answer = this.#answer(operation);
    if (ending) awaitEnds(this.#trace);
    this.#alive = undefined;
    if (this.#trace.passing && !isFileOperation(operation)) this.#trace.collectSockets();
    if (this.#trace.mapTypes.includes(PROGRAM_ARRAY)) awaitEmptied((list) => this.#trace.world.oversee(list));
    if (answer.result < 0) return answer;
    if (mayChangeDescriptors(operation)) this.#trace.look(process, highestIn(answer));
    if (mayChangePins(operation)) this.#pins = undefined;
    if (operation.do === "unshare") this.#trace.forgetNamespace(process);
    return answer;
  }

  #answer(operation: Operation): Answer {
    if (operation.do === "bpf")
      return hasIdsInside(this.#trace, operation)
        ? doAttachCommand(this.#trace, operation)
        : doBpf(this.#trace, operation);
    if (isFileOperation(operation)) return doFile(this.#trace, operation);
    if (isAttachmentOperation(operation)) return doAttachment(this.#trace, operation);
    return doProcess(this.#trace, operation);
  }

  observe(): Observation {
    this.#alive ??= this.#trace.alive();
    const alive = this.#alive;
    this.#pins ??= this.#trace.pins();
    return { alive, processes: this.#trace.running, pins: this.#pins };
  }

  /** Waits until just those objects are alive that are expected, for a while: Linux frees some a little later. */
  settle(expected: Observation["alive"]): void {
    const wanted = JSON.stringify(OBJECT_KINDS.map((kind) => expected[kind]));
    const end = process.hrtime.bigint() + LONGEST_NS;
    for (;;) {
      this.#alive = this.#trace.alive();
      const alive = this.#alive;
      if (JSON.stringify(OBJECT_KINDS.map((kind) => alive[kind])) === wanted) return;
      if (process.hrtime.bigint() > end) return;
      const pause = new Uint8Array(16);
      new DataView(pause.buffer).setBigUint64(8, PAUSE_NS, true);
      this.#trace.world.oversee([systemCall("nanosleep", { bytes: pause, back: "nothing" }, 0)]);
    }
  }

  /** Ends the processes of the trace. */
  end(): void {
    this.#trace.end();
  }
}

const PROGRAM_ARRAY = 3;

/** No more than a process of a trace has. */
const MOST_DESCRIPTORS = 64;

const READING: ReadonlySet<string> = new Set(["stat", "readdir", "chmod", "chown", "open_path"]);

/** The highest number that may be a descriptor's. */
function highestIn({ result, out = {} }: Answer): number {
  const numbers = Object.values(out).filter((value) => typeof value === "number");
  return Math.max(...[result, ...numbers].filter((number) => number < MOST_DESCRIPTORS));
}

/** Whether afterwards the process may have other descriptors. */
const mayChangeDescriptors = (operation: Operation): boolean =>
  !isFileOperation(operation) || operation.do === "open_path";

/** Whether afterwards there may be other pins, or other processes that see them. */
function mayChangePins(operation: Operation): boolean {
  if (operation.do === "bpf") return operation.command === "obj_pin";
  return isFileOperation(operation) ? !READING.has(operation.do) : operation.do === "exit";
}
