import type {ConversionPlan} from '../convert/plan.js'
import type {ConvertReport, ReportArtifact} from '../convert/report.js'
import type {Loss} from '../model/events.js'
import {formatBytes, formatSeconds} from '../model/quantities.js'
import {printable} from '../model/printable.js'
import {formatFields, formatTable} from './table.js'

function formatFindings(title: string, findings: readonly Loss[]): string[] {
  if (findings.length === 0) return []
  const table = formatTable(findings, [
    {title: 'CODE', cell: (finding) => finding.code},
    {title: 'SUBJECT', cell: (finding) => (finding.subject === '' ? undefined : finding.subject)},
    {title: 'MESSAGE', cell: (finding) => finding.message},
  ])
  return [`${title}:\n${table}`]
}

function formatArtifact(artifact: ReportArtifact): string {
  const head = `${artifact.unchanged === true ? 'Already there' : 'Made'}: ${printable(artifact.reference)}`
  const fields = formatFields([
    ['  Package', artifact.identity],
    ['  Image ID', artifact.imageId],
    ['  Manifest', artifact.manifestDigest],
    ['  Depends on', artifact.dependencies?.length ? artifact.dependencies.join(', ') : undefined],
  ])
  const layers = formatTable(artifact.layers, [
    {title: '  LAYER', cell: (layer) => `  ${layer.diffId ?? layer.digest}`},
    {title: 'STORED', cell: (layer) => formatBytes(layer.size), align: 'right'},
    {title: 'ENTRIES', cell: (layer) => layer.entries?.toString(), align: 'right'},
  ])
  return [head, fields, layers].filter((part) => part !== '').join('\n')
}

/** What `convert` did. */
export function formatConvert(report: ConvertReport): string {
  const exactness = report.exact
    ? 'Exact: converting back gives the same bytes.'
    : report.losses.length > 0
      ? 'Not exact: what is lost does not come back.'
      : 'Not exact: converting back gives the same content, not the same bytes.'
  const inexact = formatFindings('Not exact because', report.inexact)
  const took = `Read ${formatBytes(report.bytesRead)}, wrote ${formatBytes(report.bytesWritten)} in ${formatSeconds(report.seconds)}.`
  return [
    ...report.artifacts.map(formatArtifact),
    ...formatFindings('Lost', report.losses),
    ...inexact,
    `${exactness}\n${took}`,
  ].join('\n\n')
}

/** What `convert` would do. */
export function formatPlan(plan: ConversionPlan): string {
  const os = plan.osLayers
  const head = formatFields([
    ['Source', plan.source],
    ['Destination', plan.destination],
    ['Layers', MODES[plan.mode]],
    ['OS layers', os === undefined ? undefined : `${os.count} (${os.evidence.join('; ')})`],
  ])
  const steps = formatTable(plan.steps, [
    {title: 'MAKES', cell: (step) => step.kind},
    {title: 'NAME', cell: (step) => step.title},
    {title: 'ROLE', cell: (step) => step.role},
    {title: 'FROM LAYERS', cell: (step) => (step.layers.length === 0 ? undefined : formatRange(step.layers))},
    {title: 'READS', cell: (step) => (step.bytes === undefined ? undefined : formatBytes(step.bytes)), align: 'right'},
    {title: 'DEPENDS ON', cell: (step) => (step.dependencies?.length ? step.dependencies.join(', ') : undefined)},
  ])
  return [head, steps, ...formatFindings('Would be lost', plan.losses), 'Nothing was written (--dry-run).'].join('\n\n')
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
