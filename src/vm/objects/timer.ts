/**
 * What is to be called later: timers, work queues, work of tasks. Each lies in the value of a map, and waits with the map. It is gone with the value: one that was deleted or
 * replaced calls nothing.
 */
import type { LoadedProgram, MapStorage } from "../maps/map.ts";
import type { MapValue } from "../maps/storage.ts";
import type { InField } from "./field.ts";

export type TimerKind = "timer" | "work" | "task_work";

export class Timer implements InField {
  readonly kind: TimerKind;
  readonly map: MapStorage;
  /** The value that it lies in. */
  readonly cell: MapValue;
  /** A function, by its first slot, and its program. */
  callback: { readonly loaded: LoadedProgram; readonly entry: number } | undefined;

  constructor(kind: TimerKind, map: MapStorage, cell: MapValue) {
    this.kind = kind;
    this.map = map;
    this.cell = cell;
  }

  leave(): void {
    unschedule(this);
  }
}

/** For each map the timers that wait, and the time when each is due, in nanoseconds. */
const WAITING = new WeakMap<MapStorage, Map<Timer, bigint>>();

/** Lets the timer call at the time `due`, and at no other. */
export function schedule(timer: Timer, due: bigint): void {
  const waiting = WAITING.get(timer.map) ?? new Map<Timer, bigint>();
  WAITING.set(timer.map, waiting);
  waiting.delete(timer);
  waiting.set(timer, due);
}

/** Says whether it was waiting. */
export const unschedule = (timer: Timer): boolean => WAITING.get(timer.map)?.delete(timer) === true;

/** The timer that is due first at `now`, if any is; of several those that have waited longest. */
export function firstDue(
  maps: readonly MapStorage[],
  now: bigint,
): { readonly timer: Timer; readonly due: bigint } | undefined {
  let first: { readonly timer: Timer; readonly due: bigint } | undefined;
  for (const map of maps) {
    for (const [timer, due] of WAITING.get(map) ?? []) {
      if (due <= now && (first === undefined || due < first.due)) first = { timer, due };
    }
  }
  return first;
}
