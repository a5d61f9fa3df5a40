import type {Platform} from '../model/image.js'
import type {OsFacts} from '../formats/transport-layout/os-facts.js'

/** What Windows an image needs on its host. */
export interface WindowsNeed {
  /** `10.0.<build>.<revision>`, as the image states it. */
  readonly version?: string
  readonly build?: number
  /** Release of that build; absent for one that is not known here. */
  readonly release?: string
  /** Server Core, Nano Server, Server …; absent where nothing tells. */
  readonly edition?: string
  readonly editionEvidence?: string
  /** Hosts that can share their kernel with it. */
  readonly processIsolation?: string
  /** Hosts that can run it in a virtual machine of its own. */
  readonly hyperVIsolation?: string
}

/** Releases by build. Source: learn.microsoft.com, "Windows container version compatibility"; hcsshim osversion/windowsbuilds.go. */
const RELEASES: Readonly<Record<number, string>> = {
  14393: 'Windows Server 2016 (version 1607)',
  16299: 'Windows Server, version 1709',
  17134: 'Windows Server, version 1803',
  17763: 'Windows Server 2019 (version 1809)',
  18362: 'Windows Server, version 1903',
  18363: 'Windows Server, version 1909',
  19041: 'Windows Server, version 2004',
  19042: 'Windows Server, version 20H2',
  20348: 'Windows Server 2022',
  25398: 'Windows Server, version 23H2',
  26100: 'Windows Server 2025',
}

/**
 * From this build on, a host runs images of its own build and of those since the long-term release before it. Source:
 * hcsshim osversion/platform_compat_windows.go, CheckHostAndContainerCompat.
 */
const STABLE_ABI_BUILD = 20348
/** Of this build even the revision counts. Source: learn.microsoft.com, as above. */
const REVISION_BUILD = 14393

const EDITIONS: Readonly<Record<string, string>> = {
  'nano server': 'Nano Server',
  'server core': 'Server Core',
  server: 'Server',
}

/** What an image of Windows needs; undefined for one of another system. `facts`: of its own SOFTWARE hive, where it is at hand. */
export function windowsNeed(platform: Platform, facts: OsFacts | undefined): WindowsNeed | undefined {
  if (platform.os !== 'windows') return undefined
  const {osVersion, osFeatures = []} = platform
  const stated = Number(/^\d+\.\d+\.(\d+)/.exec(osVersion ?? '')?.[1])
  const build = facts?.build ?? (Number.isNaN(stated) ? undefined : stated)
  const release = build === undefined ? undefined : RELEASES[build]
  const installed = facts?.installationType
  const edition = installed === undefined ? undefined : (EDITIONS[installed.toLowerCase()] ?? installed)
  // Nano Server is the one without it. Source: image-spec config.md, os.features.
  const byFeature = osFeatures.includes('win32k') ? 'Server Core or Server' : undefined
  return {
    ...(osVersion === undefined ? {} : {version: osVersion}),
    ...(build === undefined ? {} : {build}),
    ...(release === undefined ? {} : {release}),
    ...(edition === undefined
      ? byFeature === undefined
        ? {}
        : {edition: byFeature, editionEvidence: 'os.features contains win32k'}
      : {edition, editionEvidence: 'its SOFTWARE hive'}),
    ...(build === undefined
      ? {}
      : {processIsolation: processHosts(build), hyperVIsolation: `Hosts of build ${String(build)} or later.`}),
  }
}

function processHosts(build: number): string {
  const own = String(build)
  if (build >= STABLE_ABI_BUILD) return `Hosts of build ${own} or later, up to the next long-term release.`
  const revision = build === REVISION_BUILD ? ', with the same revision' : ''
  return `Only hosts of build ${own}${revision}. All others need Hyper-V isolation.`
}
