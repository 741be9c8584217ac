/** Commands that every kind of object has: pins, ids. */
import { EFAULT, EINVAL, ENOENT } from "../../vm/errno.ts";
import type { Kernel, Process } from "../kernel.ts";
import { KernelObject } from "../objects.ts";
import type { ObjectKind } from "../system.ts";
import type { Attributes } from "./attributes.ts";

export function objPin(kernel: Kernel, { descriptors }: Process, attr: Attributes): number {
  const target = descriptors.target(attr.s32("bpf_fd"));
  if (!(target instanceof KernelObject)) return EINVAL;
  const path = attr.text("pathname");
  return path === undefined ? EFAULT : kernel.pins.add(path, target);
}

export function objGet(kernel: Kernel, { descriptors }: Process, attr: Attributes): number {
  const path = attr.text("pathname");
  if (path === undefined) return EFAULT;
  const object = kernel.pins.get(path);
  return object === undefined ? ENOENT : descriptors.open(object);
}

/** BPF_MAP_GET_FD_BY_ID and its like. */
export function getFdById(kernel: Kernel, { descriptors }: Process, kind: ObjectKind, id: number): number {
  const object = kernel.objects.find(kind, id);
  return object === undefined ? ENOENT : descriptors.open(object);
}
