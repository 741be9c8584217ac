/**
 * Claim: a program that runs outlives its last descriptor, and so do its maps: Linux's run keeps them. Operations of a trace are done one after the other and cannot show it. Skipped with the
 * reason where bpf(2) cannot be used.
 */
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { bpf } from "../../src/oracle/linux/bpf.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const [ARRAY, SOCKET_FILTER] = [2, 1];
/** Of `struct bpf_prog_info` and `struct bpf_map_info`: where the id is. */
const ID = 4;

function made(
  command: "map_create" | "prog_load",
  values: Parameters<typeof bpf<"map_create" | "prog_load">>[2],
) {
  const { result, errno } = bpf(THIS_MACHINE, command, values);
  if (errno !== undefined) throw new Error(`${command}: ${errno}`);
  return result;
}

/** `r0 = 0; exit` after the load of a map. */
function instructions(map: number): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set([0x18, 0x11]);
  new DataView(bytes.buffer).setInt32(4, map, true);
  bytes.set([0xb7], 16);
  bytes.set([0x95], 24);
  return bytes;
}

function idOf(fd: number): number {
  const info = new Uint8Array(16);
  const { errno } = bpf(THIS_MACHINE, "obj_get_info_by_fd", { bpf_fd: fd, info_len: info.length, info });
  if (errno !== undefined) throw new Error(`information: ${errno}`);
  return new DataView(info.buffer).getUint32(ID, true);
}

/** Whether there is such an object: what is opened for that is closed at once. */
function isThere(command: "map_get_fd_by_id" | "prog_get_fd_by_id", id: number): boolean {
  const { result, errno } = bpf(THIS_MACHINE, command, { id });
  if (errno === undefined) THIS_MACHINE.close(result);
  return errno === undefined;
}

/** Threads have no loader for types of their own. */
const THREAD =
  'import("tsx/esm/api").then(({ tsImport }) => tsImport(require("node:worker_threads").workerData.file, __filename));';

/** What there is of a program and its map while it runs, all descriptors closed, and afterwards. */
async function observed(repeat: number) {
  const map = made("map_create", { map_type: ARRAY, key_size: 4, value_size: 4, max_entries: 1 });
  const program = made("prog_load", {
    prog_type: SOCKET_FILTER,
    insn_cnt: 4,
    insns: instructions(map),
    license: new TextEncoder().encode("GPL\0"),
  });
  const [mapId, programId] = [idOf(map), idOf(program)];
  const there = (): readonly boolean[] => [
    isThere("prog_get_fd_by_id", programId),
    isThere("map_get_fd_by_id", mapId),
  ];
  const file = new URL("long-run.ts", import.meta.url).href;
  const worker = new Worker(THREAD, { eval: true, workerData: { file, fd: program, repeat } });
  await once(worker, "message");
  await pause(50);
  THIS_MACHINE.close(program);
  THIS_MACHINE.close(map);
  const during = there();
  const closed = process.hrtime.bigint();
  const [took]: readonly unknown[] = await once(worker, "message");
  const waited = Number((process.hrtime.bigint() - closed) / 1_000_000n);
  await worker.terminate();
  // Maps go a little later than the last program that used them.
  for (let tries = 0; tries < 100 && there().includes(true); tries += 1) await pause(20);
  return { took, waited, during, after: there() };
}

it.skipIf(!kernel.ok)(
  "a program and its map are there until the run ends, whoever closes them",
  async () => {
    // How fast the machine is, is not known: as often as it takes to be seen running.
    for (let repeat = 1 << 22; ; repeat *= 4) {
      const { took, waited, during, after } = await observed(repeat);
      expect(took).toBeTypeOf("number");
      expect(after).toEqual([false, false]);
      if (waited < 50 && repeat < 1 << 30) continue;
      expect(during).toEqual([true, true]);
      return;
    }
  },
  60_000,
);
