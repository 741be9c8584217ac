/** `soundcheck probe`: what a kernel lets programs do, as a profile. */
import { writeFileSync } from "node:fs";
import { KernelError } from "../oracle/linux/errno.ts";
import type { ProbeProgress } from "../oracle/linux/probe/ask.ts";
import { probeKernel } from "../oracle/linux/probe/probe.ts";
import { InputError } from "../semantics/errors.ts";
import type { Profile } from "../semantics/profile/profile.ts";
import { profileText } from "../semantics/profile/text.ts";
import { ERASE_LINE } from "./bar.ts";
import { openKernel } from "./kernels.ts";
import { attempt, STATUS, type Status } from "./status.ts";
import { canRedraw, note, out } from "./terminal.ts";

export interface ProbeOptions {
  /** The kernel that is asked. */
  readonly on: string;
  /** Standard output, if there is none. */
  readonly output?: string;
}

export function probe({ on, output }: ProbeOptions): Promise<Status> {
  return attempt("probe", () => {
    const { kernel, close } = openKernel(on);
    try {
      const profile = ask(() => probeKernel(kernel(), display()));
      if (output === undefined) out(profileText(profile));
      else write(output, profileText(profile));
      note(summary(profile));
    } finally {
      close();
    }
    return STATUS.held;
  });
}

/** A kernel that forbids what probing takes is no bug. */
function ask(work: () => Profile): Profile {
  try {
    return work();
  } catch (error) {
    if (error instanceof KernelError) throw new InputError(error.message, { cause: error });
    throw error;
  }
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new InputError(`${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** One line that is redrawn on a terminal; elsewhere a line for each part of the work. */
function display(): ProbeProgress {
  let shown = "";
  return (part, done, of) => {
    if (canRedraw()) process.stderr.write(`${ERASE_LINE}${part}: ${done} of ${of}`);
    else if (part !== shown) note(part);
    shown = part;
  };
}

/** What was found, in a line; and what could not be. */
function summary({ kernel, programs, helpers, kfuncs, contexts }: Profile): string {
  const counts = `Linux ${kernel}: ${Object.keys(programs).length} kinds of programs, ${Object.keys(contexts).length} contexts, ${helpers.length} helpers, ${kfuncs.length} kernel functions`;
  const sets = Object.values(programs).map(({ helpers: { prototypes = {} } }) => prototypes);
  const open = helpers
    .filter(({ id }) => sets.some((places) => (places[id] ?? 0) < 0))
    .map(({ name }) => name);
  const missing = open.length === 0 ? "" : `; for some kinds no prototype was found of ${open.join(", ")}`;
  return `${canRedraw() ? ERASE_LINE : ""}${counts}${missing}`;
}
