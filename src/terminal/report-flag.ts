import {Flags} from '@oclif/core'
import type {ConvertReport} from '../convert/report.js'
import type {TransshipError} from '../model/errors.js'
import {factsBefore, failureOf, reportConversion} from '../report/report-conversion.js'
import type {NetworkOptions} from '../transports/transport.js'
import {isPipe} from './is-pipe.js'

/** `--report FILE`, of every command that converts. */
export const reportFlag = Flags.string({
  summary: 'Write a report of what was done: .html is one page for a browser, .json and .csv hold the same facts.',
  description: 'It is written on failure too.',
  helpValue: 'FILE.html|json|csv',
})

export interface Reporting {
  readonly file: string
  readonly source: string
  readonly destination: string
  readonly network: NetworkOptions
  /** Any error as the one that is told. */
  readonly asFailure: (error: unknown) => TransshipError
}

/**
 * Converts, and writes a report whatever comes of it. A report that cannot be written is an error of its own, but never
 * hides why the conversion failed.
 */
export async function convertReporting(
  work: () => Promise<ConvertReport>,
  {file, source, destination, network, asFailure}: Reporting,
): Promise<ConvertReport> {
  // Loaded when asked for: its templates and layouts would slow every start.
  const {requireReportFile, writeReport} = await import('../report/write-report.js')
  await requireReportFile(file)
  // A pipe can be read once.
  const before = isPipe(source) ? [] : await factsBefore(source, network)
  const begun = performance.now()
  const startedTime = new Date().toISOString()
  const write = (outcome: Parameters<typeof reportConversion>[0]['outcome']) => {
    const seconds = (performance.now() - begun) / 1000
    return writeReport(reportConversion({source, destination, startedTime, seconds, before, outcome}), file)
  }
  let result: ConvertReport
  try {
    result = await work()
  } catch (error) {
    await write({failure: failureOf(asFailure(error))}).catch(() => undefined)
    throw error
  }
  await write({result})
  return result
}
