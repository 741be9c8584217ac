/** A record of a ring buffer that a program has reserved and not yet given back, and the region where it lies. */
import type { RingBuffer, RingRecord } from "../maps/ring-buffer.ts";
import type { Region } from "../region.ts";

export interface ReservedRecord {
  readonly ring: RingBuffer;
  readonly record: RingRecord;
  readonly region: Region;
}
