/**
 * Transport layouts in folders, package metadata, and the documents of images.
 *
 * ```ts
 * import {FolderFiles, TransportLayout} from 'transship/formats'
 *
 * const files = new FolderFiles('exported-layer', 'exported-layer')
 * const layout = new TransportLayout(files, {title: 'exported-layer', form: 'delta', isPlain: false})
 * for await (const entry of layout.entries()) console.log(entry.kind)
 * ```
 */
export {FolderFiles} from '../formats/transport-layout/folder-files.js'
export {TransportLayout, type ReadLayoutOptions} from '../formats/transport-layout/read-layout.js'
export {writeLayout, type WriteLayoutOptions, type WrittenLayout} from '../formats/transport-layout/write-layout.js'
export {decodeDocument, encodeDocument, type PackageDocument} from '../formats/package/metadata.js'
export {parseIndex, parseManifest, readConfig, type ConfigFacts} from '../formats/image-documents/image-documents.js'
export {MEDIA_TYPE} from '../formats/image-documents/media-types.js'
