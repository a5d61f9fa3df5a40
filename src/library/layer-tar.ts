/**
 * Windows layer tars as streams of layer entries, and back.
 *
 * ```ts
 * import {createReadStream} from 'node:fs'
 * import {decodeLayerTar} from 'transship/codecs/layer-tar'
 *
 * for await (const entry of decodeLayerTar(createReadStream('layer.tar'), {title: 'layer.tar', keepFrames: false}))
 *   if (entry.kind === 'file') console.log(entry.path, entry.content?.size)
 * ```
 */
export {decodeLayerTar, type DecodeLayerTarOptions} from '../codecs/layer-tar/decode-layer-tar.js'
export {encodeLayerTar, type EncodeLayerTarOptions} from '../codecs/layer-tar/encode-layer-tar.js'
export type {AlternateStream, DirectoryEntry, FileEntry, HardLinkEntry, LayerEntry} from '../model/layer-entry.js'
export {parseLayerPath, type LayerPath} from '../model/layer-path.js'
export {readHeld as readContent} from '../model/held-file.js'
export type {FileTimes, WindowsMetadata} from '../model/windows-metadata.js'
