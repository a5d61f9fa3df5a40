import {HiveFile} from '../codecs/registry-hive/hive-file.js'
import type {HiveKey} from '../codecs/registry-hive/hive-key.js'
import {sourceOfBytes} from '../codecs/registry-hive/hive-source.js'
import {flatten} from '../codecs/registry-hive/layered-keys.js'
import {MAX_HIVE_BYTES} from '../codecs/registry-hive/open-hive.js'
import {osFactsIn, type OsFacts} from '../formats/transport-layout/os-facts.js'
import {TransshipError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {readHeld} from '../model/held-file.js'
import {findHiveRole, type HiveForm} from '../model/hive-role.js'
import type {Layer} from '../model/image.js'

/** Codes of errors that say that a hive cannot be used, and nothing about the layer as a whole. */
const UNUSABLE: ReadonlySet<string> = new Set(['HIVE_CORRUPT', 'HIVE_DIRTY', 'FORMAT_UNSUPPORTED', 'LIMIT_EXCEEDED'])

export interface OsFactsOptions extends WorkOptions {
  /** Told of a hive that is there and cannot be used, and why. */
  readonly onUnusable: (why: string) => void
}

/**
 * What the SOFTWARE hive of an operating system says, with the changes of its servicing layers; `layers` base first. Reads
 * each layer as far as its hive. Undefined when there is no hive, or none that can be used.
 */
export async function findOsFacts(layers: readonly Layer[], options: OsFactsOptions): Promise<OsFacts | undefined> {
  let place = ''
  try {
    let root: HiveKey | undefined
    for (const [index, layer] of layers.entries()) {
      place = layer.title
      if (!layer.hasContent) return undefined
      const bytes = await findSoftware(layer, index === 0 ? ['config', 'base'] : ['delta'], options)
      if (bytes === undefined && index === 0) return undefined
      if (bytes === undefined) continue
      // What is looked for is a few values: a hive that its logs would mend tells them as well as another.
      const own = new HiveFile(sourceOfBytes(bytes), {acceptDirty: true}).root
      root = root === undefined ? own : flatten(root, own)
    }
    return root === undefined ? undefined : osFactsIn(root)
  } catch (error) {
    if (!(error instanceof TransshipError) || !UNUSABLE.has(error.code)) throw error
    options.onUnusable(`${place}: ${error.message}`)
    return undefined
  }
}

async function findSoftware(
  layer: Layer,
  forms: readonly HiveForm[],
  options: WorkOptions,
): Promise<Uint8Array | undefined> {
  for await (const entry of layer.entries({...(options.signal === undefined ? {} : {signal: options.signal})})) {
    if (entry.kind !== 'file') continue
    const role = findHiveRole(entry.path)
    if (role?.name !== 'Software' || role.part !== 'hive' || !forms.includes(role.form)) continue
    // Some tools write a file of no bytes for no hive.
    if ((entry.content?.size ?? 0) > 0) return readHeld(entry, MAX_HIVE_BYTES)
  }
  return undefined
}
