import type {BatchReport} from '../batch/batch-report.js'

/** The report as JSON, as `--json` prints it. Schema: `src/schemas/batch.schema.json`. */
export function renderJson(report: BatchReport): string {
  return `${JSON.stringify(report, null, 2)}\n`
}
