/** The small kernel as a system that operations are done on: each operation goes to what does it. */
import { ESRCH } from "../vm/errno.ts";
import { attachment } from "./attachments/operations.ts";
import { audit } from "./audit.ts";
import { bpf } from "./commands/commands.ts";
import { doFile } from "./files/files.ts";
import { allPins } from "./files/pins.ts";
import { type Keeping, keepers, Names } from "./keepers.ts";
import { Kernel, type KernelOptions, type Process } from "./kernel.ts";
import type { Operation } from "./operation.ts";
import { isAttachmentOperation } from "./operations/attachments.ts";
import { isFileOperation } from "./operations/files.ts";
import { doProcess } from "./processes.ts";
import type { Answer, Observation, System } from "./system.ts";

export class Runtime implements System {
  readonly #kernel: Kernel;
  readonly #names = new Names();

  constructor(options: KernelOptions = {}) {
    this.#kernel = new Kernel(options);
  }

  /** @throws Unsupported  for what is not modelled */
  do(operation: Operation): Answer {
    const process = this.#kernel.processes.get(operation.process);
    if (process === undefined) return { result: ESRCH };
    const answer = this.#answer(process, operation);
    return typeof answer === "number" ? { result: answer } : answer;
  }

  #answer(process: Process, operation: Operation): Answer | number {
    if (operation.do === "bpf") return bpf(this.#kernel, process, operation);
    if (isFileOperation(operation)) return doFile(process, operation);
    if (isAttachmentOperation(operation)) return attachment(this.#kernel, process, operation);
    return doProcess(this.#kernel, process, operation);
  }

  observe(): Observation {
    const { objects, processes } = this.#kernel;
    return {
      alive: {
        map: objects.alive("map"),
        program: objects.alive("program"),
        link: objects.alive("link"),
        btf: objects.alive("btf"),
      },
      processes: new Map([...processes].map(([number, { descriptors }]) => [number, descriptors.list()])),
      pins: allPins(this.#kernel),
    };
  }

  /** Who keeps what. What has no id is called the same each time. */
  keepers(): readonly Keeping[] {
    return keepers(this.#kernel, this.#names);
  }

  /** What is wrong with the counts: nothing, if the runtime is right. */
  audit(): readonly string[] {
    return audit(this.#kernel);
  }
}
