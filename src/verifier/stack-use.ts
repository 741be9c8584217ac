/**
 * How much stack a program's functions use together. The kernel gives a chain of calls 512 bytes in all, each frame rounded up to a multiple of 16,
 * and half of that to callers of a function that tail-calls. Programs of some kinds have larger frames elsewhere (`ProgramFacts.privateStack`): functions that could
 * be active twice on one processor have not, which are those of programs with tail calls and those that timers call.
 */
import { callbackOf, depthOf, frameCount, functionOf, STACK_BYTES } from "../absint/state.ts";
import type { Machine } from "../absint/transfer/machine.ts";
import { reject } from "../absint/transfer/rejection.ts";
import { helperId } from "../semantics/helpers/names.ts";
import { programFacts } from "../semantics/profile/lookup.ts";
import type { Profile } from "../semantics/profile/profile.ts";
import type { Program } from "../semantics/program/program.ts";
import { type ControlFlow, callee, functionLoaded } from "./control-flow.ts";

const FRAME_ALIGNMENT = 16;
const TAIL_CALL_LIMIT = 256;

export class StackUse {
  /** Bytes by first instruction of the function: the most that any path used. */
  readonly #depth = new Map<number, number>();
  /** Functions that helpers have called for a function: those that it has got the addresses of from elsewhere are among them. */
  readonly #calledBack = new Map<number, Set<number>>();

  /** What has been noted so far; `restore` goes back to it. */
  copy(): ReadonlyMap<number, number> {
    return new Map(this.#depth);
  }

  restore(noted: ReadonlyMap<number, number>): void {
    this.#depth.clear();
    for (const [start, bytes] of noted) this.#depth.set(start, bytes);
  }

  /** Notes what the active frames use. To be called where a frame ends or is not followed further. */
  record(m: Machine): void {
    const frames = frameCount(m.state);
    for (let f = 0; f < frames; f += 1) {
      const start = functionOf(m.state, f);
      const bytes = depthOf(m.state, f) * 8;
      if (bytes > (this.#depth.get(start) ?? 0)) this.#depth.set(start, bytes);
      if (f > 0 && callbackOf(m.state, f) !== 0) this.#noteCallback(functionOf(m.state, f - 1), start);
    }
  }

  #noteCallback(from: number, to: number): void {
    const known = this.#calledBack.get(from);
    if (known === undefined) this.#calledBack.set(from, new Set([to]));
    else known.add(to);
  }

  /**
   * Checks every chain of calls.
   *
   * @param timers  the functions that timers call: these begin chains of their own
   * @param profile  the kernel's
   * @throws Rejection  with the kernel's message
   */
  check(
    program: Program,
    { functions, functionOf: owner, exceptionCallback }: ControlFlow,
    timers: ReadonlySet<number>,
    profile: Profile,
  ): void {
    const { insns } = program;
    const { limits } = profile;
    const hasOwn = programFacts(profile, program)?.privateStack === true;
    const calls = new Map(functions.map((start) => [start, new Set(this.#calledBack.get(start))]));
    const tailCalls = new Set<number>();
    const tailCall = helperId("tail_call");
    insns.forEach((insn, pc) => {
      if (insn === undefined) return;
      const from = owner[pc] ?? 0;
      const loaded = functionLoaded(pc, insn);
      const to = callee(pc, insn) ?? (loaded !== undefined && timers.has(loaded) ? undefined : loaded);
      if (to !== undefined) calls.get(from)?.add(to);
      const { operation } = insn.row;
      if (operation.kind === "call" && operation.callee === "helper" && insn.imm === tailCall)
        tailCalls.add(from);
    });
    const callbacks = new Set([...this.#calledBack.values()].flatMap((called) => [...called]));
    const ownFrom = hasOwn && tailCalls.size === 0 ? limits.privateStack : undefined;
    /** What timers may call. */
    const shared = new Set<number>();
    const share = (start: number): void => {
      if (shared.has(start)) return;
      shared.add(start);
      for (const next of calls.get(start) ?? []) share(next);
    };
    const descend = (start: number, frames: number, above: number, within: boolean): void => {
      if (frames > limits.frames) reject("E2BIG", `the call stack of ${frames - 1} frames is too deep !`);
      if (above >= TAIL_CALL_LIMIT && tailCalls.has(start)) {
        reject(
          "EACCES",
          `tail_calls are not allowed when call stack of previous frames is ${above} bytes. Too large`,
        );
      }
      // The helper that calls back has to get its answer.
      if (within && tailCalls.has(start)) reject("EINVAL", "cannot tail call within callback");
      const own = Math.ceil((this.#depth.get(start) ?? 0) / FRAME_ALIGNMENT) * FRAME_ALIGNMENT;
      const isElsewhere = ownFrom !== undefined && own >= ownFrom && !shared.has(start);
      const total = isElsewhere ? above : above + own;
      if (total > STACK_BYTES)
        reject("EACCES", `combined stack size of ${frames} calls is ${total}. Too large`);
      for (const next of calls.get(start) ?? [])
        descend(next, frames + 1, total, within || callbacks.has(next));
    };
    for (const start of timers) share(start);
    for (const start of timers) descend(start, 1, 0, false);
    descend(0, 1, 0, false);
    // When it is called the frames of whoever threw are gone.
    if (exceptionCallback !== undefined) descend(exceptionCallback, 1, 0, false);
  }
}
