/** The running kernel as something that operations are done on: one process, this one; descriptors and ids by numbers as the model gives them. */
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MapKind } from "../../src/kernel/runtime.ts";
import { bpf } from "../../src/oracle/linux/bpf.ts";
import { type Argument, call, type Memory } from "../../src/oracle/linux/calls.ts";
import { word } from "../../src/oracle/linux/maps.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { MAP_TYPES } from "../../src/semantics/program/map-types.ts";
import type { Objects } from "./commands.ts";
import type { Kind } from "./model.ts";

/** unlink(2), mount(2), umount2(2), unshare(2) and dup(2) of x86-64. */
const X64 = { dup: 32, unlink: 87, mount: 165, umount2: 166, unshare: 272 } as const;
const CLONE_NEWNS = 0x2_0000;
const MS_REC_PRIVATE = 0x4_4000;
/** How long Linux may take to free what nothing keeps, in nanoseconds; and between two looks, in milliseconds. */
const LONGEST_NS = 5_000_000_000n;
const PAUSE_MS = 1;

const text = (value: string): Memory => ({ bytes: new TextEncoder().encode(`${value}\0`), back: "nothing" });

/** A descriptor that no process has. */
const NO_DESCRIPTOR = 1_000_000;
const NO_ID = 0x7fff_ffff;
const ERRORS: Readonly<Record<string, number>> = {
  ENOENT: -2,
  E2BIG: -7,
  EBADF: -9,
  EEXIST: -17,
  EINVAL: -22,
};

function system(name: keyof typeof X64, ...values: readonly Argument[]): number {
  const { result, errno } = call(THIS_MACHINE, X64[name], values);
  return errno === 0 ? result : -errno;
}

/** A BPF file system of its own, in a mount namespace of this thread's own, which the thread keeps. */
class FileSystem {
  readonly #place = mkdtempSync(join(tmpdir(), "soundcheck-bpf-"));

  /** @throws Error  where it cannot be had */
  constructor() {
    const steps = [
      system("unshare", CLONE_NEWNS),
      system("mount", text("none"), text("/"), 0, MS_REC_PRIVATE, 0),
      system("mount", text("bpf"), text(this.#place), text("bpf"), 0, 0),
    ];
    const wrong = steps.find((step) => step < 0);
    if (wrong === undefined) return;
    rmdirSync(this.#place);
    throw new Error(`no BPF file system of one's own: error ${-wrong}`);
  }

  path(name: string): Uint8Array {
    return new TextEncoder().encode(`${join(this.#place, name)}\0`);
  }

  close(): void {
    system("umount2", text(this.#place), 0);
    rmdirSync(this.#place);
  }
}

/** Whether the running kernel lets one have what is needed, or why not. */
export function fileSystem(): FileSystem | string {
  if (process.arch !== "x64") return `system calls of ${process.arch}`;
  try {
    return new FileSystem();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const FIRST = 1;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

export class LinuxObjects implements Objects {
  readonly #files: FileSystem;
  /** The kernel's descriptors by ours. */
  readonly #table = new Map<number, number>();
  /** What each of our descriptors stands for. */
  readonly #names = new Map<number, readonly [Kind, number]>();
  /** The kernel's ids, by ours. */
  readonly #ids: Readonly<Record<Kind, number[]>> = { map: [], program: [] };

  constructor(files: FileSystem) {
    this.#files = files;
  }

  #fd(fd: number): number {
    return this.#table.get(fd) ?? NO_DESCRIPTOR;
  }

  /** Our number of a new descriptor, the lowest that is free. */
  #opened(answer: { readonly result: number; readonly errno?: string }): number {
    if (answer.errno !== undefined) return errorOf(answer.errno);
    let fd = 0;
    while (this.#table.has(fd)) fd += 1;
    this.#table.set(fd, answer.result);
    this.#names.set(fd, this.#nameOf(answer.result));
    return fd;
  }

  /** Kind and our id of what a descriptor of the kernel's stands for. */
  #nameOf(descriptor: number): readonly [Kind, number] {
    const info = new Uint8Array(256);
    const { errno } = bpf(THIS_MACHINE, "obj_get_info_by_fd", {
      bpf_fd: descriptor,
      info_len: info.length,
      info,
    });
    if (errno !== undefined) throw new Error(`information of a descriptor: ${errno}`);
    const id = new DataView(info.buffer).getUint32(4, true);
    const link = this.#kindOf(descriptor);
    const ids = this.#ids[link];
    const at = ids.indexOf(id);
    if (at !== -1) return [link, at + 1];
    ids.push(id);
    return [link, ids.length];
  }

  /** A look-up of nothing tells maps from programs. */
  #kindOf(descriptor: number): Kind {
    const { errno } = bpf(THIS_MACHINE, "map_get_next_key", {
      map_fd: descriptor,
      next_key: new Uint8Array(4),
    });
    return errno === "EINVAL" ? "program" : "map";
  }

  alive(kind: Kind, expected: readonly number[]): readonly number[] {
    const end = process.hrtime.bigint() + LONGEST_NS;
    for (;;) {
      const found = this.#ids[kind].flatMap((id, at) => (this.#exists(kind, id) ? [at + 1] : []));
      if (found.join() === expected.join() || process.hrtime.bigint() > end) return found;
      Atomics.wait(PAUSE, 0, 0, PAUSE_MS);
    }
  }

  /** Without opening it: closing an array again would keep it a little longer each time. */
  #exists(kind: Kind, id: number): boolean {
    const command = kind === "map" ? "map_get_next_id" : "prog_get_next_id";
    const answer = bpf(THIS_MACHINE, command, { start_id: id - 1 });
    return answer.errno === undefined && answer.read("next_id") === id;
  }

  processes(): readonly number[] {
    return [FIRST];
  }

  descriptors(): readonly (readonly [number, Kind, number])[] {
    return [...this.#names].map(([fd, [kind, id]]) => [fd, kind, id] as const).sort(([a], [b]) => a - b);
  }

  fork(): number {
    throw new Error("one process alone");
  }

  exit(): number {
    throw new Error("one process alone");
  }

  close(_process: number, fd: number): number {
    const descriptor = this.#table.get(fd);
    if (descriptor === undefined) return errorOf("EBADF");
    this.#table.delete(fd);
    this.#names.delete(fd);
    THIS_MACHINE.close(descriptor);
    return 0;
  }

  dup(_process: number, fd: number): number {
    const result = system("dup", this.#fd(fd));
    return result < 0 ? result : this.#opened({ result });
  }

  mapCreate(_process: number, type: MapKind, maxEntries: number): number {
    const fields = { map_type: MAP_TYPES.indexOf(type), key_size: 4, value_size: 4, max_entries: maxEntries };
    return this.#opened(bpf(THIS_MACHINE, "map_create", fields));
  }

  progLoad(_process: number, maps: readonly number[]): number {
    const insns = new Uint8Array(16 * maps.length + 16);
    const view = new DataView(insns.buffer);
    for (const [at, fd] of maps.entries()) {
      insns.set([0x18, 0x11], 16 * at);
      view.setInt32(16 * at + 4, this.#fd(fd), true);
    }
    insns.set([0xb7], 16 * maps.length);
    insns.set([0x95], 16 * maps.length + 8);
    const license = new TextEncoder().encode("GPL\0");
    const fields = { prog_type: 1, insn_cnt: insns.length / 8, insns, license };
    return this.#opened(bpf(THIS_MACHINE, "prog_load", fields));
  }

  mapUpdate(_process: number, fd: number, index: number, held: number): number {
    const value = word(this.#fd(held));
    const fields = { map_fd: this.#fd(fd), key: word(index), value };
    return done(bpf(THIS_MACHINE, "map_update_elem", fields));
  }

  mapDelete(_process: number, fd: number, index: number): number {
    return done(bpf(THIS_MACHINE, "map_delete_elem", { map_fd: this.#fd(fd), key: word(index) }));
  }

  objPin(_process: number, fd: number, path: string): number {
    return done(bpf(THIS_MACHINE, "obj_pin", { pathname: this.#files.path(path), bpf_fd: this.#fd(fd) }));
  }

  objGet(_process: number, path: string): number {
    return this.#opened(bpf(THIS_MACHINE, "obj_get", { pathname: this.#files.path(path) }));
  }

  unlink(path: string): number {
    return system("unlink", { bytes: this.#files.path(path), back: "nothing" });
  }

  getFdById(_process: number, kind: Kind, id: number): number {
    return this.#opened(bpf(THIS_MACHINE, commandOf(kind), { id: this.#ids[kind][id - 1] ?? NO_ID }));
  }

  /** Gives everything back. */
  end(paths: readonly string[]): void {
    for (const path of paths) this.unlink(path);
    for (const descriptor of this.#table.values()) THIS_MACHINE.close(descriptor);
    this.#table.clear();
  }
}

const commandOf = (kind: Kind): "map_get_fd_by_id" | "prog_get_fd_by_id" =>
  kind === "map" ? "map_get_fd_by_id" : "prog_get_fd_by_id";

function errorOf(errno: string): number {
  const error = ERRORS[errno];
  if (error === undefined) throw new Error(`an error that is not expected: ${errno}`);
  return error;
}

const done = ({ errno }: { readonly errno?: string }): number => (errno === undefined ? 0 : errorOf(errno));
