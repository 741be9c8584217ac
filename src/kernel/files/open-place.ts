/** Places that are held open (`O_PATH`): each keeps its mount, and its file even without a name. */

import { EBADF } from "../../vm/errno.ts";
import { PLACE, type Target } from "../descriptors.ts";
import type { Process } from "../kernel.ts";
import type { Place } from "./mounts.ts";

export const ENOTDIR = -20;

export class OpenPlace implements Target {
  readonly kind = PLACE;
  readonly id = 0;
  readonly place: Place;

  constructor(place: Place) {
    this.place = place;
  }

  holdUser(): void {
    this.place.mount.holdPlace();
    this.place.entry.inode.hold();
  }

  putUser(): void {
    this.place.entry.inode.put();
    this.place.mount.putPlace();
  }
}

/** Where paths from a descriptor begin, or a negative error number. */
export function placeOf({ descriptors }: Process, fd: number): Place | number {
  const target = descriptors.get(fd)?.target;
  if (target === undefined) return EBADF;
  return target instanceof OpenPlace ? target.place : ENOTDIR;
}
