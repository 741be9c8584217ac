/**
 * Processor time: what a process has computed, however much else the machine had to do meanwhile.
 *
 * On Linux the processes that this one started count, those that have ended among them (proc(5): `stat`, and `children` of each thread). Elsewhere only this one does.
 */
import { readdirSync, readFileSync } from "node:fs";

/** Linux tells times to programs in hundredths of a second, whatever it counts in itself (USER_HZ). */
const TICKS = 100;

/** A file's text; undefined if there is none, as of a process that has just ended. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Seconds of a process itself and of those of its children that have ended and been waited for; nothing if there is no such process. */
function timesOf(process: string): { readonly own: number; readonly ended: number } {
  const stat = textOf(`/proc/${process}/stat`) ?? "";
  // The second field is a name in brackets, which may hold anything; what follows begins with the third.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15).map(Number);
  return { own: (user + system) / TICKS, ended: (endedUser + endedSystem) / TICKS };
}

function childrenOf(process: string): readonly string[] {
  let threads: readonly string[];
  try {
    threads = readdirSync(`/proc/${process}/task`);
  } catch {
    return [];
  }
  return threads.flatMap((thread) =>
    (textOf(`/proc/${process}/task/${thread}/children`) ?? "").split(" ").filter((each) => each !== ""),
  );
}

/** Seconds that this process has computed since it began, with those that it started. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  const children = childrenOf("self").map(timesOf);
  return children.reduce(
    (sum, { own, ended }) => sum + own + ended,
    (user + system) / 1e6 + timesOf("self").ended,
  );
}
