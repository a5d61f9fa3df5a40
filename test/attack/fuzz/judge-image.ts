import {readFileSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../../src/convert/convert.js'
import {inspect, type InspectReport} from '../../../src/convert/inspect.js'
import {list} from '../../../src/convert/list.js'
import type {ConvertReport} from '../../../src/convert/report.js'
import {verify} from '../../../src/convert/verify.js'
import {TransshipError, type ErrorCode} from '../../../src/model/errors.js'
import type {NetworkOptions, OpenOptions} from '../../../src/model/transport.js'
import type {WorkOptions} from '../../../src/model/events.js'
import {Disproved, require} from './parser.js'

/** What `verify` would have found, had it looked: no sound source ends in one of these. */
const DAMAGE: readonly ErrorCode[] = [
  'ARCHIVE_TRUNCATED',
  'ARCHIVE_CORRUPT',
  'ARCHIVE_CONTRADICTORY',
  'MANIFEST_INVALID',
  'CONFIG_INVALID',
  'LAYER_MISSING',
  'DIGEST_MISMATCH',
  'SIZE_MISMATCH',
  'LAYER_CORRUPT',
  'METADATA_INVALID',
  'PACKAGE_INCOMPLETE',
  'CARRIER_CORRUPT',
  'REPARSE_CORRUPT',
  'DESCRIPTOR_CORRUPT',
  'ATTRIBUTES_CORRUPT',
  'TOMBSTONES_CORRUPT',
  'RECIPE_CORRUPT',
]

export interface JudgeOptions extends WorkOptions, NetworkOptions {
  /** An empty folder for what is made. */
  readonly out: string
  readonly platform?: string
}

type Ended<T> = {readonly ok: T} | {readonly refused: TransshipError}

/** The value, or the refusal; what is no refusal passes. */
async function ended<T>(work: Promise<T>): Promise<Ended<T>> {
  try {
    return {ok: await work}
  } catch (error) {
    if (error instanceof TransshipError && error.exitCode !== 70) return {refused: error}
    throw error
  }
}

/** What is told of an image: of its bytes, not of its names. */
function bytesOf({imageId, layers}: InspectReport): string {
  return JSON.stringify([imageId, layers.map(({diffId}) => diffId)])
}

/**
 * Uses a source in every way that a user has, and holds what is said of it against what comes of it: a sound source is
 * no damaged one, what was written is sound, and what is exact comes back. Throws the refusal of a source that is refused.
 */
export async function judgeSource(reference: string, {out, ...options}: JudgeOptions): Promise<void> {
  const listed = await ended(list(reference, options))
  const told = await ended(inspect(reference, options))
  const verdict = await ended(verify(reference, options))
  // What hangs on an image is converted with it, whatever platform that is for.
  const {platform: _, ...whole} = options
  const everything = options.platform === undefined ? verdict : await ended(verify(reference, whole))
  const isSound = [verdict, everything].every((each) => 'ok' in each && each.ok.ok)
  const repository = path.join(out, 'repository')
  const there = await ended(convert(reference, `inbox:${repository}`, {...options, layers: 'chain'}))
  requireNoDamage(isSound, there)
  if ('ok' in there) await judgeBack(reference, there.ok, {repository, out, told, isSound, options})
  const squashed = await ended(convert(reference, `layout:${out}/layout`, {...options, layers: 'squash', osLayers: 0}))
  requireNoDamage(isSound, squashed)
  if ('ok' in squashed) await requireSound(`layout:${out}/layout`)
  const passed = await ended(convert(reference, `docker-archive:${out}/passed.tar`, options))
  requireNoDamage(isSound, passed)
  if ('ok' in passed && isSound) await requireSound(`docker-archive:${out}/passed.tar`)
  if ('refused' in told) throw told.refused
  if ('refused' in listed) throw listed.refused
  if ('refused' in there) throw there.refused
}

async function requireSound(reference: string, options: OpenOptions = {}): Promise<void> {
  const verdict = await verify(reference, options)
  require(verdict.ok, `${reference.split(':')[0] ?? ''} was written, and is not sound: ${verdict.faults.map(({code, message}) => `${code} ${message}`).join('; ')}`)
}

function requireNoDamage(isSound: boolean, work: Ended<ConvertReport>): void {
  if (!isSound || 'ok' in work) return
  const {code, message} = work.refused
  if (DAMAGE.includes(code)) throw new Disproved(`it is sound, and converting it ends in ${code}: ${message}`)
}

interface BackOptions {
  readonly repository: string
  readonly out: string
  readonly told: Ended<InspectReport>
  readonly isSound: boolean
  /** With which the source was verified. */
  readonly options: OpenOptions
}

/** Packages were made: they are sound, and where that was said to be exact, the same image comes back. */
async function judgeBack(
  reference: string,
  there: ConvertReport,
  {repository, out, told, isSound, options}: BackOptions,
): Promise<void> {
  await requireSound(`inbox:${repository}`)
  const top = there.artifacts.filter(({kind}) => kind === 'package').at(-1)?.reference
  if (top === undefined) return
  const back = await ended(convert(top, `oci:${out}/back`))
  if ('refused' in back) {
    require(!there.exact, `it was exact, and nothing comes back: ${back.refused.message}`)
    return
  }
  // What is damaged and comes back as it was is damaged still.
  if (isSound) await requireSound(`oci:${out}/back`, options)
  if (!there.exact || 'refused' in told) return
  // An archive of Docker's has no manifest of its own; one is made for it.
  const {manifestDigest, ...facts} = told.ok
  const isStored = manifestDigest !== undefined && !reference.startsWith('docker-archive:')
  requireSameImage({...facts, ...(isStored ? {manifestDigest} : {})}, await inspect(`oci:${out}/back`))
}

function requireSameImage(wanted: InspectReport, found: InspectReport): void {
  const {manifestDigest} = wanted
  require(bytesOf(found) ===
    bytesOf(wanted), `it was exact, and is another image:\n${bytesOf(wanted)}\n${bytesOf(found)}`)
  require(manifestDigest === undefined ||
    found.manifestDigest ===
      manifestDigest, `it was exact, and the manifest ${String(manifestDigest)} is now ${String(found.manifestDigest)}`)
}

/** Uses one package in every way, and holds what is said of it against what comes of it. */
export async function judgePackage(reference: string, {out, ...options}: JudgeOptions): Promise<void> {
  const listed = await ended(list(reference, options))
  const told = await ended(inspect(reference, options))
  const verdict = await ended(verify(reference, options))
  const isSound = 'ok' in verdict && verdict.ok.ok
  const isOfImage = 'ok' in told && told.ok.imageId !== undefined
  const there = await ended(convert(reference, `oci:${out}/image`, options))
  requireNoDamage(isSound, there)
  if ('ok' in there) {
    if (isSound) await requireSound(`oci:${out}/image`)
    const back = await ended(convert(`oci:${out}/image`, `inbox:${out}/back`, {layers: 'chain'}))
    if ('refused' in back) {
      require(!there.ok.exact, `it was exact, and nothing comes back: ${back.refused.message}`)
    } else {
      if (isSound) await requireSound(`inbox:${out}/back`)
      if (there.ok.exact && 'ok' in told && !isOfImage) await requireSamePackage(reference, back.ok, told.ok)
    }
    // What was an image is that image again: what else the package tells is no part of it.
    if (there.ok.exact && isOfImage) requireSameImage(told.ok, await inspect(`oci:${out}/image`))
  }
  const copied = await ended(convert(reference, `inbox:${out}/copy`, {...options, layers: 'chain'}))
  requireNoDamage(isSound, copied)
  if ('ok' in copied && isSound) await requireSound(`inbox:${out}/copy`)
  for (const each of [told, listed, there]) if ('refused' in each) throw each.refused
}

/** Identity and payload of the package on top, from its metadata on disk. */
async function requireSamePackage(reference: string, back: ConvertReport, told: InspectReport): Promise<void> {
  const top = back.artifacts.filter(({kind}) => kind === 'package').at(-1)
  require(top !== undefined, 'it was exact, and no package comes back')
  const again = await inspect(top.reference)
  const of = ({layers}: InspectReport) => layers.map((layer) => layer.package)
  require(JSON.stringify(of(again)) ===
    JSON.stringify(
      of(told),
    ), `it was exact, and other packages come back:\n${JSON.stringify(of(told))}\n${JSON.stringify(of(again))}`)
  if (!reference.startsWith('inbox:')) return
  const [, place = '', ...name] = reference.split(':')
  const [, otherPlace = '', ...otherName] = top.reference.split(':')
  const read = (root: string, full: string) => readFileSync(path.join(root, full, 'payload-index.jsonl'))
  const [one, other] = [name.join(':'), otherName.join(':')]
  if (!one.startsWith('CN=')) return
  require(read(place, one).equals(read(otherPlace, other)), 'it was exact, and another payload comes back')
}
