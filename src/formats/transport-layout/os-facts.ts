import {findKey, type HiveKey} from '../../codecs/registry-hive/hive-key.js'
import {ValueType} from '../../codecs/registry-hive/value-text.js'
import {findPaddedVersion} from '../../model/package-identity.js'

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

/** What a SOFTWARE hive says of its operating system; undefined where it says nothing. */
export function osFactsIn(root: HiveKey): OsFacts | undefined {
  const key = findKey(root, CURRENT_VERSION)
  return key === undefined ? undefined : factsOf(key)
}

/** A hive without UBR tells the build alone; the revision is then that which is stated beside it, if it is of that build. */
export function osVersionIn({major, minor, build, revision}: OsFacts, stated: string | undefined): string | undefined {
  if (build === undefined) return undefined
  const stem = `${major}.${minor}.${build}`
  if (revision !== undefined) return findPaddedVersion(`${stem}.${revision}`)
  return stated?.startsWith(`${stem}.`) === true ? stated : findPaddedVersion(stem)
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
