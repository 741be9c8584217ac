/** Tracepoints, as far as programs are at them by perf events. */
import { E2BIG, EEXIST } from "../../vm/errno.ts";
import type { ProgramObject } from "../objects.ts";

/** How many programs a tracepoint has at most by perf events. */
const MOST_PROGRAMS = 64;

/** A tracepoint with the programs that events have for it: each once. */
export class Tracepoint {
  readonly name: string;
  readonly programs = new Set<ProgramObject>();

  /** @param name  without the group that it is in */
  constructor(name: string) {
    this.name = name;
  }

  /** Returns 0 or a negative error number. */
  add(program: ProgramObject): number {
    if (this.programs.size >= MOST_PROGRAMS) return E2BIG;
    if (this.programs.has(program)) return EEXIST;
    this.programs.add(program);
    return 0;
  }
}
