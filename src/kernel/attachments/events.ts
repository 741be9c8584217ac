/** Programs of tracepoints and of perf events. A link to an event keeps the event, and the event, while it is there, the program. */
import { EBADF, EEXIST, EINVAL } from "../../vm/errno.ts";
import type { OpenFile, Target } from "../descriptors.ts";
import type { Process } from "../kernel.ts";
import type { ProgramObject, Registry } from "../objects.ts";
import { typeOf } from "./attach-types.ts";
import { type LinkDetails, LinkObject } from "./link.ts";
import { programByFd } from "./lookup.ts";

/** An event of the processor's clock, which counts nothing until it is switched on. */
export class PerfEvent implements Target {
  readonly kind = "perf_event";
  readonly id = 0;
  #program: ProgramObject | undefined;

  holdUser(): void {}

  /** The open file goes. */
  putUser(): void {
    this.remove();
  }

  attach(program: ProgramObject): number {
    if (this.#program !== undefined) return EEXIST;
    if (typeOf(program) !== "perf_event") return EINVAL;
    program.hold();
    this.#program = program;
    return 0;
  }

  get held(): readonly ProgramObject[] {
    return this.#program === undefined ? [] : [this.#program];
  }

  remove(): void {
    this.#program?.put();
    this.#program = undefined;
  }
}

/** ioctl(2) with PERF_EVENT_IOC_SET_BPF. Returns 0 or a negative error number. */
export function setEventProgram(process: Process, event: PerfEvent, fd: number): number {
  const program = programByFd(process, fd);
  return typeof program === "number" ? program : event.attach(program);
}

/** BPF_LINK_CREATE for an event. @returns the link, or a negative error number */
export function linkEvent(
  registry: Registry,
  { descriptors }: Process,
  fd: number,
  program: ProgramObject,
): LinkObject | number {
  const file = descriptors.file(fd);
  if (!(file?.target instanceof PerfEvent)) return EBADF;
  const wrong = file.target.attach(program);
  return wrong === 0 ? new EventLink(registry, program, file, file.target) : wrong;
}

class EventLink extends LinkObject {
  readonly #file: OpenFile;
  readonly #event: PerfEvent;

  constructor(registry: Registry, program: ProgramObject, file: OpenFile, event: PerfEvent) {
    super(registry, "perf_event", program);
    this.#file = file.hold();
    this.#event = event;
  }

  override get files(): readonly OpenFile[] {
    return [this.#file];
  }

  protected release(): void {
    this.#event.remove();
    this.#file.put();
  }

  details(): LinkDetails {
    return {};
  }
}

/** What BPF_RAW_TRACEPOINT_OPEN attaches to a tracepoint. */
export class TracepointLink extends LinkObject {
  constructor(registry: Registry, program: ProgramObject) {
    super(registry, "raw_tracepoint", program);
  }

  protected release(): void {}

  details(): LinkDetails {
    return {};
  }
}

/** A link of an iterator: it is attached to nothing, and what reads by it begins at BPF_ITER_CREATE. */
export class IteratorLink extends LinkObject {
  constructor(registry: Registry, program: ProgramObject) {
    super(registry, "iter", program);
  }

  protected release(): void {}

  details(): LinkDetails {
    return {};
  }
}

/** What BPF_ITER_CREATE opens. It holds the program that the link had then. */
export class IteratorFile implements Target {
  readonly kind = "iter";
  readonly id = 0;
  readonly #program: ProgramObject;

  constructor({ program }: LinkObject) {
    this.#program = program;
  }

  get held(): readonly ProgramObject[] {
    return [this.#program];
  }

  holdUser(): void {
    this.#program.hold();
  }

  putUser(): void {
    this.#program.put();
  }
}
