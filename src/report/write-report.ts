import {open, rename, rm, stat} from 'node:fs/promises'
import path from 'node:path'
import type {BatchReport} from '../batch/batch-report.js'
import {removeLeftovers} from '../disk/own-leftovers.js'
import {workPathBeside} from '../disk/work-name.js'
import {asTransshipError, InputError} from '../model/errors.js'
import {renderCsv} from './render-csv.js'
import {renderHtml} from './render-html.js'
import {renderJson} from './render-json.js'
import {parseReportForm, type ReportForm} from './report-form.js'

const RENDERERS: Readonly<Record<ReportForm, (report: BatchReport) => string>> = {
  html: renderHtml,
  json: renderJson,
  csv: renderCsv,
}

/**
 * Whether a report can be written to the file, told before the work that it is about. Throws `BAD_OPTION` for an unknown
 * extension, `NOT_FOUND` where the folder is missing and `UNRECOGNISED_FORMAT` where the file is a folder.
 */
export async function requireReportFile(file: string): Promise<void> {
  parseReportForm(file)
  const folder = path.dirname(path.resolve(file))
  try {
    if (!(await stat(folder)).isDirectory()) throw notAFile(folder, 'The parent of the report is not a folder.')
  } catch (error) {
    throw asTransshipError(error, {path: folder})
  }
  const isFolder = await stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isFolder) throw notAFile(file, 'The report path is a folder, not a file.')
}

function notAFile(place: string, what: string): InputError {
  return new InputError('UNRECOGNISED_FORMAT', {what, suggestions: ['Check the path.'], at: {path: place}})
}

/**
 * Writes the report in the form of the file's extension: whole or not at all, over a report that was there before. The same
 * report gives the same bytes. Throws `BAD_OPTION` for an unknown extension, `NO_ACCESS`, `NO_SPACE` and the like.
 */
export async function writeReport(report: BatchReport, file: string): Promise<void> {
  const text = RENDERERS[parseReportForm(file)](report)
  removeLeftovers(file)
  const temporary = workPathBeside(file)
  try {
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, {force: true})
    throw asTransshipError(error, {path: file})
  }
}
