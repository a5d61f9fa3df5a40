import path from 'node:path'
import {decodeManifest, type Manifest} from '../../codecs/appx/manifest.js'
import {MANIFEST, SIGNATURE} from '../../codecs/appx/part-name.js'
import {InputError} from '../../model/errors.js'
import {formatFullName, requirePackageIdentity, type PackageIdentity} from '../../model/package-identity.js'
import {isSamePackage} from '../../model/package-identity.js'
import type {Warning} from '../../model/fault-sink.js'
import {decodeDocument, MAX_METADATA_BYTES, type PackageDocument} from '../../formats/package/metadata.js'
import type {StoredPackage} from '../../formats/package/repository.js'
import {Container} from './container.js'
import {ContainerFiles} from './container-files.js'
import {readForeignPackage} from './foreign-package.js'

/** A package in a container, and what its manifest says. */
export interface AppxPackage extends StoredPackage {
  readonly container: Container
  readonly manifest: Manifest
  readonly close: () => void
}

/** Reads the package in a file. Of one that transship did not write, as much as its manifest and payload tell. */
export async function readPackageFile(file: string, entryName = path.basename(file)): Promise<AppxPackage> {
  const container = await Container.open(file, entryName)
  try {
    const place = `${entryName}: ${MANIFEST}`
    const manifest = decodeManifest(await container.reader.document(MANIFEST), place)
    return {
      ...describe(container, manifest, entryName),
      entryName,
      place: {kind: 'file', path: file},
      container,
      manifest,
      close: () => {
        container.close()
      },
    }
  } catch (error) {
    container.close()
    throw error
  }
}

type Described = PackageDocument & Pick<StoredPackage, 'files' | 'warnings'>

function describe(container: Container, manifest: Manifest, entryName: string): Described {
  const files = new ContainerFiles(container, '')
  const bytes = files.findSmall('metadata.json', MAX_METADATA_BYTES, `${entryName}/metadata.json`)
  const signature = signatureOf(container)
  if (bytes === undefined && manifest.own === undefined) {
    const foreign = readForeignPackage(container, manifest, entryName)
    return {...foreign, warnings: [...signature, ...(foreign.warnings ?? [])]}
  }
  if (bytes === undefined) {
    throw new InputError('PACKAGE_INCOMPLETE', {
      what: 'The manifest of the package names a metadata.json that the package does not contain.',
      suggestions: ['Export the package again.'],
      at: {path: entryName},
    })
  }
  const document = decodeDocument(bytes, formatFullName(statedIdentity(manifest, entryName)))
  requireAgreement(document, manifest, entryName)
  return {...document, files, warnings: signature}
}

/** Certificates are not looked at; what they cover is covered by hashes all the same. */
function signatureOf({reader}: Container): readonly Warning[] {
  if (reader.part(SIGNATURE) === undefined) return []
  return [{code: 'signature-not-checked', message: 'The package is signed. transship did not check the signature.'}]
}

/** The identity that a manifest states. Throws `IDENTITY_INVALID`. */
export function statedIdentity({name, publisher, version}: Manifest, place: string): PackageIdentity {
  if (name !== undefined && publisher !== undefined && version !== undefined)
    return requirePackageIdentity({publisher, name, version})
  throw new InputError('IDENTITY_INVALID', {
    what: 'The manifest of the package states no identity.',
    at: {path: place},
  })
}

/** Manifest and metadata.json tell the same facts twice. Source: inbox package page, section 3.3. */
function requireAgreement({metadata}: PackageDocument, manifest: Manifest, entryName: string): void {
  const [dependency] = metadata.dependencies
  const {dependencies, own, architecture = 'neutral'} = manifest
  const [stated, second] = dependencies
  const isSameParent =
    dependency === undefined || stated === undefined
      ? dependency === undefined && stated === undefined
      : second === undefined &&
        isSamePackage(dependency, {
          publisher: stated.publisher ?? '',
          name: stated.name ?? '',
          version: stated.version ?? '',
        })
  const parent = dependency === undefined ? undefined : formatFullName(dependency)
  const faults = [
    ...(isSameParent && (own === undefined || own.parent === parent) ? [] : ['the dependencies']),
    ...(architecture === metadata.architecture ? [] : ['the architecture']),
    ...(own === undefined || own.formatVersion === '1' ? [] : ['the format version']),
  ]
  if (faults.length === 0) return
  throw new InputError('METADATA_INVALID', {
    what: 'The manifest and the metadata.json of the package contradict each other.',
    why: `They differ in ${faults.join(' and ')}.`,
    suggestions: ['Export the package again.'],
    at: {path: entryName},
  })
}
