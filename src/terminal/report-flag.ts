import {Flags} from '@oclif/core'
import type {BatchReport, RunFacts} from '../batch/batch-report.js'
import {failureOf} from '../batch/item-failure.js'
import type {ConvertReport} from '../convert/report.js'
import type {TransshipError} from '../model/errors.js'
import {factsBefore, reportConversion, reportRefusal, type Outcome} from '../report/report-conversion.js'
import type {NetworkOptions} from '../model/transport.js'
import {isPipe} from './is-pipe.js'

/** `--report FILE`, of every command that converts. */
export const reportFlag = Flags.string({
  summary: 'Write a report: .html opens in a browser, .json and .csv hold the same facts.',
  description: 'Also written when the command fails.',
  helpValue: 'FILE.html|json|csv',
})

/** Goes with `reportFlag`. */
export const reportTitleFlag = Flags.string({
  summary: 'Title of the report; default: the plan or source.',
  helpValue: 'TEXT',
  dependsOn: ['report'],
})

/** Checks the report file before the work starts and returns its writer. Without a file, the writer does nothing. */
async function openReport(file: string | undefined, run: RunFacts): Promise<(report: BatchReport) => Promise<void>> {
  if (file === undefined) return () => Promise.resolve()
  // Loaded on demand: its templates and layouts would slow every start.
  const {requireReportFile, writeReport} = await import('../report/write-report.js')
  await requireReportFile(file)
  return (report) => writeReport({...report, run}, file)
}

/**
 * Runs a batch and writes a report whatever happens, even for a refused plan. Fails when the report cannot be written, but
 * never hides why the batch failed.
 */
export async function batchReporting(
  work: () => Promise<BatchReport>,
  {
    file,
    title,
    run,
    asFailure,
  }: {readonly file: string | undefined; readonly title: string} & Pick<Reporting, 'asFailure' | 'run'>,
): Promise<BatchReport> {
  const write = await openReport(file, run)
  const startedTime = new Date().toISOString()
  const begun = performance.now()
  let report: BatchReport
  try {
    report = await work()
  } catch (error) {
    const seconds = (performance.now() - begun) / 1000
    const refusal = reportRefusal({title, startedTime, seconds, failure: failureOf(asFailure(error))})
    await write(refusal).catch(() => undefined)
    throw error
  }
  await write(report)
  return report
}

export interface Reporting {
  readonly file: string
  readonly source: string
  readonly destination: string
  readonly network: NetworkOptions
  readonly run: RunFacts
  /** Turns anything thrown into the error to report. */
  readonly asFailure: (error: unknown) => TransshipError
}

/**
 * Converts and writes a report whatever happens. Fails when the report cannot be written, but never hides why the
 * conversion failed.
 */
export async function convertReporting(
  work: () => Promise<ConvertReport>,
  {file, source, destination, network, run, asFailure}: Reporting,
): Promise<ConvertReport> {
  const report = await openReport(file, run)
  // A pipe can be read once.
  const before = isPipe(source) ? [] : await factsBefore(source, network)
  const begun = performance.now()
  const startedTime = new Date().toISOString()
  const write = (outcome: Outcome) => {
    const seconds = (performance.now() - begun) / 1000
    return report(reportConversion({source, destination, startedTime, seconds, before, outcome}))
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
