import {createHash} from 'node:crypto'
import path from 'node:path'
import type {ConvertReport} from '../../convert/report.js'
import {EnvironmentError, InputError, UsageError} from '../../model/errors.js'
import {findReference, formatReference} from '../../transports/catalog.js'
import {compileSchema, errorsText} from '../../codecs/json/validator.js'
import type {ItemFailure, ItemState} from '../batch-report.js'
import {textsOf} from '../parse-plan.js'
import {isLocal, placeKey} from '../place.js'
import {isPlan, type PlanOptions} from '../plan-schema.js'
import type {PlanFault} from '../plan-text.js'
import type {PlannedUnit, Unit} from '../unit.js'
import type {PlanPlace} from './told-paths.js'

/** What a job carries: plain JSON. Unknown keys of a later version are kept. */
export interface UnitJobData {
  readonly version: 1
  readonly unit: PlannedUnit
  /** What the unit's relative paths are relative to: absolute, or relative to the root of each worker. */
  readonly folder: string
  readonly isRooted: boolean
  /** Jobs that have to be done before. */
  readonly after: readonly string[]
  /** Jobs that wait for this one. */
  readonly next: readonly string[]
  /** What is written to one place is written one after the other. */
  readonly lane: string
  readonly retries: number
  /** Set when it is begun; `isFree`: nothing was there that its writing could hit, so what is there later is its own. */
  readonly begun?: {readonly isFree: boolean}
  /** Set when it failed for good. */
  readonly outcome?: {
    readonly state: ItemState
    readonly failure?: ItemFailure
    readonly seconds: number
    readonly place?: PlanPlace
  }
}

/** What a job that is done gives. */
export interface UnitJobResult {
  readonly result: ConvertReport
  readonly attempts: number
  readonly seconds: number
  /** `host:pid`. */
  readonly worker: string
  /** Where the worker saw the files that the result names; absent of earlier versions. */
  readonly place?: PlanPlace
}

/** What a worker tells of a unit while it works on it. */
export type UnitJobProgress =
  | {readonly kind: 'begun'; readonly isFree: boolean}
  | {readonly kind: 'progress'; readonly bytes: number}
  | {readonly kind: 'retried'; readonly failure: ItemFailure; readonly waitMs: number; readonly place?: PlanPlace}

const isJobData = compileSchema<UnitJobData>({
  type: 'object',
  required: ['version', 'unit', 'folder', 'isRooted', 'after', 'next', 'lane', 'retries'],
  properties: {
    version: {const: 1},
    unit: {
      type: 'object',
      required: ['id', 'key', 'source', 'destination', 'options', 'after', 'item', 'before'],
      properties: {
        id: {type: 'string'},
        key: {type: 'string'},
        source: {type: 'string'},
        destination: {type: 'string'},
        options: {type: 'object'},
        item: {type: 'integer'},
        before: {type: 'array', items: {type: 'object', required: ['kind', 'reference', 'names']}},
        after: {type: 'array', items: {type: 'string'}},
      },
    },
    folder: {type: 'string'},
    isRooted: {type: 'boolean'},
    after: {type: 'array', items: {type: 'string'}},
    next: {type: 'array', items: {type: 'string'}},
    lane: {type: 'string'},
    retries: {type: 'integer', minimum: 0},
    begun: {type: 'object', required: ['isFree'], properties: {isFree: {type: 'boolean'}}},
  },
})

/** Checks what a job carries: another version may have put it there. Throws `METADATA_INVALID`. */
export function requireJobData(data: unknown): UnitJobData {
  if (!isJobData(data)) throw foreignJob(errorsText(isJobData, 'job'))
  const {source, destination, options} = data.unit
  const faults: PlanFault[] = []
  if (!isPlan({items: [{source, destination, options}]}, faults)) {
    throw foreignJob(faults.map(({what, why}) => `${what} ${why ?? ''}`.trim()).join(' '))
  }
  return data
}

function foreignJob(why: string): InputError {
  return new InputError('METADATA_INVALID', {
    what: 'This version of transship cannot run a job of the queue.',
    why,
    suggestions: ['Use the same version of transship for batch --queue and for all workers.'],
  })
}

/** Where the units of a plan lie, for machines that may see them elsewhere. */
export interface SharedFolder {
  /** As workers get it. */
  readonly folder: string
  readonly isRooted: boolean
  /** Of this machine. */
  readonly root?: string
}

/**
 * The folder of a plan as workers find it: absolute, or with a root relative to that, with `/`. Throws `BAD_OPTION` for a
 * plan that does not lie in the root.
 */
export function sharedFolder(planFolder: string, root?: string): SharedFolder {
  const folder = path.resolve(planFolder)
  if (root === undefined) return {folder, isRooted: false}
  const inside = insideOf(path.resolve(root), folder)
  if (inside === undefined) {
    throw new UsageError('BAD_OPTION', {
      what: `The plan is not in ${root}.`,
      why: 'Workers look for its files below the folder that --root names on their machine.',
      suggestions: ['Put the plan there. Or leave out --root if all machines see the same paths.'],
    })
  }
  return {folder: inside, isRooted: true, root: path.resolve(root)}
}

/** The other way: the folder of a job on this machine. Throws `BAD_OPTION` for one that needs a root. */
export function folderHere({folder, isRooted}: Pick<UnitJobData, 'folder' | 'isRooted'>, root?: string): string {
  if (!isRooted) {
    if (path.isAbsolute(folder)) return folder
    throw new EnvironmentError('NO_ACCESS', {
      what: `The folder ${folder} cannot exist on this system.`,
      why: 'The plan was queued on another kind of system.',
      suggestions: ['Pass --root both to batch --queue and to each worker.'],
    })
  }
  if (root === undefined) {
    throw new UsageError('BAD_OPTION', {
      what: 'The items of this queue are below a shared folder that this worker does not know.',
      suggestions: ['Pass --root DIR with the path of the shared folder on this machine.'],
    })
  }
  // It comes from the queue: it must not lead out.
  if (folder.split('/').includes('..') || path.isAbsolute(folder)) {
    throw new InputError('NAME_UNSAFE', {
      what: 'A job of the queue leads out of the shared folder.',
      at: {path: folder},
    })
  }
  return path.join(path.resolve(root), folder)
}

/** Options that are the path of a file or folder. */
const PATH_OPTIONS = ['docker-config', 'authfile', 'certs-dir', 'engine-certs'] as const

/** A unit whose paths inside of the root are relative to the plan's folder, so that they are found below another root. */
export function sharedUnit<T extends Unit>(unit: T, planFolder: string, root: string | undefined): T {
  if (root === undefined) return unit
  const place = (text: string) => {
    const reference = findReference(text)
    if (reference === undefined) return sharedPath(text, planFolder, root)
    if (!isLocal(reference)) return text
    return formatReference({...reference, path: sharedPath(reference.path, planFolder, root)})
  }
  const {base, parent} = unit.options
  const paths = PATH_OPTIONS.flatMap((name) => {
    const given = unit.options[name]
    return given === undefined ? [] : [[name, sharedPath(given, planFolder, root)] as const]
  })
  const options: PlanOptions = {
    ...unit.options,
    ...(base === undefined ? {} : {base: textsOf(base).map(place)}),
    ...(parent === undefined ? {} : {parent: textsOf(parent).map(place)}),
    ...Object.fromEntries(paths),
  }
  return {...unit, source: place(unit.source), destination: place(unit.destination), options}
}

function sharedPath(text: string, planFolder: string, root: string): string {
  if (!path.isAbsolute(text) || insideOf(root, text) === undefined) return text
  return path.relative(path.resolve(planFolder), text).replaceAll(path.sep, '/') || '.'
}

/** `file` relative to `folder`, with `/`; undefined when it does not lie in it. */
function insideOf(folder: string, file: string): string | undefined {
  const relative = path.relative(folder, file)
  const isOutside = path.isAbsolute(relative) || relative.split(path.sep)[0] === '..'
  return isOutside ? undefined : relative.replaceAll(path.sep, '/')
}

/**
 * The id of a unit's job: of the unit's key and of the folder, since the paths in a key are relative to it. The letter is
 * there because BullMQ keeps ids that are numbers to itself.
 */
export function jobIdOf(
  {key}: Pick<Unit, 'key'>,
  {folder, isRooted}: Pick<SharedFolder, 'folder' | 'isRooted'>,
): string {
  const told = JSON.stringify({key, folder, isRooted})
  return `u${createHash('sha256').update(told).digest('hex').slice(0, 32)}`
}

/** What units may not write to at once: the file, folder or repository, of this machine's shared folder. */
export function laneOf({destination}: Unit, {folder, isRooted}: SharedFolder): string {
  const reference = findReference(destination)
  if (reference === undefined || !isLocal(reference)) return ''
  // Below a root, the lane must be the same whatever that is called here.
  return createHash('sha256')
    .update(placeKey(isRooted ? `/${folder}` : folder, reference))
    .digest('hex')
    .slice(0, 32)
}
