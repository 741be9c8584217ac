/** Error numbers that helpers and map operations return, negated as the kernel returns them (asm-generic/errno-base.h, errno.h). */
export const EPERM = -1;
export const ENOENT = -2;
export const E2BIG = -7;
export const EBADF = -9;
export const EAGAIN = -11;
export const ENOMEM = -12;
export const EACCES = -13;
export const EFAULT = -14;
export const EEXIST = -17;
export const EINVAL = -22;
export const ENOSPC = -28;
export const ERANGE = -34;
export const EOPNOTSUPP = -95;
export const EALREADY = -114;
/** Exists inside the kernel only, and bpf(2) lets it out. */
export const ENOTSUPP = -524;
