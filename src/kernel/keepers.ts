/** Who keeps what: the references that there are, told by names. Instruments draw them and follow them; the runtime itself goes by its counts. */
import { attachedPrograms, filesOfObjects } from "./attachments/references.ts";
import type { OpenFile } from "./descriptors.ts";
import { OpenPlace } from "./files/open-place.ts";
import { allPins } from "./files/pins.ts";
import type { Kernel } from "./kernel.ts";
import { KernelObject } from "./objects.ts";
import { OBJECT_KINDS } from "./system.ts";
import { UnixSocket } from "./unix-socket.ts";

/** A thing that is kept by another. */
export interface Keeping {
  /** `process 1`, `/a`, `socket 2`, `program 3`, `an attachment`. */
  readonly keeper: string;
  readonly kept: string;
  /** `fd 3`, `pin`, `uses`, `message`. */
  readonly how: string;
  /** Whether the keeper is one that nothing has to keep. */
  readonly root: boolean;
}

class Names {
  readonly #sockets = new Map<UnixSocket, number>();

  of(file: OpenFile): string | undefined {
    const { target } = file;
    if (target instanceof KernelObject) return `${target.kind} ${target.id}`;
    if (target instanceof UnixSocket) return this.ofSocket(target);
    if (!(target instanceof OpenPlace)) return target.kind;
    const object = target.place.entry.inode.pinned;
    return object === undefined ? undefined : `${object.kind} ${object.id}`;
  }

  ofSocket(socket: UnixSocket): string {
    const number = this.#sockets.get(socket) ?? this.#sockets.size + 1;
    this.#sockets.set(socket, number);
    return `socket ${number}`;
  }
}

/** Every reference that keeps something, each once. */
export function keepers(kernel: Kernel): readonly Keeping[] {
  const names = new Names();
  const found: Keeping[] = [];
  const files = new Set<OpenFile>();
  const add = (keeper: string, kept: string | undefined, how: string, root: boolean): void => {
    if (kept !== undefined) found.push({ keeper, kept, how, root });
  };
  for (const [number, { descriptors }] of kernel.processes) {
    for (const { fd, file } of descriptors.numbered()) {
      files.add(file);
      add(`process ${number}`, names.of(file), `fd ${fd}`, true);
    }
  }
  for (const { process, path, kind, id } of allPins(kernel)) {
    add(process === undefined ? path : `${path} of process ${process}`, `${kind} ${id}`, "pin", true);
  }
  for (const socket of kernel.sockets) {
    for (const file of socket.messages.flat()) {
      files.add(file);
      add(names.ofSocket(socket), names.of(file), "message", false);
    }
  }
  const objects = OBJECT_KINDS.flatMap((kind) =>
    kernel.objects.alive(kind).flatMap((id) => kernel.objects.find(kind, id) ?? []),
  );
  for (const object of objects) {
    for (const held of object.holds()) {
      add(
        `${object.kind} ${object.id}`,
        `${held.kind} ${held.id}`,
        object.kind === "program" ? "uses" : "holds",
        false,
      );
    }
    for (const file of filesOfObjects([object]))
      add(`${object.kind} ${object.id}`, names.of(file), "holds", false);
  }
  const targets = [...files].map(({ target }) => target);
  for (const { id } of attachedPrograms(kernel, targets, objects))
    add("an attachment", `program ${id}`, "runs", true);
  return found;
}

/** The shortest chain from a root to a thing: nothing if none leads there. */
export function chainTo(keepings: readonly Keeping[], thing: string): readonly Keeping[] | undefined {
  const ways = new Map<string, readonly Keeping[]>();
  const next = keepings.filter(({ root }) => root).map((first) => [first]);
  for (const way of next) {
    const { kept } = way.at(-1) ?? { kept: "" };
    if (ways.has(kept)) continue;
    ways.set(kept, way);
    if (kept === thing) return way;
    next.push(...keepings.filter(({ keeper }) => keeper === kept).map((step) => [...way, step]));
  }
  return undefined;
}
