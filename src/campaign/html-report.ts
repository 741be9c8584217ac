import type { CheckSummary } from "./check-report.ts";
export function htmlReport(s: CheckSummary): string { return `${s.seed}`; }
