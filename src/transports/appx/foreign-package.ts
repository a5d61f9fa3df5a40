import type {Manifest} from '../../codecs/appx/manifest.js'
import {isFootprint} from '../../codecs/appx/part-name.js'
import {InputError} from '../../model/errors.js'
import type {LayerForm} from '../../model/image.js'
import {DIRECTORY_CARRIER_SUFFIX} from '../../model/layer-path.js'
import {
  isPackageVersion,
  parseFullName,
  requirePackageIdentity,
  type PackageIdentity,
} from '../../model/package-identity.js'
import {UNIX_EPOCH} from '../../model/windows-metadata.js'
import type {Warning} from '../../model/fault-sink.js'
import type {PackageDocument} from '../../formats/package/metadata.js'
import type {StoredPackage} from '../../formats/package/repository.js'
import type {Container} from './container.js'
import {ContainerFiles} from './container-files.js'
import {EXTENSION} from './reference.js'

/* Packages that transship did not write. No bytes of the originals are public; what is read here is what any of them must
 * have had, by the policy of the inbox package page, section 3.1. */

/** 1980-01-01, the zero of DOS dates. */
const ZIP_EPOCH = UNIX_EPOCH + 315_532_800n * 10_000_000n
const ARCHITECTURES: ReadonlySet<string> = new Set(['x86', 'x64', 'arm', 'arm64', 'neutral'])

/** What can be told of a package without metadata.json. Throws `UNRECOGNISED_FORMAT` when it holds no container payload. */
export function readForeignPackage(
  container: Container,
  manifest: Manifest,
  entryName: string,
): PackageDocument & Pick<StoredPackage, 'files' | 'warnings'> {
  const warnings: Warning[] = []
  const identity = identityOf(manifest, entryName)
  const root = payloadRoot(container, entryName)
  const files = new ContainerFiles(container, root)
  const top = files.list('')
  const holdsCarriers = top.files.some((name) => name.toLowerCase() === `files${DIRECTORY_CARRIER_SUFFIX}`)
  const dependencies = dependenciesOf(manifest, identity, warnings)
  const form = formOf(files)
  let unused = 0
  let first: string | undefined
  for (const {path} of container.reader.parts()) {
    if (path.startsWith(root) || isFootprint(path)) continue
    unused++
    first ??= path
  }
  if (first !== undefined) {
    const message = `transship ignores ${unused} files outside the payload, starting with '${first}'.`
    warnings.push({code: 'not-payload', message})
  }
  const {displayName, description, osVersion, architecture = 'neutral'} = manifest
  return {
    isLegacy: false,
    files,
    warnings,
    payload: {Kind: form, Layout: holdsCarriers ? 'transport-1' : 'plain-1'},
    metadata: {
      identity,
      ...(displayName === undefined ? {} : {friendlyName: displayName}),
      ...(description === undefined ? {} : {description}),
      architecture: ARCHITECTURES.has(architecture.toLowerCase()) ? architecture.toLowerCase() : 'neutral',
      ...(osVersion !== undefined && isPackageVersion(osVersion) ? {osVersion} : {}),
      isOsImage: dependencies.length === 0 && form === 'base',
      createdTime: timeOf(files),
      dependencies,
    },
  }
}

/** From the manifest, else from the name of the file. */
function identityOf({name = '', publisher = '', version = ''}: Manifest, entryName: string): PackageIdentity {
  try {
    return requirePackageIdentity({publisher, name, version})
  } catch (error) {
    try {
      return parseFullName(entryName.replace(new RegExp(`\\${EXTENSION}$`, 'i'), ''))
    } catch {
      throw error
    }
  }
}

/** The shallowest folder that holds Files next to Hives, with `/` behind it. */
function payloadRoot({reader}: Container, entryName: string): string {
  const found = new Map<string, Set<string>>()
  for (const {path} of reader.parts()) {
    const names = path.split('/')
    for (const [depth, name] of names.slice(0, -1).entries()) {
      const folded = name.toLowerCase()
      if (folded !== 'files' && folded !== 'hives') continue
      const root = names.slice(0, depth).join('/')
      found.set(root, (found.get(root) ?? new Set()).add(folded))
    }
  }
  const roots = [...found].filter(([, names]) => names.size === 2).map(([root]) => root)
  const depthOf = (root: string) => (root === '' ? 0 : root.split('/').length)
  const [root] = roots.sort((left, right) => depthOf(left) - depthOf(right) || (left < right ? -1 : 1))
  if (root !== undefined) return root === '' ? '' : `${root}/`
  throw new InputError('UNRECOGNISED_FORMAT', {
    what: 'The package contains no container payload.',
    why: 'No folder in it has both Files and Hives.',
    suggestions: ['Pass a package from Export-ContainerImage or transship.'],
    at: {path: entryName},
  })
}

/** From PackageDependency, else from any full name in the manifest that is not its own. */
function dependenciesOf(manifest: Manifest, own: PackageIdentity, warnings: Warning[]): readonly PackageIdentity[] {
  const stated = manifest.dependencies.flatMap(({name = '', publisher = '', version = ''}) => {
    try {
      return [requirePackageIdentity({publisher, name, version})]
    } catch {
      return []
    }
  })
  const isOther = ({publisher, name, version}: PackageIdentity) =>
    publisher !== own.publisher || name !== own.name || version !== own.version
  const [first, second] = stated.length > 0 ? stated : manifest.fullNames.filter(isOther)
  if (first === undefined) {
    const message = 'Its manifest names no dependency. If the package has a parent, pass it with --base.'
    warnings.push({code: 'parent-unknown', message})
    return []
  }
  if (second !== undefined)
    warnings.push({
      code: 'parent-unclear',
      message: 'Its manifest names several dependencies. transship uses the first as the parent.',
    })
  return [first]
}

function formOf(files: ContainerFiles): LayerForm {
  const {folders} = files.list('')
  const hives = folders.find((name) => name.toLowerCase() === 'hives')
  const names = hives === undefined ? [] : files.list(hives).files.map((name) => name.toLowerCase())
  if (names.some((name) => name.endsWith('_delta'))) return 'delta'
  return names.some((name) => name.endsWith('_base')) ? 'base' : 'delta'
}

/** The newest time of a hive, since each container has its hives written when it is made an image. */
function timeOf(files: ContainerFiles): string {
  const hives = files.list('').folders.find((name) => name.toLowerCase() === 'hives') ?? 'Hives'
  const ticks = files.list(hives).files.map((name) => files.find(`${hives}/${name}`)?.times.lastWrite ?? 0n)
  const newest = ticks.reduce((most, each) => (each > most ? each : most), ZIP_EPOCH)
  const milliseconds = Number((newest - UNIX_EPOCH) / 10_000n)
  return new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, '.0000000Z')
}
