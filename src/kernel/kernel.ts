/** The state of the small kernel: processes, objects, and the places that keep them. */
import { DescriptorTable } from "./descriptors.ts";
import { PinTable } from "./files/pins.ts";
import { Registry } from "./objects.ts";

export interface Process {
  readonly number: number;
  readonly descriptors: DescriptorTable;
}

export class Kernel {
  readonly objects = new Registry();
  readonly pins = new PinTable();
  readonly processes = new Map<number, Process>();
  #lastProcess = 0;

  constructor() {
    this.addProcess(new DescriptorTable());
  }

  addProcess(descriptors: DescriptorTable): Process {
    this.#lastProcess += 1;
    const process = { number: this.#lastProcess, descriptors };
    this.processes.set(process.number, process);
    return process;
  }
}
