import {decompress} from '../codecs/compression/decompress.js'
import {TransshipError} from '../model/errors.js'
import {withoutEvents, type WorkOptions} from '../model/events.js'
import type {Layer} from '../model/image.js'
import type {Reference} from '../model/reference.js'
import type {PlanOptions} from './plan-schema.js'

/** Read of a compressed layer to learn how well it is compressed. */
const SAMPLE_BYTES = 2 ** 20
/** Where the sample cannot be read: Windows layers unpack to some two and a half times their size. */
const USUAL_RATIO = 2.5

/** By digest of compressed layers, which never change: many images share one. */
const MEASURED = new Map<string, number>()

/** Where a layer goes, and how. */
export interface RoomOptions extends WorkOptions {
  readonly destination: Reference
  readonly options: PlanOptions
}

/**
 * An estimate of the bytes that a layer takes at a local destination: as it is stored where it is passed on, else what
 * it unpacks to, extrapolated from its first MiB. Packages also keep the compressed form, unless `pins` says otherwise.
 */
export async function roomOf(layer: Layer, {destination, options, ...work}: RoomOptions): Promise<number> {
  const {blob, sizeBytes} = layer
  if (blob === undefined || blob.compression === 'none') return sizeBytes ?? blob?.descriptor.size ?? 0
  const {size} = blob.descriptor
  const {transport} = destination
  // Its blocks are compressed anew, about as well.
  if (transport === 'appx') return size + pinnedSize(size, options)
  if (transport === 'inbox') return (await unpackedSize(layer, work)) + pinnedSize(size, options)
  return isPassedOn(blob.compression, transport, options) ? size : unpackedSize(layer, work)
}

function pinnedSize(size: number, {pins = 'keep'}: PlanOptions): number {
  return pins === 'keep' ? size : 0
}

function isPassedOn(compression: string, transport: string, options: PlanOptions): boolean {
  if (transport === 'layout' || options.layers?.startsWith('squash') === true) return false
  const {'archive-format': form = 'hybrid', compression: wanted} = options
  if (transport === 'docker-archive' && form !== 'hybrid') return false
  return wanted === undefined || wanted.split(':')[0] === compression
}

async function unpackedSize({blob, title}: Layer, work: WorkOptions): Promise<number> {
  if (blob === undefined) return 0
  const {digest, size} = blob.descriptor
  const known = MEASURED.get(digest)
  if (known !== undefined) return known
  const quiet = withoutEvents(work)
  let stored = 0
  let plain = 0
  async function* sample(): AsyncGenerator<Uint8Array> {
    for await (const chunk of blob?.open(quiet) ?? []) {
      stored += chunk.byteLength
      yield chunk
      if (stored >= SAMPLE_BYTES) return
    }
  }
  try {
    for await (const chunk of decompress(sample(), blob.compression, {...quiet, title})) plain += chunk.byteLength
  } catch (error) {
    work.signal?.throwIfAborted()
    // The sample ends in the middle; of a source that cannot be read, the conversion tells more.
    if (!(error instanceof TransshipError)) throw error
  }
  const isMeasured = stored > 0 && plain > 0
  const unpacked = isMeasured ? Math.ceil((size * plain) / Math.min(stored, size)) : Math.ceil(size * USUAL_RATIO)
  if (isMeasured) MEASURED.set(digest, unpacked)
  return unpacked
}
