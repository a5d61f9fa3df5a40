import type {ConversionPlan} from '../convert/plan.js'
import type {ConvertReport, ReportArtifact} from '../convert/report.js'
import type {Loss} from '../model/events.js'
import {formatBytes, formatSeconds} from '../model/quantities.js'
import {printable} from '../model/printable.js'
import {formatFields, formatTable} from './table.js'
import type {TableView} from './table-view.js'
import {fitSentence} from './wrap-text.js'

function formatFindings(title: string, findings: readonly Loss[], view?: TableView): string[] {
  if (findings.length === 0) return []
  const table = formatTable(
    findings,
    [
      {title: 'CODE', cell: (finding) => finding.code},
      {title: 'SUBJECT', cell: (finding) => (finding.subject === '' ? undefined : finding.subject), fit: 'middle'},
      {title: 'MESSAGE', cell: (finding) => finding.message, fit: 'wrap'},
    ],
    view,
  )
  return [`${title}:\n${table}`]
}

function formatArtifact(artifact: ReportArtifact, view?: TableView): string {
  const head = `${artifact.unchanged === true ? 'Already there' : 'Made'}: ${printable(artifact.reference)}`
  const fields = formatFields(
    [
      ['  Package', artifact.identity],
      ['  Image ID', artifact.imageId],
      ['  Manifest', artifact.manifestDigest],
      ['  Depends on', artifact.dependencies?.length ? artifact.dependencies.join(', ') : undefined],
    ],
    view,
  )
  const layers = formatTable(
    artifact.layers,
    [
      {title: '  LAYER', cell: (layer) => `  ${layer.diffId ?? layer.digest}`, fit: 'end'},
      {title: 'STORED', cell: (layer) => formatBytes(layer.size), align: 'right'},
      {title: 'ENTRIES', cell: (layer) => layer.entries?.toString(), align: 'right'},
    ],
    view,
  )
  return [head, fields, layers].filter((part) => part !== '').join('\n')
}

/** What `convert` did. */
export function formatConvert(report: ConvertReport, view?: TableView): string {
  const exactness = report.exact
    ? 'Exact: converting back gives the same bytes.'
    : report.losses.length > 0
      ? 'Not exact: the losses do not come back.'
      : 'Not exact: converting back gives the same content, not the same bytes.'
  const inexact = formatFindings('Not exact because', report.inexact, view)
  const took = `Read ${formatBytes(report.bytesRead)}, wrote ${formatBytes(report.bytesWritten)} in ${formatSeconds(report.seconds)}.`
  return [
    ...report.artifacts.map((artifact) => formatArtifact(artifact, view)),
    ...formatFindings('Lost', report.losses, view),
    ...inexact,
    `${exactness}\n${took}`,
  ].join('\n\n')
}

/** What `convert` would do. */
export function formatPlan(plan: ConversionPlan, view?: TableView): string {
  const os = plan.osLayers
  const head = formatFields(
    [
      ['Source', plan.source],
      ['Destination', plan.destination],
      ['Layers', MODES[plan.mode]],
      ['OS layers', os === undefined ? undefined : `${os.count} (${os.evidence.join('; ')})`],
    ],
    view,
  )
  const steps = formatTable(
    plan.steps,
    [
      {title: 'MAKES', cell: (step) => step.kind},
      {title: 'NAME', cell: (step) => step.title, fit: 'middle'},
      {title: 'OUTCOME', cell: (step) => step.outcome},
      {title: 'ROLE', cell: (step) => step.role},
      {
        title: 'FROM LAYERS',
        cell: (step) => (step.layers.length === 0 ? undefined : formatRange(step.layers)),
        spare: 1,
      },
      {
        title: 'READS',
        cell: (step) => (step.bytes === undefined ? undefined : formatBytes(step.bytes)),
        align: 'right',
      },
      {
        title: 'DEPENDS ON',
        cell: (step) => (step.dependencies?.length ? step.dependencies.join(', ') : undefined),
        fit: 'end',
      },
    ],
    view,
  )
  const isRefused = plan.steps.some(({outcome}) => outcome === 'refused')
  const refusal = 'The destination has something else under that name, or other packages were made on it.'
  return [
    head,
    steps,
    ...formatFindings('Would be lost', plan.losses, view),
    ...(isRefused ? [fitSentence(`The conversion would be refused. ${refusal}`, view)] : []),
    'Nothing was written (--dry-run).',
  ].join('\n\n')
}

const MODES = {
  copy: 'copied as they are',
  chain: 'one by one, linked by dependencies',
  squash: 'squashed',
} as const

/** `0-3,5`: ascending indices, runs joined. */
export function formatRange(indices: readonly number[]): string {
  const runs: [first: number, last: number][] = []
  for (const index of indices) {
    const run = runs.at(-1)
    if (run?.[1] === index - 1) run[1] = index
    else runs.push([index, index])
  }
  return runs.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',')
}
