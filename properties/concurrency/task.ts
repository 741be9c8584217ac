/** What one of the processes that work on an element is told to do in each round, and tells. Ids are the kernel's. */
export type Task =
  /** Updates from user space: both words of the value are a number that was never written before. */
  | {
      readonly do: "update";
      readonly cpu: number;
      readonly map: number;
      readonly flags: number;
      readonly times: number;
    }
  /** A program that writes a record for each of its operations into a map. */
  | {
      readonly do: "run";
      readonly cpu: number;
      readonly program: number;
      readonly log: number;
      readonly records: number;
    };

/** Begin and end in nanoseconds, and the value: what was written or found. 64-bit numbers are texts, as messages are JSON. */
export type Record = readonly [begin: string, end: string, first: string, second: string];

/** Bytes of a program's record: four words. */
export const RECORD_BYTES = 32;
