/** Objects of a program's own types: made, counted, and freed with all that they own. */
import { Unsupported } from "../../semantics/errors.ts";
import { fault } from "../fault.ts";
import type { Call } from "../helpers/call.ts";
import { currentTask } from "../helpers/tasks.ts";
import type { Run } from "../run.ts";
import { Thing } from "./thing.ts";

/** What new memory holds that nobody has written: the kernel does not clear it. */
const GARBAGE = 0xa5;

/** Makes an object of a structure of the program's BTF, which the program owns. */
export function newObject({ run, state }: Call, id: number): Thing | undefined {
  const own = state.loaded.program.ownTypes?.(id);
  if (own === undefined) return undefined;
  const thing = new Thing(own.name, new Uint8Array(own.size).fill(GARBAGE), own);
  run.held.acquire(thing, `an object (${own.name})`);
  return thing;
}

/** The object that an argument points to, and how far into it. */
export function objectAt(call: Call, register: number, name: string): readonly [Thing, number] {
  const region = call.region(register, name);
  if (region.place.kind === "kernel_memory") return [kernelObjectAt(call, register), 0];
  const thing = call.state.things.thingOf(region);
  if (thing === undefined) return call.refuse(register, name, "is no object");
  return [thing, call.state.offset(register, region)];
}

/** The object at an address of the kernel's: the running task is the one that is known. */
function kernelObjectAt(call: Call, register: number): Thing {
  const { address, pid } = currentTask(call);
  if (call.state.value(register) !== address)
    throw new Unsupported("an object at an address of the kernel's");
  return call.state.things.kernelObject("task_struct", BigInt(pid));
}

/** The run gives its reference to an object away, to something that keeps it. */
export function giveAway({ run, helper }: Call, thing: Thing): void {
  if (!run.held.release(thing))
    fault("not_held", `call ${helper}: the program does not own the object (${thing.struct})`);
}

/** The run has a reference that something else had. */
export function take({ run }: Call, thing: Thing): void {
  run.held.acquire(thing, `an object (${thing.struct})`);
}

/** One reference less; the last one frees the object and what it owns. */
export function drop(run: Run, thing: Thing): void {
  const isFreed = thing.unreference();
  // Others may still look at it until the read section ends, which no run here outlives.
  if (isFreed && !thing.shared) run.state.things.regionOf(thing).live = false;
}
