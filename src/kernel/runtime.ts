/** The small kernel as a system that operations are done on: each operation goes to what does it. */
import { ESRCH } from "../vm/errno.ts";
import { bpf } from "./commands/commands.ts";
import { Kernel, type Process } from "./kernel.ts";
import type { Operation } from "./operation.ts";
import { dup, exit, fork } from "./processes.ts";
import type { Answer, Observation, System } from "./system.ts";

export class Runtime implements System {
  readonly #kernel = new Kernel();

  /** @throws Unsupported  for what is not modelled */
  do(operation: Operation): Answer {
    const process = this.#kernel.processes.get(operation.process);
    if (process === undefined) return { result: ESRCH };
    const answer = this.#answer(process, operation);
    return typeof answer === "number" ? { result: answer } : answer;
  }

  #answer(process: Process, operation: Operation): Answer | number {
    switch (operation.do) {
      case "fork":
        return fork(this.#kernel, process);
      case "exit":
        return exit(this.#kernel, process);
      case "dup":
        return dup(process, operation.fd);
      case "close":
        return process.descriptors.close(operation.fd);
      case "unlink":
        return this.#kernel.pins.remove(operation.path);
      case "bpf":
        return bpf(this.#kernel, process, operation);
    }
  }

  observe(): Observation {
    const { objects, pins, processes } = this.#kernel;
    return {
      alive: {
        map: objects.alive("map"),
        program: objects.alive("program"),
        link: objects.alive("link"),
        btf: objects.alive("btf"),
      },
      processes: new Map([...processes].map(([number, { descriptors }]) => [number, descriptors.list()])),
      pins: pins.list(),
    };
  }
}
