import {
  fitsPlatform,
  parsePlatform,
  platformUnsupported,
  requirePlatform,
  statedPlatform,
} from '../image-documents/platform-choice.js'
import type {Platform} from '../../model/image.js'
import type {StatedPlatform} from '../image-documents/image-documents.js'
import {selectPackage, type Repository, type StoredPackage} from './repository.js'

/** AppX names of processor architectures -> Go's, which Docker uses. */
const ARCHITECTURES: Readonly<Record<string, string>> = {x64: 'amd64', x86: '386', arm: 'arm', arm64: 'arm64'}

/** What a package is for; one that is neutral is told as amd64. */
export function platformOf({metadata}: StoredPackage): Platform {
  return {
    os: 'windows',
    architecture: ARCHITECTURES[metadata.architecture] ?? 'amd64',
    ...(metadata.osVersion === undefined ? {} : {osVersion: metadata.osVersion}),
    ...(metadata.osFeatures === undefined ? {} : {osFeatures: metadata.osFeatures}),
  }
}

/** The same without an architecture where the package is for every one. */
function requiredBy(stored: StoredPackage): StatedPlatform {
  const {architecture, ...others} = statedPlatform(platformOf(stored))
  const isNeutral = ARCHITECTURES[stored.metadata.architecture] === undefined
  return {...others, ...(isNeutral || architecture === undefined ? {} : {architecture})}
}

/** The one package that a selector names, of those for the platform. Throws `PLATFORM_UNSUPPORTED` and what selecting throws. */
export function selectFitting<P extends StoredPackage>(
  repository: Repository<P>,
  selector: string | undefined,
  wanted: string | undefined,
): P {
  const packages = selector === undefined && wanted !== undefined ? fittingPackages(repository, wanted) : undefined
  const top = selectPackage(packages === undefined ? repository : {...repository, packages}, selector)
  requirePlatform(requiredBy(top), {reference: repository.referenceTo(top.metadata.identity), wanted})
  return top
}

/** All packages for the platform. Throws `PLATFORM_UNSUPPORTED` where there are packages, and none of them is. */
export function fittingPackages<P extends StoredPackage>(
  repository: Repository<P>,
  wanted: string | undefined,
): readonly P[] {
  const {packages} = repository
  if (wanted === undefined) return packages
  const parsed = parsePlatform(wanted)
  const fitting = packages.filter((stored) => fitsPlatform(requiredBy(stored), parsed, false))
  if (fitting.length > 0 || packages.length === 0) return fitting
  throw platformUnsupported(wanted, {
    reference: repository.referenceTo(),
    offered: packages.map((stored) => ({
      reference: repository.referenceTo(stored.metadata.identity),
      platform: statedPlatform(platformOf(stored)),
    })),
  })
}
