/**
 * AppX containers: parts, block map and manifest, with every block held against its hash.
 *
 * ```ts
 * import {decodeManifest} from 'transship/codecs/appx'
 * import {readFile} from 'node:fs/promises'
 *
 * const {name, version} = decodeManifest(await readFile('AppxManifest.xml'), 'AppxManifest.xml')
 * console.log(name, version)
 * ```
 */
export {PackageReader, type StoredPart} from '../codecs/appx/package-reader.js'
export {encodePackage, partOf, type AppxPart, type EncodePackageOptions} from '../codecs/appx/encode-package.js'
export {decodeManifest, encodeManifest, type Manifest, type ManifestFacts} from '../codecs/appx/manifest.js'
