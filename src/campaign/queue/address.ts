/** Where a queue is: a server's URL, looked at before anything is loaded or connected. */
import { InputError, Unsupported } from "../../semantics/errors.ts";

export interface QueueAddress {
  readonly kind: "redis" | "postgres";
  readonly url: string;
  /** The URL as people may see it: without its password. */
  readonly shown: string;
}

const KINDS: ReadonlyMap<string, QueueAddress["kind"]> = new Map([
  ["redis:", "redis"],
  ["rediss:", "redis"],
  ["postgres:", "postgres"],
  ["postgresql:", "postgres"],
]);

/**
 * @throws InputError where the text is no URL with a host
 * @throws Unsupported where it is one of another kind of server
 */
export function queueAddress(text: string): QueueAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === "") {
    throw new InputError(`--queue ${text}: is no URL of a server, such as redis://localhost:6379`);
  }
  const kind = KINDS.get(url.protocol);
  if (kind === undefined) {
    throw new Unsupported(`queue ${url.protocol.slice(0, -1)} (redis, rediss and postgres are)`);
  }
  if (url.password !== "") url.password = "…";
  return { kind, url: text, shown: decodeURI(url.href) };
}
