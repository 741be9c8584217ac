/** A program with storage for control groups, attached to one: as long as it is, the map has a value for the group. */
import { SYSCALL_NUMBERS } from "../../src/oracle/linux/abi.ts";
import { call } from "../../src/oracle/linux/calls.ts";
import { type Accepted, loadProgram } from "../../src/oracle/linux/load.ts";
import type { KernelMap } from "../../src/oracle/linux/maps.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { Reference } from "./map-references.ts";

/** `enum bpf_cmd`, and the flag that lets others be attached besides. */
const PROG_ATTACH = 8;
const PROG_DETACH = 9;
const ALLOW_MULTI = 2;
/** BPF_CGROUP_INET_INGRESS. */
const INGRESS = 0;

export class AttachedToGroup {
  readonly #loaded: Accepted;
  readonly #group: number;
  /** Whether there was a group to attach it to. */
  readonly attached: boolean;

  constructor(map: KernelMap, pool: readonly Reference[]) {
    const maps = [map.definition];
    const insns = assemble("r1 = map[m]\nr2 = 0\ncall bpf_get_local_storage\nr0 = 1\nexit", { maps });
    const loaded = loadProgram(
      {
        name: "stored",
        type: "cgroup_skb",
        license: "GPL",
        flags: [],
        insns,
        maps,
        lines: [],
        functions: [],
      },
      { maps: [map] },
    );
    if (loaded.verdict === "reject") throw new Error(loaded.message);
    this.#loaded = loaded;
    this.#group = pool.find(({ referent }) => referent.kind === "cgroup")?.fd ?? -1;
    this.attached = this.#group >= 0 && this.#bpf(PROG_ATTACH) === 0;
  }

  /** The error number, or 0. */
  #bpf(command: number): number {
    const attribute = new Uint8Array(
      Uint32Array.of(this.#group, this.#loaded.fd, INGRESS, ALLOW_MULTI).buffer,
    );
    const given = command === PROG_DETACH ? attribute.fill(0, 12) : attribute;
    const number = SYSCALL_NUMBERS[THIS_MACHINE.arch] ?? 0;
    return call(THIS_MACHINE, number, [command, { bytes: given, back: "nothing" }, given.length]).errno;
  }

  close(): void {
    if (this.attached) this.#bpf(PROG_DETACH);
    this.#loaded.close();
  }
}
