import {stringify} from 'csv-stringify/sync'
import type {ArtifactFacts, BatchReport, ItemFailure, ItemReport} from '../batch/batch-report.js'
import type {ConvertReport, ReportArtifact} from '../convert/report.js'
import type {Note} from '../model/events.js'

/** Columns of the table, in order. A row fills those that its kind of record has. */
const COLUMNS = [
  'record',
  'item',
  'state',
  'source',
  'destination',
  'after',
  'attempts',
  'seconds',
  'exact',
  'bytes_read',
  'bytes_written',
  'kind',
  'reference',
  'names',
  'identity',
  'image_id',
  'manifest_digest',
  'dependencies',
  'platform',
  'layers',
  'unchanged',
  'layer',
  'diff_id',
  'digest',
  'media_type',
  'size_bytes',
  'entries',
  'code',
  'exit_code',
  'subject',
  'message',
  'why',
  'suggestions',
  'started_time',
] as const
type Column = (typeof COLUMNS)[number]
type Cell = string | number | boolean | undefined
type Row = Readonly<Partial<Record<Column, Cell>>>

/** Between the values of one cell; a name or an identity holds neither. */
const SEPARATOR = '; '

function join(values: readonly string[] | undefined): string | undefined {
  return values === undefined || values.length === 0 ? undefined : values.join(SEPARATOR)
}

function factsRow(facts: ArtifactFacts): Row {
  return {
    record: 'before',
    kind: facts.kind,
    reference: facts.reference,
    names: join(facts.names),
    identity: facts.identity,
    image_id: facts.imageId,
    manifest_digest: facts.manifestDigest,
    dependencies: join(facts.dependencies),
    platform: facts.platform,
    layers: facts.layers,
    size_bytes: facts.sizeBytes,
  }
}

function* artifactRows(artifact: ReportArtifact): Generator<Row> {
  const {kind, reference, identity} = artifact
  yield {
    record: 'after',
    kind,
    reference,
    identity,
    image_id: artifact.imageId,
    manifest_digest: artifact.manifestDigest,
    dependencies: join(artifact.dependencies),
    layers: artifact.layers.length,
    unchanged: artifact.unchanged ?? false,
    size_bytes: artifact.layers.reduce((sum, layer) => sum + layer.size, 0),
  }
  for (const [index, layer] of artifact.layers.entries()) {
    yield {
      record: 'layer',
      kind,
      reference,
      identity,
      layer: index,
      diff_id: layer.diffId,
      digest: layer.digest,
      media_type: layer.mediaType,
      size_bytes: layer.size,
      entries: layer.entries,
    }
  }
}

function findingRows(record: string, findings: readonly Note[]): Row[] {
  return findings.flatMap(({code, subject, message, edits}) => [
    {record, code, subject, message},
    ...(edits?.files ?? []).map(({file, kind}) => ({record: 'edit', code, subject, names: file, kind})),
  ])
}

function* resultRows(result: ConvertReport): Generator<Row> {
  for (const artifact of result.artifacts) yield* artifactRows(artifact)
  yield* findingRows('loss', result.losses)
  yield* findingRows('inexact', result.inexact)
  yield* findingRows('note', result.notes)
}

function failureRow({code, exitCode, what, why, suggestions}: ItemFailure): Row {
  return {record: 'failure', code, exit_code: exitCode, message: what, why, suggestions: join(suggestions)}
}

function* itemRows(item: ItemReport): Generator<Row> {
  const {result, failure} = item
  yield {
    record: 'item',
    source: item.source,
    destination: item.destination,
    after: join(item.after),
    attempts: item.attempts,
    seconds: item.seconds,
    exact: result?.exact,
    bytes_read: result?.bytesRead,
    bytes_written: result?.bytesWritten,
  }
  if (failure !== undefined) yield failureRow(failure)
  for (const facts of item.before) yield factsRow(facts)
  if (result !== undefined) yield* resultRows(result)
}

function* rowsOf(report: BatchReport): Generator<Row> {
  yield {
    record: 'run',
    source: report.title,
    started_time: report.startedTime,
    seconds: report.seconds,
    bytes_read: report.totals.bytesRead,
    bytes_written: report.totals.bytesWritten,
  }
  if (report.failure !== undefined) yield failureRow(report.failure)
  for (const item of report.items) {
    for (const row of itemRows(item)) yield {...row, item: item.id, state: item.state}
  }
}

/**
 * The report as one table: `record` says what a row is about (run, item, failure, before, after, layer, loss, inexact, note,
 * or edit: a file of an edited package), `item` whose it is; a failure of none is that of the whole run. RFC 4180 with a byte order mark, since spreadsheets take the rest for a code page. Cells that begin
 * like a formula get an apostrophe in front: names come from archives, and a spreadsheet would run them.
 */
export function renderCsv(report: BatchReport): string {
  return stringify([...rowsOf(report)], {
    header: true,
    bom: true,
    record_delimiter: 'windows',
    // Readers take a lone line feed or carriage return for the end of a row as well.
    quoted_match: /[\r\n]/,
    escape_formulas: true,
    columns: [...COLUMNS],
    cast: {boolean: (value) => (value ? 'true' : 'false')},
  })
}
