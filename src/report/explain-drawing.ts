import type {ExplainedLayer, ExplainReport, TowardsOther} from '../convert/explain.js'
import {printable} from '../model/printable.js'
import {formatBytes} from '../model/quantities.js'
import {columnsOf, elide as elidePrintable} from './elide.js'

/** Of the drawing, in CSS pixels. */
const WIDTH = 960
const MARGIN = 24
const ROW = 58
const GAP = 8
const LAYERS = {x: MARGIN, width: 560}
const MADE = {x: 640, width: WIDTH - MARGIN - 640}
/** Of a column of text: monospaced, 12 px. */
const COLUMN = 7.25
const LINE = 18
/** Losses and notes told before it says how many more there are. */
const MOST_TOLD = 8

const STYLE = `
text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1a1f26}
.title{font-size:16px;font-weight:600}.quiet{fill:#545d69}.page{fill:#fff}
.layer{fill:#f0f2f5;stroke:#8a93a0}.named{stroke-dasharray:5 4}.bar{fill:#0a58a8}
.made{fill:#d3e2f3;stroke:#0a58a8}.os{fill:#e4e7ec;stroke:#545d69}.line{stroke:#8a93a0;fill:none}
.good{fill:#146c34}.warn{fill:#7a4b00}.bad{fill:#a91d17}
@media(prefers-color-scheme:dark){text{fill:#e4e8ed}.quiet{fill:#a3adb9}.page{fill:#101419}
.layer{fill:#20262f;stroke:#7d8896}.bar{fill:#79b8ff}.made{fill:#1f3a57;stroke:#79b8ff}.os{fill:#2a313b;stroke:#a3adb9}
.line{stroke:#7d8896}.good{fill:#6fd08c}.warn{fill:#ecbf5a}.bad{fill:#ff938a}}`

/**
 * The layers of an image or package as an SVG drawing, the base at the bottom: the command, size and content of each, and
 * what it becomes in the other stack. The same report gives the same bytes.
 */
export function drawExplain(report: ExplainReport): string {
  const {layers, towards} = report
  const top = MARGIN + 3 * LINE + 12
  const body = top + 24
  const rowAt = (index: number) => body + (layers.length - 1 - index) * (ROW + GAP)
  const foot = body + layers.length * (ROW + GAP) + 12
  const told = tellTowards(towards)
  const height = Math.round(foot + told.length * LINE + MARGIN)
  const largest = Math.max(1, ...layers.map(({size = 0}) => size))
  const parts = [
    ...headerOf(report),
    text(LAYERS.x, top + 8, 'Layers, the base at the bottom', 'quiet'),
    text(MADE.x, top + 8, towards.to === 'package' ? 'As inbox packages' : 'As a Docker image', 'quiet'),
    ...layers.flatMap((layer, index) => drawLayer(layer, index, {y: rowAt(index), largest})),
    ...towards.makes.flatMap((made) => drawMade(made, rowAt)),
    ...told.map(({line, tone}, index) => text(MARGIN, foot + LINE + index * LINE, line, tone)),
  ]
  const label = escape(`Layers of ${report.reference}`)
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" ` +
    `role="img" aria-label="${label}">\n<title>${label}</title>\n<style>${STYLE}\n</style>\n` +
    `<rect class="page" width="${WIDTH}" height="${height}"/>\n${parts.join('\n')}\n</svg>\n`
  )
}

function headerOf({reference, names, platform, windows, sizeBytes, layers}: ExplainReport): readonly string[] {
  const name = names[0] ?? reference
  const facts = [
    `${platform.os}/${platform.architecture}`,
    windows === undefined ? undefined : `Windows ${windows.version ?? ''}`.trim(),
    `${String(layers.length)} ${layers.length === 1 ? 'layer' : 'layers'}`,
    sizeBytes === undefined ? undefined : `${formatBytes(sizeBytes)} stored`,
  ]
  const columns = Math.floor((WIDTH - 2 * MARGIN) / COLUMN)
  return [
    text(MARGIN, MARGIN + 14, elide(name, Math.floor((columns * 12) / 16)), 'title'),
    text(MARGIN, MARGIN + 14 + LINE, elide(reference, columns), 'quiet'),
    text(MARGIN, MARGIN + 14 + 2 * LINE, facts.filter((fact) => fact !== undefined).join(', '), 'quiet'),
  ]
}

function drawLayer(
  layer: ExplainedLayer,
  index: number,
  {y, largest}: {readonly y: number; readonly largest: number},
): readonly string[] {
  const {x, width} = LAYERS
  const columns = Math.floor((width - 24) / COLUMN)
  const {payload, size} = layer
  const name = layer.package?.identity ?? layer.command ?? layer.title
  const facts = [
    size === undefined ? undefined : `${formatBytes(size)} stored`,
    payload === undefined
      ? 'content not here'
      : `${counted(payload.files, 'file')} of ${formatBytes(payload.fileBytes)}`,
    payload === undefined || payload.deletions === 0 ? undefined : counted(payload.deletions, 'deletion'),
    changes(payload?.services, 'service'),
    changes(payload?.tasks, 'task'),
    changes(payload?.programs, 'program'),
  ]
  const bar = Math.max(2, Math.round(((width - 24) * (size ?? 0)) / largest))
  return [
    `<rect class="layer${payload === undefined ? ' named' : ''}" x="${x}" y="${y}" width="${width}" height="${ROW}" rx="4"/>`,
    text(x + 12, y + 20, elide(`${String(index)}  ${name}`, columns)),
    text(x + 12, y + 38, elide(facts.filter((fact) => fact !== undefined).join(', '), columns), 'quiet'),
    ...(size === undefined ? [] : [`<rect class="bar" x="${x + 12}" y="${y + ROW - 10}" width="${bar}" height="4"/>`]),
  ]
}

/** A box beside the layers that it takes, with a line to each. */
function drawMade(made: TowardsOther['makes'][number], rowAt: (index: number) => number): readonly string[] {
  const {x, width} = MADE
  const rows = made.layers.map(rowAt)
  if (rows.length === 0) return []
  const [from, to] = [Math.min(...rows), Math.max(...rows)]
  const height = to - from + ROW
  const middle = Math.round(from + height / 2)
  const columns = Math.floor((width - 24) / COLUMN)
  const lines = made.name === '' ? [] : broken(printable(made.name), columns)
  const caption = made.role === 'os' ? 'package of the operating system' : made.kind
  const shown = [...lines.map((line) => ({line, tone: ''})), {line: caption, tone: 'quiet'}]
  const first = middle - ((shown.length - 1) * LINE) / 2 + 4
  return [
    `<rect class="${made.role === 'os' ? 'os' : 'made'}" x="${x}" y="${from}" width="${width}" height="${height}" rx="4"/>`,
    ...rows.map((y) => `<path class="line" d="M${LAYERS.x + LAYERS.width} ${y + ROW / 2}H${x}"/>`),
    ...shown.map(({line, tone}, index) => text(x + 12, first + index * LINE, line, tone)),
  ]
}

/** A name in one or two lines, broken behind a separator. */
function broken(name: string, columns: number): readonly string[] {
  if (columnsOf(name) <= columns) return [name]
  const breaks = [...name.matchAll(/[_:/@-]/g)].map(({index}) => index + 1)
  const at = breaks.findLast((end) => columnsOf(name.slice(0, end)) <= columns && end > 3)
  return at === undefined ? [elide(name, columns)] : [name.slice(0, at), elide(name.slice(at), columns)]
}

function tellTowards({losses, notes, error}: TowardsOther) {
  const columns = Math.floor((WIDTH - 2 * MARGIN) / COLUMN)
  const all = [
    ...(error === undefined ? [] : [{line: `Cannot be converted: ${error.message} (${error.code})`, tone: 'bad'}]),
    ...losses.map(({message, code}) => ({line: `Loss: ${message} (${code})`, tone: 'warn'})),
    ...(error === undefined && losses.length === 0 ? [{line: 'Nothing is lost.', tone: 'good'}] : []),
    ...notes.map(({message, code}) => ({line: `Note: ${message} (${code})`, tone: 'quiet'})),
  ]
  const more = all.length - MOST_TOLD
  return [
    ...all.slice(0, MOST_TOLD).map(({line, tone}) => ({line: elide(line, columns), tone})),
    ...(more > 0 ? [{line: `and ${String(more)} more`, tone: 'quiet'}] : []),
  ]
}

/** What stands for control characters takes room as well. */
function elide(content: string, columns: number): string {
  return elidePrintable(printable(content), columns)
}

function changes(items: readonly unknown[] | undefined, noun: string): string | undefined {
  return items === undefined || items.length === 0 ? undefined : counted(items.length, noun)
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`
}

function text(x: number, y: number, content: string, tone = ''): string {
  return `<text x="${x}" y="${y}"${tone === '' ? '' : ` class="${tone}"`} xml:space="preserve">${escape(content)}</text>`
}

function escape(content: string): string {
  return (
    printable(content)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // XML has no form for lone surrogates and the like.
      .replaceAll(/[\p{Surrogate}\ufffe\uffff]/gu, '\ufffd')
  )
}
