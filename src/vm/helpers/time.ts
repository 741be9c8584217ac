/** Helpers about time, chance and the processor. The clock is the run's own: it advances by a nanosecond an instruction. */
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** Ticks of the kernel's timer a second: Debian's CONFIG_HZ. */
const TICKS = 250n;
const TICK_NS = 1_000_000_000n / TICKS;
/** What jiffies are when the clock begins: so many that their low 32 bits overflow after five minutes (INITIAL_JIFFIES in linux/jiffies.h). */
const FIRST_JIFFY = (1n << 32n) - 300n * TICKS;

/** International atomic time: the wall clock, as long as nobody has told the kernel of leap seconds. */
const atomicTime = (call: Call): bigint => {
  const { wallClockNs = 0n, clockNs = 0n } = call.state.environment;
  return wallClockNs + call.now - clockNs;
};

export const TIME_HELPERS: HelperTable = {
  ktime_get_ns: (call) => call.now,
  // The machine never sleeps.
  ktime_get_boot_ns: (call) => call.now,
  ktime_get_coarse_ns: (call) => call.now - (call.now % TICK_NS),
  ktime_get_tai_ns: atomicTime,
  jiffies64: (call) => FIRST_JIFFY + call.now / TICK_NS,
  get_prandom_u32: (call) => call.run.random(),
  get_smp_processor_id: (call) => call.cpu,
  // All processors are near to all memory.
  get_numa_node_id: () => 0,
};
