/** Guests by name. */
import { bootGuest, type Guest, type GuestOptions } from "./guest.ts";
import { findImage, guestCache } from "./image.ts";

/**
 * Boots the guest of a name (`linux-6.1`, `newest`), from the cache or after a download. It ends when it is stopped, or with this process.
 * @throws InputError if it cannot be had; `GuestFailure` if it does not come up
 */
export function startGuest(name: string, options: Omit<GuestOptions, "cache"> = {}): Guest {
  const cache = guestCache(process.env);
  const image = findImage(cache, name);
  return bootGuest(image, process.env["PATH"] ?? "", { cache, ...options });
}
