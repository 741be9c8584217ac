/** Addresses as people write them, in files. */
import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";

function ipv6Bytes(text: string): Uint8Array {
  const [head = "", tail] = text.split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").flatMap((group) => groupBytes(group));
  const front = groups(head);
  const back = groups(tail ?? "");
  const bytes = new Uint8Array(16);
  bytes.set(front);
  bytes.set(back, 16 - back.length);
  return bytes;
}

/** Two bytes, or the four of an IPv4 address at the end. */
function groupBytes(group: string): number[] {
  if (group.includes(".")) return group.split(".").map(Number);
  const value = parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

function ipBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split(".").map(Number));
  return isIPv6(text) && !text.includes("%") ? ipv6Bytes(text) : undefined;
}

/** `10.0.0.1` or `2001:db8::1`: 4 or 16 bytes in network order. */
export const ipAddress = z.string().transform((text, context): Uint8Array => {
  const bytes = ipBytes(text);
  if (bytes !== undefined) return bytes;
  context.addIssue(`${JSON.stringify(text)} is no IP address`);
  return z.NEVER;
});

/** `10.0.0.0/8`. */
export const ipPrefix = z
  .string()
  .transform((text, context): { readonly destination: Uint8Array; readonly prefix: number } => {
    const [, address = "", length = ""] = /^([^/]+)\/(\d+)$/.exec(text) ?? [];
    const destination = ipBytes(address);
    if (destination !== undefined && Number(length) <= 8 * destination.length) {
      return { destination, prefix: Number(length) };
    }
    context.addIssue(`${JSON.stringify(text)} is not written like 10.0.0.0/8`);
    return z.NEVER;
  });

/** `02:00:00:00:00:01`: 6 bytes. */
export const linkAddress = z.string().transform((text, context): Uint8Array => {
  if (/^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/.test(text)) {
    return new Uint8Array(Buffer.from(text.replaceAll(":", ""), "hex"));
  }
  context.addIssue("an address is written 02:00:00:00:00:01");
  return z.NEVER;
});
