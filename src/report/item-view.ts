import type {ArtifactFacts, BatchReport, ItemReport} from '../batch/batch-report.js'
import type {ReportArtifact} from '../convert/report.js'
import type {Note} from '../model/events.js'
import {MOST_NAMED, type FileEdit} from '../model/payload-edits.js'
import {formatBytes, formatSeconds} from '../model/quantities.js'
import {nameOf, topsOf} from './artifact-name.js'
import {nextStep} from './next-steps.js'
import {stateText} from './state-text.js'

/** Findings of one kind told of an item on the page; JSON and CSV have all. */
const MOST_FINDINGS = 100
/** Edited files listed with a finding. */
const MOST_FILES = 1000
/** Artifacts told of an item on each side. */
const MOST_ARTIFACTS = 100

const NOTHING = '–'

export interface ArtifactView {
  readonly side: 'Before' | 'After'
  readonly kind: string
  readonly name: string
  readonly reference: string
  readonly digests: readonly {readonly label: string; readonly digest: string}[]
  readonly dependencies: readonly string[]
  readonly platform: string | undefined
  readonly layers: string
  readonly size: string
}

export interface LayerView {
  readonly artifact: string
  readonly index: number
  /** Undefined where the payload came from no tar. */
  readonly diffId: string | undefined
  readonly digest: string
  /** The layer is stored as it is, uncompressed. */
  readonly isSame: boolean
  readonly mediaType: string
  readonly size: string
  /** Undefined of a layer that was passed on unopened. */
  readonly entries: number | undefined
}

/** A finding; where it comes of an edited package and its message has no room for all of them, the files. */
export interface FindingView extends Note {
  readonly step: string
  readonly files: readonly FileEdit[]
}

export interface FindingsView {
  readonly title: string
  readonly rows: readonly FindingView[]
  readonly more: number
}

export interface ItemView {
  readonly anchor: string
  readonly id: string
  readonly state: ItemReport['state']
  readonly stateName: string
  readonly source: string
  readonly destination: string
  readonly made: string
  readonly exact: 'yes' | 'no' | '–'
  readonly losses: number
  readonly warnings: number
  readonly written: string
  readonly bytesWritten: number
  readonly read: string
  readonly duration: string
  readonly seconds: number
  readonly attempts: number
  readonly after: readonly {readonly id: string; readonly anchor: string | undefined}[]
  readonly failure: ItemReport['failure']
  readonly artifacts: readonly ArtifactView[]
  readonly moreArtifacts: number
  readonly layers: readonly LayerView[]
  readonly findings: readonly FindingsView[]
}

/** A span of time: below ten seconds with a tenth. */
export function formatDuration(seconds: number): string {
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : formatSeconds(seconds)
}

/** Where on the page the details of the item at this place of the plan are. */
export function anchorOf(index: number): string {
  return `item-${index + 1}`
}

function digestsOf({imageId, manifestDigest}: ArtifactFacts | ReportArtifact): ArtifactView['digests'] {
  return [
    ...(imageId === undefined ? [] : [{label: 'Image ID', digest: imageId}]),
    ...(manifestDigest === undefined ? [] : [{label: 'Manifest', digest: manifestDigest}]),
  ]
}

function factsView(facts: ArtifactFacts): ArtifactView {
  return {
    side: 'Before',
    kind: facts.kind.replace('-', ' '),
    name: nameOf(facts),
    reference: facts.reference,
    digests: digestsOf(facts),
    dependencies: facts.dependencies ?? [],
    platform: facts.platform,
    layers: facts.layers === undefined ? NOTHING : String(facts.layers),
    size: facts.sizeBytes === undefined ? NOTHING : formatBytes(facts.sizeBytes),
  }
}

function artifactView(artifact: ReportArtifact): ArtifactView {
  const {layers} = artifact
  return {
    side: 'After',
    kind: artifact.unchanged === true ? `${artifact.kind}, already existed` : artifact.kind,
    name: nameOf(artifact),
    reference: artifact.reference,
    digests: digestsOf(artifact),
    dependencies: artifact.dependencies ?? [],
    platform: undefined,
    layers: layers.length === 0 ? NOTHING : String(layers.length),
    size: layers.length === 0 ? NOTHING : formatBytes(layers.reduce((sum, layer) => sum + layer.size, 0)),
  }
}

function layerViews(artifacts: readonly ReportArtifact[]): LayerView[] {
  return artifacts.flatMap((artifact) =>
    artifact.layers.map((layer, index) => ({
      artifact: nameOf(artifact),
      index,
      diffId: layer.diffId,
      digest: layer.digest,
      isSame: layer.digest === layer.diffId,
      mediaType: layer.mediaType,
      size: formatBytes(layer.size),
      entries: layer.entries,
    })),
  )
}

function findingsView(title: string, kind: Parameters<typeof nextStep>[0], rows: readonly Note[] = []): FindingsView[] {
  if (rows.length === 0) return []
  const shown = rows.slice(0, MOST_FINDINGS).map((row) => ({
    ...row,
    step: nextStep(kind, row.code),
    files: row.edits === undefined || row.edits.total <= MOST_NAMED ? [] : row.edits.files.slice(0, MOST_FILES),
  }))
  return [{title, rows: shown, more: Math.max(0, rows.length - MOST_FINDINGS)}]
}

function viewItem(item: ItemReport, index: number, anchors: ReadonlyMap<string, string>): ItemView {
  const {result} = item
  const made = topsOf(item).map(nameOf)
  const before = item.before.slice(0, MOST_ARTIFACTS).map(factsView)
  const after = (result?.artifacts ?? []).slice(0, MOST_ARTIFACTS).map(artifactView)
  return {
    anchor: anchorOf(index),
    id: item.id,
    state: item.state,
    stateName: stateText(item.state),
    source: item.source,
    destination: item.destination,
    made: made.length === 0 ? NOTHING : made.join(', '),
    exact: result === undefined ? NOTHING : result.exact ? 'yes' : 'no',
    losses: result?.losses.length ?? 0,
    warnings: result?.notes.length ?? 0,
    written: result === undefined ? NOTHING : formatBytes(result.bytesWritten),
    bytesWritten: result?.bytesWritten ?? -1,
    read: result === undefined ? NOTHING : formatBytes(result.bytesRead),
    duration: item.attempts === 0 ? NOTHING : formatDuration(item.seconds),
    seconds: item.attempts === 0 ? -1 : item.seconds,
    attempts: item.attempts,
    after: item.after.map((id) => ({id, anchor: anchors.get(id)})),
    failure: item.failure,
    artifacts: [...before, ...after],
    moreArtifacts: item.before.length + (result?.artifacts.length ?? 0) - before.length - after.length,
    layers: layerViews((result?.artifacts ?? []).slice(0, MOST_ARTIFACTS)),
    findings: [
      ...findingsView('Losses', 'Loss', result?.losses),
      ...findingsView('Not exact because', 'Not exact', result?.inexact),
      ...findingsView('Warnings and notes', 'Note', result?.notes),
    ],
  }
}

/** The items as the page shows them, in the order of the plan. */
export function viewItems({items}: BatchReport): readonly ItemView[] {
  const anchors = new Map(items.map(({id}, index) => [id, anchorOf(index)]))
  return items.map((item, index) => viewItem(item, index, anchors))
}
