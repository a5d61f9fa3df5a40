import {randomUUID} from 'node:crypto'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {TransshipError} from '../model/errors.js'
import type {Loss, Note} from '../model/events.js'
import type {Image, Layer} from '../model/image.js'
import type {OpenOptions} from '../model/transport.js'
import {formatReference} from '../transports/catalog.js'
import {planConversion} from './convert.js'
import type {PlanStep} from './plan.js'
import {PayloadReader, type PayloadOfLayer} from './explain-payload.js'
import {windowsNeed, type WindowsNeed} from './explain-windows.js'
import {layerHistory, parseImageConfig, type HistoryItem} from './image-config.js'
import {inspect, withImage, type InspectedLayer, type InspectReport} from './inspect.js'
import {findOsFacts} from './os-facts.js'

/** How a container of the image starts. Source: image-spec config.md. */
export interface StartFacts {
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly workingFolder?: string
  readonly user?: string
  readonly env: readonly string[]
  readonly ports: readonly string[]
  readonly volumes: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

export interface ExplainedLayer extends InspectedLayer {
  /** Command that made it, where the history accounts for every layer. */
  readonly command?: string
  readonly created?: string
  /** Absent where the source only names the layer. */
  readonly payload?: PayloadOfLayer
}

/** A package or image that a conversion would write. */
export interface MadeOfLayers extends Pick<PlanStep, 'kind' | 'layers' | 'role'> {
  /** Empty for an image without a name. */
  readonly name: string
}

/** What a conversion to the other stack would lose or change. */
export interface TowardsOther {
  /** `package`: to an inbox repository; `image`: to an OCI layout. */
  readonly to: 'package' | 'image'
  readonly steps: readonly string[]
  /** The same, with the layers that each takes. */
  readonly makes: readonly MadeOfLayers[]
  readonly losses: readonly Loss[]
  readonly notes: readonly Note[]
  /** Why it cannot be done as it is. */
  readonly error?: {readonly code: string; readonly message: string; readonly suggestions: readonly string[]}
}

/** What `explain` prints with `--json`. Schema: `src/schemas/explain.schema.json`. */
export interface ExplainReport {
  readonly reference: string
  readonly names: readonly string[]
  readonly imageId?: string
  readonly platform: InspectReport['platform']
  readonly sizeBytes?: number
  readonly windows?: WindowsNeed
  readonly start?: StartFacts
  /** Base first. */
  readonly layers: readonly ExplainedLayer[]
  /** All items of the configuration's history, also those without a layer. */
  readonly history: readonly {readonly command: string; readonly created?: string; readonly isEmpty: boolean}[]
  /** Largest first, after merging all layers that are at hand. */
  readonly folders: readonly {readonly path: string; readonly bytes: number}[]
  readonly towards: TowardsOther
  readonly notes: readonly Note[]
}

const MOST_FOLDERS = 10
/** `Files/Windows/System32`. */
const FOLDER_DEPTH = 3

/** All that can be said of an image or package: metadata, and what its layers hold; reads every layer that is at hand. */
export async function explain(text: string, options: OpenOptions = {}): Promise<ExplainReport> {
  const quiet: OpenOptions = {...options, onEvent: () => undefined}
  const inspected = await inspect(text, options)
  const payload = await withImage(text, quiet, (image) => readPayloads(image, options))
  const towards = await planTowards(text, inspected, quiet)
  const config = configOf(inspected)
  const layers = inspected.layers.map((layer, index): ExplainedLayer => {
    const item = config?.layers?.[index]
    const read = payload.layers[index]
    return {
      ...layer,
      ...(item?.created_by === undefined ? {} : {command: commandOf(item)}),
      ...(item?.created === undefined ? {} : {created: item.created}),
      ...(read === undefined ? {} : {payload: read}),
    }
  })
  const {reference, names, imageId, platform, sizeBytes} = inspected
  return {
    reference,
    names,
    ...(imageId === undefined ? {} : {imageId}),
    platform,
    ...(sizeBytes === undefined ? {} : {sizeBytes}),
    ...(payload.windows === undefined ? {} : {windows: payload.windows}),
    ...(config === undefined ? {} : {start: config.start}),
    layers,
    history: (config?.history ?? []).map((item) => ({
      command: commandOf(item),
      ...(item.created === undefined ? {} : {created: item.created}),
      isEmpty: item.empty_layer === true,
    })),
    folders: payload.reader.folders.largest(MOST_FOLDERS, FOLDER_DEPTH),
    towards,
    notes: [
      ...inspected.warnings.map(({code, message}) => ({code, message, subject: reference})),
      ...payload.reader.notes,
    ],
  }
}

async function readPayloads(image: Image, options: OpenOptions) {
  const {layers, platform} = image
  const reader = new PayloadReader()
  const read: (PayloadOfLayer | undefined)[] = []
  for (const [index, layer] of layers.entries()) {
    options.signal?.throwIfAborted()
    read.push(layer.hasContent ? await readTelling(reader, layer, index, options) : undefined)
  }
  const [base] = layers
  const onUnusable = (message: string) => {
    reader.notes.push({code: 'os-hive-unusable', message, subject: base?.title ?? ''})
  }
  const isWindows = platform.os === 'windows' && base?.hasContent === true
  const facts = isWindows ? await findOsFacts(layers, {...options, onUnusable}) : undefined
  return {reader, layers: read, windows: windowsNeed(platform, facts)}
}

async function readTelling(reader: PayloadReader, layer: Layer, index: number, options: OpenOptions) {
  const id = `explain ${String(index)}`
  options.onEvent?.({kind: 'step', id, title: `Reading ${layer.title}`})
  const payload = await reader.read(layer, index, options)
  options.onEvent?.({kind: 'done', id, summary: `${String(payload.files)} files`})
  return payload
}

/** A dry run into a place that does not exist: nothing is written. */
async function planTowards(text: string, {layers}: InspectReport, options: OpenOptions): Promise<TowardsOther> {
  const isPackage = layers.some((layer) => layer.package !== undefined)
  const place = path.join(tmpdir(), `transship-explain-${randomUUID()}`)
  const to = isPackage ? 'image' : 'package'
  const {bases = [], parents = [], ...rest} = options
  const texts = {
    bases: bases.map((each) => formatReference(each)),
    parents: parents.map((each) => formatReference(each)),
  }
  try {
    const plan = await planConversion(text, isPackage ? `oci:${place}:explained` : `inbox:${place}`, {
      ...rest,
      ...texts,
    })
    return {
      to,
      steps: plan.steps.map(({kind, title}) => `${kind} ${title.replace(/^explained$/, '')}`.trim()),
      makes: plan.steps.map(({kind, title, layers, role}) => ({
        kind,
        name: title === 'explained' ? '' : title,
        layers,
        ...(role === undefined ? {} : {role}),
      })),
      losses: plan.losses,
      notes: plan.notes,
    }
  } catch (error) {
    if (!(error instanceof TransshipError) || error.code === 'INTERRUPTED') throw error
    const {code, suggestions} = error
    return {
      to,
      steps: [],
      makes: [],
      losses: [],
      notes: [],
      error: {code, message: [error.what, error.why].filter(Boolean).join(' '), suggestions},
    }
  }
}

function commandOf({created_by: command = '', comment = ''}: HistoryItem): string {
  return (command === '' ? comment : command).trim()
}

function configOf({config, layers}: InspectReport) {
  if (typeof config !== 'object' || config === null) return undefined
  const parsed = parseImageConfig({mediaType: '', bytes: Buffer.from(JSON.stringify(config))})
  const run: Readonly<Record<string, unknown>> = {...parsed.config}
  const texts = (key: string): readonly string[] => {
    const value = run[key]
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
  }
  const keys = (key: string): readonly string[] => Object.keys(Object(run[key] ?? {}) as object)
  const {WorkingDir: folder, User: user} = run
  const start: StartFacts = {
    ...(texts('Entrypoint').length === 0 ? {} : {entrypoint: texts('Entrypoint')}),
    ...(texts('Cmd').length === 0 ? {} : {command: texts('Cmd')}),
    ...(typeof folder === 'string' && folder !== '' ? {workingFolder: folder} : {}),
    ...(typeof user === 'string' && user !== '' ? {user} : {}),
    env: texts('Env'),
    ports: keys('ExposedPorts'),
    volumes: keys('Volumes'),
    labels: parsed.config?.Labels ?? {},
  }
  return {start, history: parsed.history ?? [], layers: layerHistory(parsed, layers.length)}
}
