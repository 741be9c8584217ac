/** Records of ring buffers that a program has reserved and not yet given back. */

import { fault } from "../fault.ts";
import type { Call } from "../helpers/call.ts";
import type { RingBuffer, RingRecord } from "../maps/ring-buffer.ts";
import type { Region } from "../region.ts";

export interface ReservedRecord {
  readonly ring: RingBuffer;
  readonly record: RingRecord;
  readonly region: Region;
}

export class Records {
  readonly #reserved = new Map<Region, ReservedRecord>();

  /** Reserves a record, which the program has to give back; nothing if there is no room. */
  reserve(call: Call, ring: RingBuffer, size: number): ReservedRecord | undefined {
    const record = ring.reserve(size);
    if (record === undefined) return undefined;
    const place = { kind: "record", map: ring.definition.name } as const;
    const reserved = { ring, record, region: call.state.space.borrow(record, { place }) };
    this.#reserved.set(reserved.region, reserved);
    call.run.held.acquire(reserved.region, `a record of map ${ring.definition.name}`);
    return reserved;
  }

  /** The record that lies in a region. */
  of(region: Region): ReservedRecord | undefined {
    return this.#reserved.get(region);
  }

  /** Gives the record back, after which nothing may look at it. */
  commit(
    { run, helper }: Call,
    { ring, record, region }: ReservedRecord,
    discard: boolean,
    flags: bigint,
  ): void {
    if (!run.held.release(region)) fault("not_held", `call ${helper}: the record was given back before`);
    ring.commit(record, discard, flags);
    region.live = false;
  }
}
