import type {Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Descriptor, RawDocument} from '../../model/image.js'
import {attempt, type FaultSink} from '../../model/fault-sink.js'
import {
  descriptorOf,
  parseIndex,
  parseManifest,
  type ManifestDocument,
  type StatedDescriptor,
} from '../image-documents/image-documents.js'
import {isConfigType, isIndexType, isManifestType} from '../image-documents/media-types.js'
import {LIMITS} from '../../model/limits.js'
import {blobKey, findChecked, type ContentStore} from './content-store.js'
import {findEmbedded} from './embedded.js'
import {isReferrerEntry} from './layout-referrers.js'

/** An image manifest that an index leads to. */
export interface FoundImage {
  /** Full names, as annotations state them. */
  readonly names: readonly string[]
  /** Values of `org.opencontainers.image.ref.name`, as spelt: often only a tag. */
  readonly refs: readonly string[]
  readonly manifest: RawDocument & {readonly digest: Digest}
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  /** Descriptors as the documents spell them, the configuration's first; they may carry the content itself. */
  readonly stated: readonly StatedDescriptor[]
  /** The descriptor that the index has of the manifest. */
  readonly entry: StatedDescriptor
  /** Digests of the indexes it is in, outermost first, without index.json itself. */
  readonly within: readonly Digest[]
}

/** What an index names and is not offered as an image. */
export interface PassedOver {
  readonly refs: readonly string[]
  readonly digest: string
  readonly mediaType: string
  readonly reason: 'absent' | 'artifact' | 'unknown'
  /** The descriptor that the index has of it. */
  readonly stated: StatedDescriptor
  /** Digests of the indexes it is in, as of an image. */
  readonly within: readonly Digest[]
}

/** The full name, as containerd and Docker 25 state it; `org.opencontainers.image.ref.name` is only the tag there. */
const NAME_ANNOTATION = 'io.containerd.image.name'
const REF_NAME_ANNOTATION = 'org.opencontainers.image.ref.name'
/** On the attestations of BuildKit, which are manifests of the platform unknown/unknown. */
const ATTESTATION_ANNOTATION = 'vnd.docker.reference.type'

const STATEMENT_TYPE = 'application/vnd.in-toto'

export interface WalkOptions extends WorkOptions {
  /** Leaves out what is not asked for before it is read, by its descriptor. */
  readonly isWanted?: (stated: StatedDescriptor, names: Pick<FoundImage, 'names' | 'refs' | 'within'>) => boolean
}

/** What indexes say of a manifest. */
interface Place extends Pick<FoundImage, 'names' | 'refs' | 'within'> {
  readonly title: string
}

/** The names of an image, as entries state them. */
type Names = Pick<FoundImage, 'names' | 'refs'>

/** An index that has been parsed. */
export interface ParsedIndex {
  readonly manifests: readonly StatedDescriptor[]
  readonly sizeBytes: number
}

/** A manifest that was left out unread. */
export interface UnwantedManifest extends Pick<FoundImage, 'names' | 'refs' | 'within'> {
  readonly stated: StatedDescriptor
}

/** The image of a manifest, or why the manifest is none. */
type ReadManifest =
  | Pick<FoundImage, 'manifest' | 'config' | 'layers' | 'stated'>
  | {readonly reason: 'absent'}
  | {readonly reason: 'artifact'; readonly mediaType: string}

/** An image that many entries may lead to, each with another name. */
interface GrowingImage {
  /** By its last entry. */
  readonly image: FoundImage
  readonly names: Set<string>
  readonly refs: Set<string>
  readonly within: Set<Digest>
}

/** Finds all images that an index leads to, in its order. */
export class IndexWalk {
  readonly #store: ContentStore
  readonly #sink: FaultSink
  readonly #options: WalkOptions
  readonly #found = new Map<Digest, GrowingImage>()
  /** By what their descriptors say: indexes may name one manifest thousands of times. */
  readonly #read = new Map<string, Promise<ReadManifest>>()
  readonly passedOver: PassedOver[] = []
  /** Left out by `isWanted`. */
  readonly unwanted: UnwantedManifest[] = []
  #entries = 0
  #indexBytes = 0
  #isEnded = false

  constructor(store: ContentStore, sink: FaultSink, options: WalkOptions = {}) {
    this.#store = store
    this.#sink = sink
    this.#options = options
  }

  get found(): readonly FoundImage[] {
    return [...this.#found.values()].map(({image, names, refs, within}) => ({
      ...image,
      names: [...names],
      refs: [...refs],
      within: [...within],
    }))
  }

  /** What index.json itself names and is not there. Platforms of an image may be left out; an image that is offered may not. */
  get absent(): readonly PassedOver[] {
    return this.passedOver.filter(({reason, within}) => reason === 'absent' && within.length === 0)
  }

  /** Throws `MANIFEST_INVALID`, `LIMIT_EXCEEDED`; faults of what it leads to go to the sink. */
  async index(bytes: Uint8Array, title: string): Promise<void> {
    await this.#index(bytes, {title, names: [], refs: [], within: []})
  }

  /** The same of an index that has been parsed: its entries, and how many bytes it has. */
  async parsed({manifests, sizeBytes}: ParsedIndex, title: string): Promise<void> {
    await this.#entriesOf(manifests, sizeBytes, {title, names: [], refs: [], within: []})
  }

  /** One descriptor, as an index would have it. */
  async entry(stated: StatedDescriptor, title: string): Promise<void> {
    await this.#step(stated, {title, names: [], refs: [], within: []})?.()
  }

  async #index(bytes: Uint8Array, place: Place): Promise<void> {
    const {indexDepth} = LIMITS
    if (place.within.length > indexDepth.value)
      throw tooMany(`${place.title} is nested more than ${indexDepth.value} levels deep.`)
    await this.#entriesOf(parseIndex(bytes, place.title).manifests ?? [], bytes.byteLength, place)
  }

  async #entriesOf(manifests: readonly StatedDescriptor[], sizeBytes: number, place: Place): Promise<void> {
    this.#indexBytes += sizeBytes
    for (const stated of manifests) {
      if (this.#isEnough()) return
      this.#entries += 1
      // A walk that looks for one of thousands is not to wait for each.
      const step = this.#step(stated, place)
      if (step !== undefined) await attempt(this.#sink, step)
    }
  }

  /** True when there is more than a real image comes close to: indexes that name each other again and again. Told once. */
  #isEnough(): boolean {
    const {indexEntries, indexBytes} = LIMITS
    const isLong = this.#entries >= indexEntries.value
    if (!isLong && this.#indexBytes <= indexBytes.value) return false
    if (this.#isEnded) return true
    this.#isEnded = true
    const most = isLong ? `${indexEntries.value} entries` : `${indexBytes.value} bytes of indexes`
    this.#sink.fault(tooMany(`The index leads to more than ${most}.`))
    return true
  }

  /** What an entry leads to, still to be read; undefined where it is left out unread. */
  #step(stated: StatedDescriptor, place: Place): (() => Promise<void>) | undefined {
    this.#options.signal?.throwIfAborted()
    const names = namesAt(stated, place)
    return this.#leavesOut(stated, names, place) ? undefined : () => this.#follow(stated, names, place)
  }

  #passOver(
    stated: StatedDescriptor,
    at: Pick<FoundImage, 'names' | 'refs' | 'within'>,
    reason: PassedOver['reason'],
    mediaType = stated.mediaType,
  ): void {
    const {names, refs, within} = at
    this.passedOver.push({refs: [...names, ...refs], digest: stated.digest, mediaType, reason, stated, within})
  }

  /** True where what the descriptor says of itself is enough to leave out what it names. */
  #leavesOut(stated: StatedDescriptor, {names, refs}: Names, {within}: Place): boolean {
    const isIndex = isIndexType(stated.mediaType)
    if (!isIndex && !isManifestType(stated.mediaType)) this.#passOver(stated, {names, refs, within}, 'unknown')
    // It hangs on an image, or lists what does; its own layers are none.
    else if (isAttestation(stated) || (within.length === 0 && isReferrerEntry(stated)))
      this.#passOver(stated, {names, refs, within}, 'artifact')
    else if (!isIndex && this.#options.isWanted?.(stated, {names, refs, within}) === false)
      this.unwanted.push({stated, names, refs, within})
    else return false
    return true
  }

  async #follow(stated: StatedDescriptor, {names, refs}: Names, {title: place, within}: Place): Promise<void> {
    const descriptor = descriptorOf(stated, place)
    const at = {names, refs, within}
    if (isIndexType(stated.mediaType)) {
      const title = `index ${descriptor.digest}`
      const bytes = await findChecked(this.#store, descriptor, {...this.#options, title, stated})
      if (bytes === undefined) this.#passOver(stated, at, 'absent')
      else await this.#index(bytes, {title, names, refs, within: [...within, descriptor.digest]})
      return
    }
    const read = await this.#manifest(stated, descriptor)
    if (!('reason' in read)) this.#add({...read, names, refs, entry: stated, within})
    else if (read.reason === 'artifact') this.#passOver(stated, at, 'artifact', read.mediaType)
    // A layout need not hold what it names: other platforms and referrers may be left out.
    else this.#passOver(stated, at, 'absent')
  }

  #manifest(stated: StatedDescriptor, descriptor: Descriptor): Promise<ReadManifest> {
    const {mediaType, data} = stated
    const key = JSON.stringify([blobKey(descriptor), mediaType, data])
    const known = this.#read.get(key)
    if (known !== undefined) return known
    const read = readManifest(this.#store, {stated, descriptor}, this.#options)
    this.#read.set(key, read)
    return read
  }

  #add(image: FoundImage): void {
    const {digest} = image.manifest
    const before = this.#found.get(digest)
    // One that comes again under another name is none more.
    if (before === undefined && this.#found.size >= LIMITS.manifests.value)
      throw tooMany(`The index leads to more than ${LIMITS.manifests.value} manifests.`)
    const known = before ?? {image, names: new Set(), refs: new Set(), within: new Set()}
    for (const name of image.names) known.names.add(name)
    for (const ref of image.refs) known.refs.add(ref)
    for (const index of image.within) known.within.add(index)
    this.#found.set(digest, {...known, image})
  }
}

async function readManifest(
  store: ContentStore,
  {stated, descriptor}: {readonly stated: StatedDescriptor; readonly descriptor: Descriptor},
  options: WorkOptions,
): Promise<ReadManifest> {
  const title = `manifest ${descriptor.digest}`
  const bytes = await findChecked(store, descriptor, {...options, title, stated})
  if (bytes === undefined) return {reason: 'absent'}
  const manifest = parseManifest(bytes, title)
  requireSameType(stated, manifest, title)
  if (!isConfigType(manifest.config.mediaType) || isStatement(manifest))
    return {reason: 'artifact', mediaType: manifest.artifactType ?? manifest.config.mediaType}
  return imageOf({mediaType: stated.mediaType, bytes, digest: descriptor.digest}, manifest, title)
}

/** By its descriptor: BuildKit annotates what it attests, and calls its platform unknown. */
function isAttestation({annotations, platform}: StatedDescriptor): boolean {
  const isOfNothing = platform?.os === 'unknown' && platform.architecture === 'unknown'
  return annotations?.[ATTESTATION_ANNOTATION] !== undefined || isOfNothing
}

/** By its content, where the index says nothing: in-toto statements take the place of layers. */
function isStatement({layers}: ManifestDocument): boolean {
  return (layers ?? []).length > 0 && (layers ?? []).every(({mediaType}) => mediaType.startsWith(STATEMENT_TYPE))
}

function imageOf(
  raw: RawDocument & {readonly digest: Digest},
  manifest: ManifestDocument,
  title: string,
): Pick<FoundImage, 'manifest' | 'config' | 'layers' | 'stated'> {
  const stated = manifest.layers ?? []
  const layers = stated.map((layer) => {
    const descriptor = descriptorOf(layer, title)
    findEmbedded(layer, descriptor, title)
    return descriptor
  })
  return {manifest: raw, config: descriptorOf(manifest.config, title), layers, stated: [manifest.config, ...stated]}
}

/** A document that calls itself something else than its descriptor does is read in two ways by two tools. */
function requireSameType(stated: StatedDescriptor, {mediaType}: ManifestDocument, title: string): void {
  if (mediaType === undefined || mediaType === stated.mediaType) return
  throw new InputError('MANIFEST_INVALID', {
    what: `${title} does not have the type that its descriptor states.`,
    why: `Expected ${stated.mediaType}, found ${mediaType.slice(0, 200)}.`,
  })
}

/** The names that an entry states, or else those of the index that it is in. */
function namesAt(stated: StatedDescriptor, place: Place): Names {
  const own = statedNames(stated)
  return own.names.length + own.refs.length === 0 ? place : own
}

/** The names that an entry of an index states. */
export function statedNames({annotations}: StatedDescriptor): {names: readonly string[]; refs: readonly string[]} {
  const full = annotations?.[NAME_ANNOTATION]
  const ref = annotations?.[REF_NAME_ANNOTATION]
  // A digest in front of which nothing stands is how containerd cuts a name that has no tag.
  const isFull = full === undefined && ref?.startsWith('@') === false && /[/:]/.test(ref)
  return {
    names: full !== undefined ? [full] : isFull ? [ref] : [],
    refs: ref === undefined ? [] : [ref],
  }
}

function tooMany(what: string): InputError {
  return new InputError('LIMIT_EXCEEDED', {what, why: 'No real image comes close.'})
}
