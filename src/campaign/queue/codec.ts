/**
 * Jobs and their answers as the values of a queue, which keeps JSON: maps, sets, bytes and integers beyond JSON's go as objects of one key that begins with `#`.
 */

const entryOf = (value: object): readonly [string, unknown] | undefined => {
  const entries = Object.entries(value);
  return entries.length === 1 ? entries[0] : undefined;
};

/** The value as JSON has it. Objects are plain: their keys do not begin with `#`. */
export function toJson(value: unknown): unknown {
  if (typeof value === "bigint") return { "#int": `${value}` };
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map) return { "#map": [...value].map(toJson) };
  if (value instanceof Set) return { "#set": [...value].map(toJson) };
  if (value instanceof Uint8Array) return { "#bytes": Buffer.from(value).toString("hex") };
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, toJson(each)]])),
  );
}

/** What `toJson` was given. */
export function fromJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(fromJson);
  const [key, inner] = entryOf(value) ?? [];
  if (key === "#int") return BigInt(String(inner));
  if (key === "#bytes") return Uint8Array.from(Buffer.from(String(inner), "hex"));
  if (key === "#set" && Array.isArray(inner)) return new Set(inner.map(fromJson));
  if (key === "#map" && Array.isArray(inner)) return new Map(inner.map(pair));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, fromJson(each)]));
}

function pair(entry: unknown): readonly [unknown, unknown] {
  if (!Array.isArray(entry) || entry.length !== 2) throw new Error("an entry of a map has two parts");
  return [fromJson(entry[0]), fromJson(entry[1])];
}
