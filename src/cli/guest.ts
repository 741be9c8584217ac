/** `soundcheck guest`: kernels of Debian's in QEMU: which there are, fetching them, and whether they come up here. */
import { cachedImages, fetchableKernels, fetchImage, guestCache } from "../oracle/guest/image.ts";
import type { Accelerator } from "../oracle/guest/machine.ts";
import { startGuest } from "../oracle/guest/start.ts";
import type { Kernel } from "../oracle/linux/calls.ts";
import { tryLoads } from "../oracle/linux/try-loads.ts";
import { InputError } from "../semantics/errors.ts";
import { attempt, STATUS, type Status, worse } from "./status.ts";
import { type Cell, table } from "./table.ts";
import { note, out, outJson } from "./terminal.ts";

export { startGuest };

interface JsonOption {
  readonly json?: true;
}

const WIDTH = 100;

/** The kernels that can be had and those that are here. Without a network, the latter. */
export function listGuests({ json }: JsonOption): Promise<Status> {
  return attempt("guest list", () => {
    const cache = guestCache(process.env);
    const here = new Map(cachedImages(cache).map(({ name, release }) => [name, release]));
    const rows = [...fetchable(cache, here)]
      .map(([name, newest]) => ({ name, newest, here: here.get(name) }))
      .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    if (json === true) for (const row of rows) outJson(row);
    else {
      const columns = ["name", "here", "newest"].map((title) => ({ title, align: "left" }) as const);
      const cells = rows.map((row) => [row.name, row.here ?? "–", row.newest ?? "–"].map(cell));
      out(table(columns, cells, WIDTH));
    }
    return STATUS.held;
  });
}

const cell = (text: string): Cell => ({ text });

/** The newest release of each name; of those that are only here, none is known. */
function fetchable(
  cache: string,
  here: ReadonlyMap<string, string>,
): ReadonlyMap<string, string | undefined> {
  const rows = new Map<string, string | undefined>([...here.keys()].map((name) => [name, undefined]));
  try {
    for (const { name, release } of fetchableKernels(cache)) rows.set(name, release);
  } catch (error) {
    if (!(error instanceof InputError) || rows.size === 0) throw error;
    note(`Only what is here: ${error.message}`);
  }
  return rows;
}

/** Downloads the newest kernel of each name, unless it is here. */
export async function fetchGuests(names: readonly string[], { json }: JsonOption): Promise<Status> {
  let status: Status = STATUS.held;
  for (const name of names) {
    const one = await attempt(name, () => {
      const image = fetchImage(guestCache(process.env), name);
      if (json === true) outJson({ name: image.name, release: image.release });
      else out(`${image.name}: ${image.release}\n`);
      return STATUS.held;
    });
    status = worse(status, one);
  }
  return status;
}

export interface BootOptions extends JsonOption {
  readonly accel: Accelerator | "auto";
  readonly loads: number;
}

/** Boots each kernel, loads small programs in it, and says how long that takes. */
export async function bootGuests(names: readonly string[], options: BootOptions): Promise<Status> {
  let status: Status = STATUS.held;
  for (const name of names) {
    status = worse(status, await attempt(name, () => tryGuest(name, options)));
  }
  return status;
}

function tryGuest(name: string, { json, loads, accel }: BootOptions): Status {
  const guest = startGuest(name, { accelerator: accel });
  try {
    const { kernel, bootSeconds } = guest;
    const acceptUs = loadTime(kernel, ACCEPTED, loads);
    const rejectUs = loadTime(kernel, REJECTED, loads);
    const { name: its, release } = kernel;
    if (json === true)
      outJson({ name: its, release, accelerator: guest.accelerator, bootSeconds, acceptUs, rejectUs });
    else {
      const times = `a load ${acceptUs.toFixed(0)} µs, a rejection ${rejectUs.toFixed(0)} µs`;
      out(`${its}: ${release}, up in ${bootSeconds.toFixed(1)} s by ${guest.accelerator}; ${times}\n`);
    }
    return STATUS.held;
  } finally {
    guest.stop();
  }
}

/** `r0 = 0; exit`, and `exit` alone. */
const ACCEPTED = new Uint8Array([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
const REJECTED = new Uint8Array([0x95, 0, 0, 0, 0, 0, 0, 0]);

/** Microseconds for a load, on average, where many are asked for at a time. */
function loadTime(kernel: Kernel, insns: Uint8Array, loads: number): number {
  const programs = Array.from({ length: loads }, () => ({ type: "socket_filter", insns }) as const);
  const start = performance.now();
  tryLoads(programs, { logLevel: 0, kernel });
  return ((performance.now() - start) * 1000) / loads;
}
