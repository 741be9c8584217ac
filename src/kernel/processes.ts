/** Processes: they come by fork and keep what their descriptors stand for until they end. */
import { EBADF } from "../vm/errno.ts";
import type { Kernel, Process } from "./kernel.ts";

export function fork(kernel: Kernel, { descriptors }: Process): number {
  return kernel.addProcess(descriptors.copy()).number;
}

export function exit(kernel: Kernel, { number, descriptors }: Process): number {
  kernel.processes.delete(number);
  descriptors.closeAll();
  return 0;
}

export function dup({ descriptors }: Process, fd: number): number {
  const file = descriptors.get(fd);
  return file === undefined ? EBADF : descriptors.open(file);
}
