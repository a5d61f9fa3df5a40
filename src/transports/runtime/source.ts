import path from 'node:path'
import {UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Image, Layer} from '../../model/image.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import type {Reference} from '../../model/reference.js'
import {requireWindows} from '../../runtime/require-windows.js'
import {readLayerChain} from '../../runtime/storage/layer-chain.js'
import {exportRuntimeLayer} from '../../runtime/storage/runtime-layers.js'
import {removeTree} from '../../disk/remove-tree.js'
import {makeTemporaryFolder} from '../../disk/temporary-folder.js'
import {FolderFiles} from '../../formats/transport-layout/folder-files.js'
import {TransportLayout} from '../../formats/transport-layout/read-layout.js'
import {requirePlatform} from '../../formats/image-documents/platform-choice.js'
import type {ListItem, OpenOptions} from '../../model/transport.js'
import {formatRuntimeReference} from './reference.js'

/** Throws `WINDOWS_ONLY` elsewhere. */
export function requireRuntime(reference: Reference): void {
  const text = formatRuntimeReference(reference)
  requireWindows(`'${text}'`, `transship inspect "${text}"`)
}

export async function listRuntime(reference: Reference): Promise<readonly ListItem[]> {
  requireRuntime(reference)
  const chain = await readLayerChain(reference.path)
  return [
    {
      kind: 'transport-layout',
      reference: formatRuntimeReference(reference),
      names: [reference.path],
      layers: chain.length + 1,
    },
  ]
}

/**
 * The layer above its parents, by the record of Docker. Windows exports each into a temporary folder when its entries are
 * first asked for, and `close` removes them.
 */
export async function openRuntime(reference: Reference, options: OpenOptions): Promise<Image> {
  requireRuntime(reference)
  requirePlatform({os: 'windows'}, {reference: formatRuntimeReference(reference), wanted: options.platform})
  if ((options.parents ?? []).length > 0) {
    throw new UsageError('BAD_OPTION', {
      what: '--parent is for transport layouts. A runtime layer records its own parents.',
      suggestions: ['Export the layer with its parents first: transship layout export --parent.'],
    })
  }
  const chain = await readLayerChain(reference.path)
  const temporary = makeTemporaryFolder()
  const folders = [reference.path, ...chain]
  const layers = folders.map((folder, depth): Layer => {
    // What is below a layer in its chain are its parents.
    const parents = folders.slice(depth + 1)
    return runtimeLayer(folder, parents, path.join(temporary, String(depth)))
  })
  return {
    names: [],
    platform: {os: 'windows', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64'},
    layers: layers.reverse(),
    warnings: [],
    close: () => {
      removeTree(temporary)
      return Promise.resolve()
    },
  }
}

function runtimeLayer(folder: string, parents: readonly string[], target: string): Layer {
  const form = parents.length === 0 ? 'base' : 'delta'
  let exported: Promise<unknown> | undefined
  async function* entries(options: WorkOptions = {}): AsyncGenerator<LayerEntry> {
    exported ??= exportRuntimeLayer(folder, target, {parents, ...options})
    await exported
    yield* new TransportLayout(new FolderFiles(target, folder), {
      ...options,
      title: folder,
      form,
      isPlain: false,
    }).entries()
  }
  return {title: folder, form, hasContent: true, entries}
}
