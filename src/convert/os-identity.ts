import type {Note, WorkOptions} from '../model/events.js'
import type {Layer, Platform} from '../model/image.js'
import {trace} from '../model/trace.js'
import {findPaddedVersion, type PackageIdentity} from '../model/package-identity.js'
import {osVersionIn, type OsFacts} from '../formats/transport-layout/os-facts.js'
import {findOsFacts} from './os-facts.js'

/*
 * The identity of an OS package, by evidence of its payload: what its own SOFTWARE hive says, then what the configuration
 * says. Names and labels are texts that anybody writes as they like, and are never looked at. Source: design, section 8.
 */

export interface OsIdentityOptions extends WorkOptions {
  readonly osName?: string
  readonly osVersion?: string
  readonly note: (note: Note) => void
}

const PUBLISHER = 'CN=Microsoft'
const SUBJECT = 'os package'

/** Names of OS packages by the kind of installation. Source: design, section 8; names of the inbox package page, 1.2. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['nano server', 'NanoServer'],
  ['server core', 'WindowsServerCore'],
  ['server', 'WindowsServer'],
])
const OTHER = 'WindowsBase'

/** `CN=Microsoft_<Name>_<version>` of the operating system that these layers are, base first. What contradicts is noted. */
export async function identifyOs(
  layers: readonly Layer[],
  platform: Platform,
  options: OsIdentityOptions,
): Promise<PackageIdentity> {
  const {osName, osVersion, note} = options
  const isGiven = osName !== undefined && osVersion !== undefined
  const onUnusable = (why: string) => {
    note({code: 'os-hive-unusable', message: `The SOFTWARE hive does not identify the OS. ${why}`, subject: SUBJECT})
  }
  const facts = isGiven ? undefined : await findOsFacts(layers, {...options, onUnusable})
  const identity = {
    publisher: PUBLISHER,
    name: osName ?? nameOf(facts, platform, note),
    version: osVersion === undefined ? versionOf(facts, platform, note) : (findPaddedVersion(osVersion) ?? osVersion),
  }
  const evidence = {given: {osName, osVersion}, hive: facts, configuration: platform}
  trace('decision', () => `OS identity ${JSON.stringify(identity)} by ${JSON.stringify(evidence)}`)
  return identity
}

function nameOf(facts: OsFacts | undefined, {osFeatures}: Platform, note: OsIdentityOptions['note']): string {
  const stated = facts === undefined ? undefined : statedName(facts, note)
  // An empty list says as little as none.
  const hasWin32k = osFeatures === undefined || osFeatures.length === 0 ? undefined : osFeatures.includes('win32k')
  if (stated === undefined) {
    // Nano Server is the one without it. Source: image-spec config.md, os.features.
    if (hasWin32k === true) return 'WindowsServerCore'
    note({
      code: 'os-name-guessed',
      message: `Neither a SOFTWARE hive nor os.features identify the OS, so its package is called ${OTHER}. Pass --os-name to change that.`,
      subject: SUBJECT,
    })
    return OTHER
  }
  if (hasWin32k !== undefined && hasWin32k === (stated === 'NanoServer'))
    contradict(
      note,
      `The SOFTWARE hive is from ${stated}, but os.features ${hasWin32k ? 'contains' : 'lacks'} win32k. transship trusts the hive.`,
    )
  return stated
}

/** By the kind of installation; where that is not stated, by an edition that only one kind has. */
function statedName(
  {installationType, editionId, productName}: OsFacts,
  note: OsIdentityOptions['note'],
): string | undefined {
  const edition = editionName(editionId) ?? editionName(productName)
  if (installationType === undefined) return edition
  const name = NAMES.get(installationType.toLowerCase()) ?? OTHER
  if (edition !== undefined && (edition === 'NanoServer') !== (name === 'NanoServer'))
    contradict(
      note,
      `The SOFTWARE hive states the installation '${installationType}' but the edition '${editionId ?? productName ?? ''}'. transship trusts the installation.`,
    )
  return name
}

function editionName(edition: string | undefined): string | undefined {
  if (edition === undefined) return undefined
  if (/nano/i.test(edition)) return 'NanoServer'
  // ServerDatacenter is the edition of the whole server and of Server Core alike.
  return /cor(?:e)?$/i.test(edition) ? 'WindowsServerCore' : undefined
}

function versionOf(facts: OsFacts | undefined, {osVersion}: Platform, note: OsIdentityOptions['note']): string {
  const configured = osVersion === undefined ? undefined : findPaddedVersion(osVersion)
  const own = facts === undefined ? undefined : osVersionIn(facts, configured)
  if (facts?.build !== undefined && /^\d+/.exec(facts.buildLab ?? `${facts.build}`)?.[0] !== String(facts.build))
    contradict(
      note,
      `The SOFTWARE hive states build ${facts.build} but the lab '${facts.buildLab ?? ''}'. transship trusts the build.`,
    )
  if (own !== undefined) {
    if (configured !== undefined && configured !== own)
      contradict(
        note,
        `The SOFTWARE hive is from ${own}, but os.version says ${configured}. transship trusts the hive.`,
      )
    return own
  }
  if (configured === undefined) {
    note({
      code: 'os-version-unknown',
      message: 'The image has no usable os.version. Pass it with --os-version.',
      subject: osVersion ?? 'os.version',
    })
  }
  return configured ?? '10.0.0.0'
}

function contradict(note: OsIdentityOptions['note'], message: string): void {
  note({code: 'os-evidence-contradicts', message, subject: SUBJECT})
}
