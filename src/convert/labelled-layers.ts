import type {Note} from '../model/events.js'
import type {Image} from '../model/image.js'
import {formatFullName, identityKey, isSamePackage} from '../model/package-identity.js'
import {parseImageConfig} from './image-config.js'
import {findPackageLabel, PACKAGE_LABEL, type LabelledPackage} from './package-label.js'

/**
 * The packages that an image's label makes of its lowest layers, base first and without a gap. A label is a hint from
 * outside: it is followed as far as its packages make a chain, each built on the one before, and what breaks it is noted.
 */
export function labelledLayers(image: Image, note: (note: Note) => void = () => undefined): readonly LabelledPackage[] {
  const label = image.config === undefined ? undefined : parseImageConfig(image.config).config?.Labels?.[PACKAGE_LABEL]
  if (label === undefined) return []
  const malformed = (message: string) => {
    note({code: 'label-malformed', message, subject: PACKAGE_LABEL})
  }
  const packages = findPackageLabel(label, (what) => {
    malformed(`Part of the label is malformed. transship ignored ${what}.`)
  })
  if (packages === undefined) {
    malformed(`The label ${PACKAGE_LABEL} is malformed, so transship ignored it.`)
    return []
  }
  const left = [...packages]
  const chain: LabelledPackage[] = []
  for (const layer of image.layers) {
    // Two layers may be equal: each package is the payload of one.
    const at = left.findIndex(({diffId}) => diffId === layer.diffId)
    const [found] = at < 0 ? [] : left.splice(at, 1)
    if (found === undefined) break
    const fault = findChainFault(found, chain)
    if (fault !== undefined) {
      malformed(
        `transship ignored the label for ${formatFullName(found.metadata.identity)} and the packages above it. ${fault}`,
      )
      break
    }
    chain.push(found)
  }
  return chain
}

/** Why a package cannot be the next of a chain. */
function findChainFault({metadata, form}: LabelledPackage, chain: readonly LabelledPackage[]): string | undefined {
  const {identity, dependencies, isOsImage} = metadata
  const below = chain.at(-1)?.metadata.identity
  const [dependency] = dependencies
  if (chain.some((other) => identityKey(other.metadata.identity) === identityKey(identity)))
    return 'The label names it twice.'
  if (dependencies.length > (below === undefined ? 0 : 1)) return 'It depends on a package that is not below it.'
  if (below !== undefined && (dependency === undefined || !isSamePackage(dependency, below)))
    return 'It does not depend on the package below it.'
  if (isOsImage && (below !== undefined || form === 'delta')) return 'An operating system has nothing below it.'
  return below !== undefined && form === 'base' ? 'A base lies on nothing.' : undefined
}
