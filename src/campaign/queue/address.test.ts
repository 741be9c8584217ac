/** URLs of queues: what they are read as, and that no password is shown. */
import { expect, test } from "vitest";
import { queueAddress } from "./address.ts";

test.each([
  ["redis://localhost", "redis"],
  ["redis://10.0.0.1:7000/3", "redis"],
  ["rediss://queue.example:6380", "redis"],
  ["postgres://me@db.example/soundcheck", "postgres"],
  ["postgresql://[::1]:5433/x", "postgres"],
])("%s", (url, kind) => {
  expect(queueAddress(url)).toEqual({ kind, url, shown: url });
});

test("a password is not shown", () => {
  expect(queueAddress("redis://me:secret@host:6379/1").shown).toBe("redis://me:…@host:6379/1");
});

test.each(["", "localhost", "localhost:6379", "redis:///1", "redis://"])("%s is none", (text) => {
  expect(() => queueAddress(text)).toThrow("is no URL of a server, such as redis://localhost:6379");
});

test("servers of other kinds are not supported, by name", () => {
  expect(() => queueAddress("amqp://host")).toThrow("queue amqp (redis, rediss and postgres are)");
});
