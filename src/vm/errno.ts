/** Error numbers that helpers and map operations return, negated as the kernel returns them (asm-generic/errno-base.h, errno.h). */
export const EPERM = -1;
export const ENOENT = -2;
export const ESRCH = -3;
export const E2BIG = -7;
export const EBADF = -9;
export const EAGAIN = -11;
export const ENOMEM = -12;
export const EACCES = -13;
export const EFAULT = -14;
export const EBUSY = -16;
export const EEXIST = -17;
export const ENODEV = -19;
export const EINVAL = -22;
export const ENOSPC = -28;
export const ERANGE = -34;
export const EDEADLK = -35;
export const ENODATA = -61;
export const EPROTO = -71;
export const EBADMSG = -74;
export const EOVERFLOW = -75;
export const ENOTSOCK = -88;
export const EOPNOTSUPP = -95;
export const EAFNOSUPPORT = -97;
export const EALREADY = -114;
/** Exists inside the kernel only, and bpf(2) lets it out. */
export const ENOTSUPP = -524;
