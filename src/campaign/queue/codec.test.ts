/** What goes through a queue comes out as it went in. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromJson, toJson } from "./codec.ts";

const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.bigInt(),
  fc.uint8Array(),
);
const key = fc.string().filter((name) => !name.startsWith("#") && name !== "__proto__");
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(tie("value")),
    fc.dictionary(key, tie("value"), { noNullPrototype: true }),
    fc.array(fc.tuple(fc.string(), tie("value"))).map((entries) => new Map(entries)),
    fc.array(leaf).map((items) => new Set(items)),
  ),
}));

test("every value, through JSON", () => {
  fc.assert(
    fc.property(value, (given) => {
      expect(fromJson(JSON.parse(JSON.stringify(toJson(given))))).toEqual(given);
    }),
  );
});
