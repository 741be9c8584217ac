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

/** What may be done by an open file: read, written, both. */
export const READ = 1;
export const WRITE = 2;
export const READ_WRITE = READ | WRITE;

/** An open file description: descriptors of several processes may refer to it, and messages in flight. It is closed with the last of them. */
export class OpenFile {
  readonly target: Target;
  /** Bits of `READ` and `WRITE`. */
  readonly access: number;
  #references = 0;

  constructor(target: Target, access = READ_WRITE) {
    this.target = target;
    this.access = access;
    target.holdUser();
  }

  get references(): number {
    return this.#references;
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

/** A descriptor. */
interface Descriptor {
  readonly file: OpenFile;
  /** Whether execve(2) closes it. Those that bpf(2) gives are closed so. */
  readonly closeOnExec: boolean;
}

/** The descriptors of a process. */
export class DescriptorTable {
  readonly #entries = new Map<number, Descriptor>();

  /** The open file of a descriptor, whatever it is of. */
  get(fd: number): OpenFile | undefined {
    return this.#entries.get(fd)?.file;
  }

  /** The open file of a descriptor for calls that do something with it: a mere place in a file system (`O_PATH`) is none. */
  file(fd: number): OpenFile | undefined {
    const file = this.get(fd);
    return file?.target.kind === PLACE ? undefined : file;
  }

  /** What that file is of. */
  target(fd: number): Target | undefined {
    return this.file(fd)?.target;
  }

  closesOnExec(fd: number): boolean {
    return this.#entries.get(fd)?.closeOnExec ?? false;
  }

  /**
   * A new open file's descriptor, or another one of a file that is open: the lowest that is free.
   * @param least  the lowest that it may be
   */
  open(of: Target | OpenFile, closeOnExec = true, least = 0): number {
    const file = of instanceof OpenFile ? of : new OpenFile(of);
    let fd = least;
    while (this.#entries.has(fd)) fd += 1;
    this.#entries.set(fd, { file: file.hold(), closeOnExec });
    return fd;
  }

  /** Has a descriptor stand for a file; what it stood for before is closed. */
  replace(fd: number, file: OpenFile, closeOnExec: boolean): void {
    const before = this.get(fd);
    this.#entries.set(fd, { file: file.hold(), closeOnExec });
    before?.put();
  }

  setCloseOnExec(fd: number, closeOnExec: boolean): void {
    const file = this.get(fd);
    if (file !== undefined) this.#entries.set(fd, { file, closeOnExec });
  }

  close(fd: number): number {
    const file = this.get(fd);
    if (file === undefined) return EBADF;
    this.#entries.delete(fd);
    file.put();
    return 0;
  }

  /** The same descriptors of the same open files, for a process of its own. */
  copy(): DescriptorTable {
    const copy = new DescriptorTable();
    for (const [fd, { file, closeOnExec }] of this.#entries)
      copy.#entries.set(fd, { file: file.hold(), closeOnExec });
    return copy;
  }

  closeAll(): void {
    for (const fd of this.#numbers()) this.close(fd);
  }

  /** What execve(2) does. */
  closeOnExec(): void {
    for (const fd of this.#numbers()) if (this.closesOnExec(fd)) this.close(fd);
  }

  #numbers(): readonly number[] {
    return [...this.#entries.keys()].sort((a, b) => a - b);
  }

  list(): readonly OpenDescriptor[] {
    return this.#numbers().flatMap((fd) => {
      const target = this.get(fd)?.target;
      return target === undefined ? [] : [{ fd, kind: target.kind, id: target.id }];
    });
  }

  numbered(): readonly { readonly fd: number; readonly file: OpenFile }[] {
    return [...this.#entries].map(([fd, { file }]) => ({ fd, file }));
  }

  files(): readonly OpenFile[] {
    return [...this.#entries.values()].map(({ file }) => file);
  }
}

/** The kind of what `O_PATH` opens. */
export const PLACE = "place";
