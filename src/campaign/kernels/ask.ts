/** Programs in a kernel, many at a time: they are loaded in lists of calls with their logs, run, and closed, each in a list of its own. */

import { needsTarget } from "../../object/attach-target.ts";
import { prepare } from "../../oracle/linux/bpf.ts";
import { type BtfRecords, loadBtf, recordsIn } from "../../oracle/linux/btf-records.ts";
import type { Kernel, SystemCall } from "../../oracle/linux/calls.ts";
import { KernelError } from "../../oracle/linux/errno.ts";
import { withKernelIds } from "../../oracle/linux/kernel-ids.ts";
import { createMaps, logText, prepareLoad, processedOf, refused } from "../../oracle/linux/load.ts";
import { type KernelMap, word } from "../../oracle/linux/maps.ts";
import { THIS_MACHINE } from "../../oracle/linux/this-machine.ts";
import { Unsupported } from "../../semantics/errors.ts";
import { encode } from "../../semantics/isa/codec.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import type { Program } from "../../semantics/program/program.ts";
import { hazardOf } from "./hazard.ts";

/** What a kernel's verifier said. */
export type Asked =
  | { readonly verdict: "accept"; readonly fd: number; readonly log: string; readonly processed?: number }
  | {
      readonly verdict: "reject";
      readonly errno: string;
      readonly message: string;
      readonly processed?: number;
    }
  /** The log was longer than there was room for, which says nothing of the program. */
  | { readonly verdict: "long" }
  /** The kernel was not asked: it might not survive it, or does not have what the program is loaded with. */
  | { readonly verdict: "withheld"; readonly reason: string };

/** Bytes of log for each program. */
const LOG_SIZE = 1 << 19;
/** Programs in a list of calls. */
const LIST = 48;

/** What a kernel did with a packet. */
export type Ran =
  | {
      readonly ran: true;
      readonly retval: number;
      readonly packet: Uint8Array;
      readonly value: Uint8Array | undefined;
    }
  | { readonly ran: false; readonly errno: string };

export interface RunRequest {
  readonly fd: number;
  readonly program: Program;
  readonly packet: Uint8Array;
  /** What the first map's only value is before the run. */
  readonly value?: Uint8Array;
}

const X64_CLOSE = 3;
/** Maps that are kept for the next programs at most: a guest has a limited number of descriptors. */
const MOST_MAPS = 128;

/** What a program cannot be loaded with here, for its reason. */
class Lacking extends Error {
  override readonly name = "Lacking";
}

/** A kernel with the maps and types that programs share. */
export class Asking {
  readonly kernel: Kernel;
  readonly #maps = new Map<readonly MapDefinition[], readonly KernelMap[]>();
  readonly #types = new Map<Uint8Array, number>();

  /** @param kernel  on x86-64 */
  constructor(kernel: Kernel) {
    if (kernel.arch !== "x64") throw new Error(`programs are not asked about on ${kernel.arch}`);
    this.kernel = kernel;
  }

  /** @throws Lacking  for maps that the kernel does not create */
  #mapsOf(program: Program): readonly KernelMap[] {
    const { maps: definitions, btf } = program;
    let maps = this.#maps.get(definitions);
    if (maps === undefined) {
      const opened: KernelMap[] = [];
      try {
        maps = createMaps(this.kernel, program, btf === undefined ? undefined : this.#typesOf(btf), opened);
      } catch (error) {
        for (const map of opened) map.close();
        if (error instanceof KernelError || error instanceof Unsupported) throw new Lacking(error.message);
        throw error;
      }
      this.#maps.set(definitions, maps);
    }
    return maps;
  }

  #btfOf(program: Program): BtfRecords | undefined {
    const { btf } = program;
    return btf === undefined ? undefined : recordsIn(this.kernel, this.#typesOf(btf), program);
  }

  /** @throws Lacking  for types that the kernel does not take */
  #typesOf(btf: Uint8Array): number {
    let fd = this.#types.get(btf);
    if (fd === undefined) {
      try {
        fd = loadBtf(this.kernel, btf);
      } catch (error) {
        if (error instanceof KernelError) throw new Lacking(error.message);
        throw error;
      }
      this.#types.set(btf, fd);
    }
    return fd;
  }

  /** Closes maps and types if there are many: programs that are loaded next have theirs made again. */
  #tidy(): void {
    let count = this.#types.size;
    for (const maps of this.#maps.values()) count += maps.length;
    if (count > MOST_MAPS) this.end();
  }

  /**
   * Loads programs with their logs at level 2, the running kernel none that it might not survive (`hazard.ts`); those that are accepted are the caller's to close. Programs with the same list of maps share them.
   * @throws GuestFailure if the kernel does not survive it
   */
  load(programs: readonly Program[]): readonly Asked[] {
    // Last of all, whatever drew them: a guest can be booted again.
    const hazards = programs.map((program) =>
      this.kernel.name === THIS_MACHINE.name ? hazardOf(program) : undefined,
    );
    this.#tidy();
    const harmless = programs.filter((_, index) => hazards[index] === undefined);
    const asked: Asked[] = [];
    for (let from = 0; from < harmless.length; from += LIST)
      asked.push(...this.#loadList(harmless.slice(from, from + LIST)));
    const answers = asked.values();
    return hazards.map((reason): Asked => {
      if (reason !== undefined) return { verdict: "withheld", reason };
      const { value } = answers.next();
      if (value === undefined) throw new Error(`${this.kernel.name} left out an answer`);
      return value;
    });
  }

  #loadList(programs: readonly Program[]): readonly Asked[] {
    const loads = programs.map((program) => this.#prepare(program, new Uint8Array(LOG_SIZE)));
    const calls = loads.flatMap((load) => ("reason" in load ? [] : [load.prepared.call]));
    const outcomes = (calls.length === 0 ? [] : this.kernel.calls(calls)).values();
    return loads.map((load): Asked => {
      if ("reason" in load) return { verdict: "withheld", reason: load.reason };
      const { value: outcome } = outcomes.next();
      if (outcome === undefined) throw new Error(`${this.kernel.name} left out an answer`);
      const { errno, result } = load.prepared.answer(outcome);
      if (errno === "ENOSPC") return { verdict: "long" };
      const log = logText(load.log);
      if (errno === undefined) return { verdict: "accept", fd: result, log, ...processedOf(log) };
      const { message, processed } = refused(errno, log);
      return { verdict: "reject", errno, message, ...(processed === undefined ? {} : { processed }) };
    });
  }

  #prepare(
    program: Program,
    log: Uint8Array,
  ):
    | { readonly prepared: ReturnType<typeof prepareLoad>; readonly log: Uint8Array }
    | { readonly reason: string } {
    const { name, type, attach, license, flags } = program;
    if (needsTarget(type)) return { reason: `a program of the type ${type} attaches to something` };
    try {
      const btf = this.#btfOf(program);
      const raw = {
        name,
        type,
        license,
        flags,
        maps: this.#mapsOf(program),
        insns: encode(withKernelIds(program, this.kernel)),
        ...(attach === undefined ? {} : { attach }),
        ...(btf === undefined ? {} : { btf }),
      };
      return { prepared: prepareLoad(this.kernel, raw, 2, log), log };
    } catch (error) {
      if (error instanceof Lacking) return { reason: error.message };
      throw error;
    }
  }

  /** Runs programs, one after the other. */
  run(requests: readonly RunRequest[]): readonly Ran[] {
    const calls: SystemCall[] = [];
    const readers: (() => Ran)[] = [];
    let outcomes: ReturnType<Kernel["calls"]> = [];
    for (const { fd, program, packet, value } of requests) {
      const map = value === undefined ? undefined : this.#mapsOf(program)[0];
      if (map !== undefined && value !== undefined) {
        calls.push(prepare(this.kernel, "map_update_elem", { map_fd: map.fd, key: word(0), value }).call);
      }
      const out = new Uint8Array(packet.length);
      const run = prepare(this.kernel, "prog_test_run", {
        prog_fd: fd,
        data_in: packet,
        data_size_in: packet.length,
        data_out: out,
        data_size_out: out.length,
      });
      const at = calls.push(run.call) - 1;
      const after = map === undefined ? undefined : new Uint8Array(map.transferSize);
      if (map !== undefined && after !== undefined) {
        calls.push(
          prepare(this.kernel, "map_lookup_elem", { map_fd: map.fd, key: word(0), value: after }).call,
        );
      }
      readers.push(() => {
        const outcome = outcomes[at];
        if (outcome === undefined) throw new Error(`${this.kernel.name} left out an answer`);
        const answer = run.answer(outcome);
        if (answer.errno !== undefined) return { ran: false, errno: answer.errno };
        return { ran: true, retval: answer.read("retval"), packet: out, value: after };
      });
    }
    outcomes = calls.length === 0 ? [] : this.kernel.calls(calls);
    return readers.map((read) => read());
  }

  close(descriptors: readonly number[]): void {
    if (descriptors.length === 0) return;
    this.kernel.calls(descriptors.map((fd) => ({ number: X64_CLOSE, arguments: [fd] })));
  }

  /** Closes the maps and types. */
  end(): void {
    this.close([...[...this.#maps.values()].flat().map(({ fd }) => fd), ...this.#types.values()]);
    this.#maps.clear();
    this.#types.clear();
  }
}
