/** Why an abstract execution stops short: the one kind of exception inside the abstract machine, caught by whoever drives it. */

/** The kernel's error numbers that a rejection can carry. */
export type Errno =
  | "EACCES"
  | "EINVAL"
  | "EPERM"
  | "E2BIG"
  | "EFAULT"
  | "EBUSY"
  | "ERANGE"
  | "EEXIST"
  | "ENOENT"
  | "ENOTSUPP"
  | "ESRCH"
  | "EPROTO"
  | "EOPNOTSUPP";

/** An instruction that is not safe in the state it is reached with. The message is the kernel's, wherever the kernel has one. */
export class Rejection extends Error {
  override readonly name = "Rejection";
  readonly errno: Errno;
  /** The lines of the log, the last of which says what is wrong; without the final newline. */
  constructor(errno: Errno, message: string) {
    super(message);
    this.errno = errno;
  }
}

export function reject(errno: Errno, message: string): never {
  throw new Rejection(errno, message);
}
