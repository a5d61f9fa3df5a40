import {HiveFile} from '../codecs/registry-hive/hive-file.js'
import {findKey, type HiveKey} from '../codecs/registry-hive/hive-key.js'
import {sourceOfBytes} from '../codecs/registry-hive/hive-source.js'
import {flatten} from '../codecs/registry-hive/layered-keys.js'
import {MAX_HIVE_BYTES} from '../codecs/registry-hive/open-hive.js'
import {ValueType} from '../codecs/registry-hive/value-text.js'
import {TransshipError} from '../model/errors.js'
import type {WorkOptions} from '../model/events.js'
import {readHeld} from '../model/held-file.js'
import {findHiveRole, type HiveForm} from '../model/hive-role.js'
import type {Layer} from '../model/image.js'

/** What an operating system says of itself. Source: values of `SOFTWARE\Microsoft\Windows NT\CurrentVersion`. */
export interface OsFacts {
  /** `Server Core`, `Nano Server`, `Server`, `Client`. */
  readonly installationType?: string
  /** `ServerDatacenter`, `ServerDatacenterNano` … */
  readonly editionId?: string
  readonly productName?: string
  readonly major: number
  readonly minor: number
  readonly build?: number
  /** UBR: the revision, which updates raise. */
  readonly revision?: number
  /** `14393.206.amd64fre.rs1_release.160915-0644`. */
  readonly buildLab?: string
}

const CURRENT_VERSION = ['Microsoft', 'Windows NT', 'CurrentVersion']

const TEXT_TYPES: ReadonlySet<number> = new Set([ValueType.string, ValueType.expandString])

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
    const key = root === undefined ? undefined : findKey(root, CURRENT_VERSION)
    return key === undefined ? undefined : factsOf(key)
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

function factsOf(key: HiveKey): OsFacts {
  const values = new Map(key.values().map((value) => [value.name.toLowerCase(), value]))
  const text = (name: string): string | undefined => {
    const value = values.get(name.toLowerCase())
    if (value === undefined || value.isTombstone || !TEXT_TYPES.has(value.type)) return undefined
    // A missing or doubled NUL at the end is common.
    const found = Buffer.from(value.data).toString('utf16le').split('\0')[0]?.trim()
    return found === '' ? undefined : found
  }
  const number = (name: string): number | undefined => {
    const value = values.get(name.toLowerCase())
    const isNumber = value?.type === ValueType.dword && value.data.byteLength === 4
    return isNumber ? Buffer.from(value.data).readUInt32LE(0) : undefined
  }
  const buildLab = text('BuildLabEx') ?? text('BuildLab')
  const [labBuild, labRevision] =
    /^(\d{1,5})\.(\d{1,5})\./
      .exec(buildLab ?? '')
      ?.slice(1)
      .map(Number) ?? []
  const stated = /^\d{1,5}$/.exec(text('CurrentBuild') ?? text('CurrentBuildNumber') ?? '')?.[0]
  const build = stated === undefined ? labBuild : Number(stated)
  const revision = number('UBR') ?? (build === labBuild ? labRevision : undefined)
  const [installationType, editionId, productName] = [text('InstallationType'), text('EditionID'), text('ProductName')]
  return {
    ...(installationType === undefined ? {} : {installationType}),
    ...(editionId === undefined ? {} : {editionId}),
    ...(productName === undefined ? {} : {productName}),
    major: number('CurrentMajorVersionNumber') ?? 10,
    minor: number('CurrentMinorVersionNumber') ?? 0,
    ...(build === undefined ? {} : {build}),
    ...(revision === undefined ? {} : {revision}),
    ...(buildLab === undefined ? {} : {buildLab}),
  }
}
