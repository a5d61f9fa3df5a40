import type {LayerChange} from '../convert/explain-payload.js'
import type {ExplainedLayer, ExplainReport, TowardsOther} from '../convert/explain.js'
import {printable} from '../model/printable.js'
import {formatBytes} from '../model/quantities.js'
import {formatFields, formatTable} from './table.js'
import type {TableView} from './table-view.js'
import {wrapText} from './wrap-text.js'

/** Where no terminal tells its width. */
const PAGE_WIDTH = 80
const MARGIN = '  '

/** The report in sections, each line at most 80 columns or as wide as the terminal; with `--no-trunc` nothing is wrapped. */
export function formatExplain(report: ExplainReport, view: TableView = {}): string {
  const fitted: TableView = view.isWhole === true ? view : {...view, width: Math.min(view.width ?? PAGE_WIDTH, 120)}
  const sections: readonly (readonly [title: string, text: string])[] = [
    ['', headOf(report, fitted)],
    ['Windows', windowsOf(report, fitted)],
    ['Start', startOf(report, fitted)],
    ['Layers', layersOf(report, fitted)],
    [
      'Without a layer',
      listOf(
        report.history.filter(({isEmpty}) => isEmpty).map(({command}) => command),
        fitted,
      ),
    ],
    ['Services', changesOf(report, ({services}) => services, fitted)],
    ['Scheduled tasks', changesOf(report, ({tasks}) => tasks, fitted)],
    ['Installed programs', changesOf(report, ({programs}) => programs, fitted)],
    ['Largest folders', foldersOf(report, fitted)],
    [report.towards.to === 'package' ? 'As an inbox package' : 'As a Docker image', towardsOf(report.towards, fitted)],
    [
      'Notes',
      listOf(
        report.notes.map(({message, code}) => `${message} (${code})`),
        fitted,
      ),
    ],
  ]
  return sections
    .filter(([, text]) => text !== '')
    .map(([title, text]) => (title === '' ? text : `${title}\n${text}`))
    .join('\n\n')
}

function headOf({reference, names, imageId, platform, sizeBytes}: ExplainReport, view: TableView): string {
  return formatFields(
    [
      ['Reference', reference],
      ['Names', names.length === 0 ? undefined : names.join(', ')],
      ['Image ID', imageId],
      ['Platform', `${platform.os}/${platform.architecture}`],
      ['Stored size', sizeBytes === undefined ? undefined : formatBytes(sizeBytes)],
    ],
    view,
  )
}

function windowsOf({windows}: ExplainReport, view: TableView): string {
  if (windows === undefined) return ''
  const {version, release, edition, editionEvidence, processIsolation, hyperVIsolation} = windows
  return formatFields(
    [
      ['  Version', version],
      ['  Release', release],
      ['  Edition', edition === undefined ? undefined : `${edition} (${editionEvidence ?? 'unknown'})`],
      ['  Process isolation', processIsolation],
      ['  Hyper-V isolation', hyperVIsolation],
    ],
    view,
  )
}

function startOf({start}: ExplainReport, view: TableView): string {
  if (start === undefined) return ''
  const {entrypoint, command, workingFolder, user, env, ports, volumes, labels} = start
  const fields = formatFields(
    [
      ['  Entrypoint', entrypoint === undefined ? undefined : JSON.stringify(entrypoint)],
      ['  Command', command === undefined ? undefined : JSON.stringify(command)],
      ['  Working folder', workingFolder],
      ['  User', user],
      ['  Ports', ports.length === 0 ? undefined : ports.join(', ')],
      ['  Volumes', volumes.length === 0 ? undefined : volumes.join(', ')],
    ],
    view,
  )
  const named = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? '' : `  ${title}:\n${listOf(lines, view, '    ')}`
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
  return [fields, named('Environment', env), named('Labels', pairs)].filter((part) => part !== '').join('\n')
}

function layersOf({layers}: ExplainReport, view: TableView): string {
  return layers
    .map((layer, index) => {
      const {payload, command} = layer
      const facts = [
        layer.form,
        layer.size === undefined ? undefined : `${formatBytes(layer.size)} stored`,
        layer.hasContent ? undefined : 'only named',
        ...(payload === undefined
          ? []
          : [
              `${counted(payload.files, 'file')} of ${formatBytes(payload.fileBytes)}`,
              payload.deletions === 0 ? undefined : counted(payload.deletions, 'deletion'),
            ]),
      ]
      const lines = [
        `${String(index)}  ${nameOf(layer)}`,
        ...(command === undefined ? [] : [command]),
        facts.filter(Boolean).join(', '),
      ]
      return lines.flatMap((line, at) => wrapped(line, view, at === 0 ? MARGIN : '     ')).join('\n')
    })
    .join('\n')
}

function nameOf(layer: ExplainedLayer): string {
  return layer.package?.identity ?? layer.diffId ?? layer.digest ?? layer.title
}

function changesOf(
  {layers}: ExplainReport,
  of: (payload: NonNullable<ExplainedLayer['payload']>) => readonly LayerChange[],
  view: TableView,
): string {
  const rows = layers.flatMap(({payload}, layer) =>
    payload === undefined ? [] : of(payload).map((each) => ({...each, layer})),
  )
  return formatTable(
    rows,
    [
      {title: '  LAYER', cell: ({layer}) => String(layer), align: 'right'},
      {title: 'CHANGE', cell: ({change}) => change},
      {title: 'NAME', cell: ({name}) => name, fit: 'middle'},
      {title: 'DETAIL', cell: ({detail}) => detail, fit: 'end'},
    ],
    view,
  )
}

function foldersOf({folders}: ExplainReport, view: TableView): string {
  return formatTable(
    folders,
    [
      {title: '      SIZE', cell: ({bytes}) => formatBytes(bytes), align: 'right'},
      {title: 'FOLDER', cell: ({path}) => path, fit: 'middle'},
    ],
    view,
  )
}

function towardsOf({steps, losses, notes, error}: TowardsOther, view: TableView): string {
  if (error !== undefined) {
    const lines = [`Cannot be converted as it is: ${error.message} (${error.code})`, ...error.suggestions]
    return listOf(lines, view)
  }
  const lines = [
    ...steps.map((step) => `Becomes ${step}`),
    ...losses.map(({message, subject, code}) => `Loses: ${subject}: ${message} (${code})`),
    ...notes.map(({message, subject, code}) => `Note: ${subject}: ${message} (${code})`),
    ...(losses.length === 0 ? ['Nothing is lost.'] : []),
  ]
  return listOf(lines, view)
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`
}

function listOf(lines: readonly string[], view: TableView, margin = MARGIN): string {
  return lines.flatMap((line) => wrapped(line, view, margin)).join('\n')
}

/** A line below its margin, continued two columns further in. */
function wrapped(text: string, {width}: TableView, margin: string): readonly string[] {
  const line = printable(text)
  if (width === undefined) return [margin + line]
  const room = Math.max(20, width - margin.length - 2)
  return wrapText(line, room).map((part, index) => margin + (index === 0 ? '' : '  ') + part)
}
