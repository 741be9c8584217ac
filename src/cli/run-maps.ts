/** What is in a machine's maps, for people and as JSON. */
import type { MapStorage } from "../vm/maps/map.ts";
import { hexOf } from "./hex.ts";

interface Entry {
  readonly key: string;
  readonly value: string;
}

/** What the map holds; of an array the elements that are not all zeros, of a ring buffer the records that user space would read. */
function entriesOf(map: MapStorage): readonly Entry[] {
  switch (map.kind) {
    case "events":
      return map.records.map(({ index, data }) => ({ key: `${index}`, value: hexOf(data) }));
    case "ring":
      return map.records.map((data, index) => ({ key: `${index}`, value: hexOf(data) }));
    default:
      return map
        .entries()
        .filter(([, value]) => !map.definition.type.includes("array") || value.some((byte) => byte !== 0))
        .map(([key, value]) => ({ key: hexOf(key), value: hexOf(value) }));
  }
}

export function mapContents(map: MapStorage): object {
  const { name, type } = map.definition;
  return { map: name, type, entries: entriesOf(map) };
}

/** A word of 4 or 8 bytes is also shown as the number that it is. */
function valueText(hex: string): string {
  if (hex.length !== 8 && hex.length !== 16) return hex;
  const bytes = Buffer.from(hex, "hex");
  return `${hex} (${hex.length === 8 ? bytes.readUInt32LE() : bytes.readBigUInt64LE()})`;
}

export function mapText(map: MapStorage): string {
  const { name, type } = map.definition;
  const entries = entriesOf(map);
  if (entries.length === 0) return `map ${name} (${type}): nothing\n`;
  const array = type.includes("array");
  const keyText = (key: string): string =>
    array && key.length === 8 ? `${Buffer.from(key, "hex").readUInt32LE()}` : valueText(key);
  return `map ${name} (${type}):\n${entries.map(({ key, value }) => `  [${keyText(key)}] = ${valueText(value)}\n`).join("")}`;
}
