/** Functions that begin and end sections: of reading under RCU, without preemption. */
import { fault } from "../fault.ts";
import type { Call } from "../helpers/call.ts";
import type { HelperTable } from "../helpers/helper.ts";
import type { Section } from "../objects/held.ts";

const enter =
  (section: Section) =>
  (call: Call): undefined => {
    call.run.held.enter(section);
    return call.noResult();
  };

const leave =
  (section: Section) =>
  (call: Call): undefined => {
    if (!call.run.held.leave(section))
      fault("not_held", `call ${call.helper}: the program is in no ${section}`);
    return call.noResult();
  };

export const SECTION_FUNCTIONS: HelperTable = {
  bpf_rcu_read_lock: enter("RCU read section"),
  bpf_rcu_read_unlock: leave("RCU read section"),
  bpf_preempt_disable: enter("section without preemption"),
  bpf_preempt_enable: leave("section without preemption"),
};
