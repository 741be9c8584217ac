/** Programs of tracepoints and of perf events. A link to an event keeps the event, and the event, while it is there, the program. */
import { Unsupported } from "../../semantics/errors.ts";
import { EBADF, EEXIST, EINVAL } from "../../vm/errno.ts";
import { contextReach } from "../commands/test-run-context.ts";
import type { OpenFile, Target } from "../descriptors.ts";
import type { Process } from "../kernel.ts";
import type { ProgramObject, Registry } from "../objects.ts";
import { typeOf } from "./attach-types.ts";
import { type LinkDetails, type LinkName, LinkObject } from "./link.ts";
import { programByFd } from "./lookup.ts";
import type { Tracepoint } from "./tracepoint.ts";

/** What BPF_TASK_FD_QUERY tells: a number of `enum bpf_task_fd_type`, and the name. */
export interface Attachment {
  readonly program: ProgramObject;
  readonly type: number;
  readonly name: string;
}
const BPF_FD_TYPE_RAW_TRACEPOINT = 0;
const BPF_FD_TYPE_TRACEPOINT = 1;

/** An event of a tracepoint; or a software event that counts nothing (PERF_COUNT_SW_DUMMY). */
export class PerfEvent implements Target {
  readonly kind = "perf_event";
  readonly id = 0;
  readonly tracepoint: Tracepoint | undefined;
  #program: ProgramObject | undefined;

  constructor(tracepoint: Tracepoint | undefined) {
    this.tracepoint = tracepoint;
  }

  holdUser(): void {}

  /** The open file goes. */
  putUser(): void {
    this.remove();
  }

  attach(program: ProgramObject): number {
    const wrong =
      this.tracepoint === undefined ? this.#check(program) : this.#enter(this.tracepoint, program);
    if (wrong !== 0) return wrong;
    program.hold();
    this.#program = program;
    return 0;
  }

  #check(program: ProgramObject): number {
    if (this.#program !== undefined) return EEXIST;
    return typeOf(program) === "perf_event" ? 0 : EINVAL;
  }

  #enter(tracepoint: Tracepoint, program: ProgramObject): number {
    if (typeOf(program) !== "tracepoint") return EINVAL;
    if (contextReach(program.referent.program) !== 0)
      throw new Unsupported("a program that reads a tracepoint's record: how long that is");
    return this.#program === undefined ? tracepoint.add(program) : EEXIST;
  }

  /** What is told of it; nothing where it has no program. */
  get attachment(): Attachment | undefined {
    const { tracepoint } = this;
    if (this.#program === undefined || tracepoint === undefined) return undefined;
    return { program: this.#program, type: BPF_FD_TYPE_TRACEPOINT, name: tracepoint.name };
  }

  get held(): readonly ProgramObject[] {
    return this.#program === undefined ? [] : [this.#program];
  }

  remove(): void {
    if (this.#program === undefined) return;
    this.tracepoint?.programs.delete(this.#program);
    this.#program.put();
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

/** What a link to an event tells: that it is one, of which type and which (linux/bpf.h, perf_event.h). */
const BPF_PERF_EVENT_TRACEPOINT = 5;
const BPF_PERF_EVENT_EVENT = 6;
const PERF_TYPE_SOFTWARE = 1;
const PERF_COUNT_SW_DUMMY = 9;

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

  override get named(): LinkName | undefined {
    const { tracepoint } = this.#event;
    return tracepoint === undefined ? undefined : { name: tracepoint.name, pointer: 24, length: 32 };
  }

  details(): LinkDetails {
    const cookie = [
      [40, 0],
      [44, 0],
    ] as const;
    if (this.#event.tracepoint !== undefined) return [[16, BPF_PERF_EVENT_TRACEPOINT], ...cookie];
    return [
      ...cookie,
      [16, BPF_PERF_EVENT_EVENT],
      [28, 0],
      [24, PERF_COUNT_SW_DUMMY],
      [32, PERF_TYPE_SOFTWARE],
    ];
  }
}

/** What BPF_RAW_TRACEPOINT_OPEN attaches to a tracepoint. */
export class TracepointLink extends LinkObject {
  readonly #name: string;

  constructor(registry: Registry, program: ProgramObject, name: string) {
    super(registry, "raw_tracepoint", program);
    this.#name = name;
  }

  protected release(): void {}

  get attachment(): Attachment {
    return { program: this.program, type: BPF_FD_TYPE_RAW_TRACEPOINT, name: this.#name };
  }

  override get named(): LinkName {
    return { name: this.#name, pointer: 16, length: 24 };
  }

  /** The cookie: none. */
  details(): LinkDetails {
    return [
      [32, 0],
      [36, 0],
    ];
  }
}

/** A link of an iterator: it is attached to nothing, and what reads by it begins at BPF_ITER_CREATE. */
export class IteratorLink extends LinkObject {
  constructor(registry: Registry, program: ProgramObject) {
    super(registry, "iter", program);
  }

  protected release(): void {}

  details(): LinkDetails {
    throw new Unsupported("information of a link of an iterator: its target");
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
