/** What kernels are called on the command line. */

/** The running kernel's name. */
export const RUNNING = "linux";
/** What guests are called. */
const GUEST = /^(linux-\d+\.\d+(\.\d[\w.-]*)?|newest)$/;

/** Whether a guest can be asked for by this name. */
export const isGuestName = (name: string): boolean => GUEST.test(name);
