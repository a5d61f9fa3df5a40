import type {BatchReport} from '../batch/batch-report.js'
import {renderCsv} from './render-csv.js'
import {renderHtml} from './render-html.js'
import {renderJson} from './render-json.js'
import {parseReportForm, type ReportForm} from './report-form.js'
import {requirePlace, writeWhole} from './write-whole.js'

const RENDERERS: Readonly<Record<ReportForm, (report: BatchReport) => string>> = {
  html: renderHtml,
  json: renderJson,
  csv: renderCsv,
}

/**
 * Whether a report can be written to the file, told before the work that it is about. Throws `BAD_OPTION` for an unknown
 * extension, and what `requirePlace` throws.
 */
export async function requireReportFile(file: string): Promise<void> {
  parseReportForm(file)
  await requirePlace(file)
}

/**
 * Writes the report in the form of the file's extension: whole or not at all, over a report that was there before. The same
 * report gives the same bytes. Throws `BAD_OPTION` for an unknown extension, `NO_ACCESS`, `NO_SPACE` and the like.
 */
export async function writeReport(report: BatchReport, file: string): Promise<void> {
  await writeWhole(RENDERERS[parseReportForm(file)](report), file)
}
