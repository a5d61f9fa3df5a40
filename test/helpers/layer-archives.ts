import {writeFile} from 'node:fs/promises'
import {encodeLayerTar} from '../../src/codecs/layer-tar/encode-layer-tar.js'
import {contentOf} from '../../src/model/content.js'
import type {FileEntry, LayerEntry} from '../../src/model/layer-entry.js'
import {hybridMembers, partsOf, tarOf} from './archives.js'
import {collect} from './bytes.js'
import {directoryEntry, fileEntry} from './file-system-model.js'

/** The folder of the hives of an OS. */
export const CONFIG = 'Files/Windows/System32/config'

/** A file of a layer with these bytes. */
export function fileOf(path: string, bytes: Uint8Array | string, mark = 0x20): FileEntry {
  return {...(fileEntry(path, '', mark) as FileEntry), content: contentOf(Buffer.from(bytes))}
}

/** The entries with the directories that they lie in, once each, in front. */
export function withParents(entries: readonly LayerEntry[]): LayerEntry[] {
  const known = new Set(entries.flatMap((entry) => (entry.kind === 'directory' ? [entry.path as string] : [])))
  const parents: LayerEntry[] = []
  for (const entry of entries) {
    if (entry.kind === 'frame') continue
    const names = entry.path.split('/')
    for (let length = 1; length < names.length; length++) {
      const parent = names.slice(0, length).join('/')
      if (known.has(parent)) continue
      known.add(parent)
      parents.push(directoryEntry(parent))
    }
  }
  return [...parents, ...entries]
}

/** A layer as Docker stores it. */
export async function layerTarOf(entries: readonly LayerEntry[]): Promise<Buffer> {
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* given(): AsyncGenerator<LayerEntry> {
    yield* withParents(entries)
  }
  return collect(encodeLayerTar(given(), {keepFrames: false}))
}

/** Writes an image of these layers, base first, as `docker save` does, and gives its reference. */
export async function saveImage(
  file: string,
  layers: readonly (readonly LayerEntry[])[],
  config: object = {},
): Promise<string> {
  const tars: Buffer[] = []
  for (const layer of layers) tars.push(await layerTarOf(layer))
  await writeFile(file, await tarOf(hybridMembers(partsOf(tars, config))))
  return `docker-archive:${file}`
}
