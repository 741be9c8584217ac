/** System calls of x86-64 by number, and structures that they take: those by which a guest is set up and looked into. */

/** Source: the kernel's table arch/x86/entry/syscalls/syscall_64.tbl. */
export const X86_64 = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  ioctl: 16,
  socket: 41,
  uname: 63,
  mkdir: 83,
  setrlimit: 160,
  mount: 165,
} as const;

/** A text as the kernel takes it, with a NUL at its end. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}
