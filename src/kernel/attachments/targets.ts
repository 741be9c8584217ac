/** What programs are attached to, by a descriptor of the process. */
import { EBADF, EINVAL, ENOENT } from "../../vm/errno.ts";
import type { Process } from "../kernel.ts";
import { NetworkNamespace } from "../network.ts";
import { type Cgroup, CgroupFile } from "./cgroup.ts";

/** The cgroup, or a negative error number. */
export function cgroupByFd({ descriptors }: Process, fd: number): Cgroup | number {
  const target = descriptors.target(fd);
  if (!(target instanceof CgroupFile)) return EBADF;
  return target.cgroup.isRemoved ? ENOENT : target.cgroup;
}

/** The network namespace, or a negative error number. */
export function namespaceByFd({ descriptors }: Process, fd: number): NetworkNamespace | number {
  const target = descriptors.target(fd);
  if (target === undefined) return EBADF;
  return target instanceof NetworkNamespace ? target : EINVAL;
}
