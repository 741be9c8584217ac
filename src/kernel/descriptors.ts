/** Descriptors, and the open file descriptions that they refer to. */
import { EBADF } from "../vm/errno.ts";
import type { OpenDescriptor } from "./system.ts";

/** What an open file is of. */
export interface Target {
  readonly kind: string;
  /** 0 for what has no id. */
  readonly id: number;
  /** The open file's reference. */
  readonly holdUser: () => void;
  readonly putUser: () => void;
}

/** An open file description: descriptors of several processes may refer to it, and messages in flight. It is closed with the last of them. */
export class OpenFile {
  readonly target: Target;
  #references = 0;

  constructor(target: Target) {
    this.target = target;
    target.holdUser();
  }

  hold(): this {
    this.#references += 1;
    return this;
  }

  put(): void {
    this.#references -= 1;
    if (this.#references === 0) this.target.putUser();
  }
}

/** The descriptors of a process. */
export class DescriptorTable {
  readonly #files = new Map<number, OpenFile>();

  get(fd: number): OpenFile | undefined {
    return this.#files.get(fd);
  }

  /** What the descriptor is of. */
  target(fd: number): Target | undefined {
    return this.#files.get(fd)?.target;
  }

  /** A new open file's descriptor, or another one of a file that is open: the lowest that is free. */
  open(of: Target | OpenFile): number {
    const file = of instanceof OpenFile ? of : new OpenFile(of);
    let fd = 0;
    while (this.#files.has(fd)) fd += 1;
    this.#files.set(fd, file.hold());
    return fd;
  }

  close(fd: number): number {
    const file = this.#files.get(fd);
    if (file === undefined) return EBADF;
    this.#files.delete(fd);
    file.put();
    return 0;
  }

  /** The same descriptors of the same open files, for a process of its own. */
  copy(): DescriptorTable {
    const copy = new DescriptorTable();
    for (const [fd, file] of this.#files) copy.#files.set(fd, file.hold());
    return copy;
  }

  closeAll(): void {
    for (const fd of [...this.#files.keys()].sort((a, b) => a - b)) this.close(fd);
  }

  list(): readonly OpenDescriptor[] {
    return [...this.#files]
      .map(([fd, { target }]) => ({ fd, kind: target.kind, id: target.id }))
      .sort((a, b) => a.fd - b.fd);
  }
}
