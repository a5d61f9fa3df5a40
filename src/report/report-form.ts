import path from 'node:path'
import {UsageError} from '../model/errors.js'

/** The forms a report is written in; each holds the same facts. */
export const REPORT_FORMS = ['html', 'json', 'csv'] as const
export type ReportForm = (typeof REPORT_FORMS)[number]

/** The form that a file's extension asks for, in any case. Throws `BAD_OPTION` for any other extension. */
export function parseReportForm(file: string): ReportForm {
  const extension = path.extname(file).slice(1).toLowerCase()
  const form = REPORT_FORMS.find((candidate) => candidate === extension)
  if (form !== undefined) return form
  throw new UsageError('BAD_OPTION', {
    what: `transship cannot write a report as '${file}'.`,
    why: `The file extension selects the format: ${REPORT_FORMS.map((name) => `.${name}`).join(', ')}.`,
    suggestions: REPORT_FORMS.map((name) => `--report report.${name}`),
  })
}
