/**
 * Traces of attachments by chance: a few programs, devices, cgroups and processes, and what is attached, replaced, queried and detached among them. Each is about one area, so that what it does
 * meets what it did. Operations are drawn with a runtime beside them that says which descriptors there are, so that most succeed.
 */
import type { Operation } from "../../kernel/operation.ts";
import type { Runtime } from "../../kernel/runtime.ts";
import { Unsupported } from "../../semantics/errors.ts";
import type { Random } from "../random.ts";
import { drawAct } from "./attachment-areas.ts";
import { AttachmentDraw } from "./attachment-draw.ts";
import { type Area, OBJECTS, SCENES } from "./attachment-scenes.ts";

/**
 * A trace of so many operations, those of its beginning not counted. What the runtime does not model is left out.
 * @param runtime  one in which nothing has been done; it does the operations
 */
export function attachmentTrace(
  random: Random,
  area: Area,
  length: number,
  runtime: Runtime,
): readonly Operation[] {
  const operations: Operation[] = [];
  const add = (operation: Operation): void => {
    try {
      runtime.do(operation);
      operations.push(operation);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
    }
  };
  for (const act of [...OBJECTS[area], ...(SCENES[area] ?? [])]) add({ process: 1, ...act });
  const beginning = operations.length;
  for (let tried = 0; operations.length < beginning + length && tried < 2 * length; tried += 1) {
    const running = [...runtime.observe().processes.keys()];
    const process = running[random.below(running.length)];
    if (process === undefined) break;
    const act = drawAct(new AttachmentDraw(random, area, runtime, process));
    // The last process stays.
    if (act.do !== "exit" || running.length > 1) add({ process, ...act });
  }
  return operations;
}
