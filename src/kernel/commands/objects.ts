/** Commands that every kind of object has: pins, ids. */
import { EFAULT, EINVAL, ENOENT } from "../../vm/errno.ts";
import { READ_WRITE } from "../descriptors.ts";
import { pin, pinned } from "../files/pins.ts";
import type { Kernel, Process } from "../kernel.ts";
import { KernelObject } from "../objects.ts";
import type { ObjectKind } from "../system.ts";
import type { Attributes } from "./attributes.ts";

export function objPin(process: Process, attr: Attributes): number {
  const target = process.descriptors.target(attr.s32("bpf_fd"));
  if (!(target instanceof KernelObject)) return EINVAL;
  const path = attr.text("pathname");
  return path === undefined ? EFAULT : pin(process, path, target);
}

export function objGet(process: Process, attr: Attributes): number {
  const path = attr.text("pathname");
  if (path === undefined) return EFAULT;
  const object = pinned(process, path, READ_WRITE);
  return typeof object === "number" ? object : process.descriptors.open(object);
}

/** BPF_MAP_GET_FD_BY_ID and its like. */
export function getFdById(kernel: Kernel, { descriptors }: Process, kind: ObjectKind, id: number): number {
  const object = kernel.objects.find(kind, id);
  return object === undefined ? ENOENT : descriptors.open(object);
}
