/** What descriptors of a process stand for, as attachments want it. */
import type { ProgramType } from "../../semantics/program/program-types.ts";
import { EBADF, EINVAL, ENOENT } from "../../vm/errno.ts";
import type { DescriptorTable } from "../descriptors.ts";
import { ProgramObject, type Registry } from "../objects.ts";
import { typeOf } from "./attach-types.ts";
import { LinkObject } from "./link.ts";

/** A process, as far as its descriptors go. */
export interface Holder {
  readonly descriptors: DescriptorTable;
}

/** Who calls, and where. */
export interface Caller {
  readonly kernel: { readonly objects: Registry };
  readonly process: Holder;
}

/** The program, or a negative error number. @param type  that it has to be of, if of any */
export function programByFd({ descriptors }: Holder, fd: number, type?: ProgramType): ProgramObject | number {
  const target = descriptors.target(fd);
  if (target === undefined) return EBADF;
  if (!(target instanceof ProgramObject)) return EINVAL;
  return type === undefined || typeOf(target) === type ? target : EINVAL;
}

/** The link, or a negative error number. */
export function linkByFd({ descriptors }: Holder, fd: number): LinkObject | number {
  const target = descriptors.target(fd);
  if (target === undefined) return EBADF;
  return target instanceof LinkObject ? target : EINVAL;
}

export function programById({ kernel }: Caller, id: number): ProgramObject | number {
  const object = kernel.objects.find("program", id);
  return object instanceof ProgramObject ? object : ENOENT;
}

export function linkById({ kernel }: Caller, id: number): LinkObject | number {
  const object = kernel.objects.find("link", id);
  return object instanceof LinkObject ? object : ENOENT;
}
