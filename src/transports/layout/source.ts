import {UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Image, Layer} from '../../model/image.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import type {Reference} from '../../model/reference.js'
import {requirePlatform} from '../../formats/image-documents/platform-choice.js'
import type {ListItem, OpenOptions} from '../../model/transport.js'
import {digestOfIndex, openLayoutFolder, readIndexOf, requireLayoutFolder, type LayoutFolder} from './layout-folder.js'
import {formatLayoutReference, LAYOUT} from './reference.js'

export function listLayout(reference: Reference): Promise<readonly ListItem[]> {
  const {folder} = requireLayoutFolder(reference.path)
  const payloadDigest = digestOfIndex(folder)
  return Promise.resolve([
    {
      kind: 'transport-layout',
      reference: formatLayoutReference(reference),
      names: [folder],
      ...(payloadDigest === undefined ? {} : {payloadDigest}),
      layers: 1,
    },
  ])
}

/** The layout as one layer above those of its parents, which come nearest first. */
export function openLayout(reference: Reference, options: OpenOptions): Promise<Image> {
  requirePlatform(WINDOWS, {reference: formatLayoutReference(reference), wanted: options.platform})
  const parents = (options.parents ?? []).map(requireLayoutReference)
  const folders = [...parents.map(({path}) => path).reverse(), reference.path].map(requireLayoutFolder)
  const [lowest] = folders
  return Promise.resolve({
    names: [],
    platform: {os: 'windows', architecture: 'amd64'},
    layers: folders.map(layerOf),
    ...(lowest?.form === 'delta' ? {warnings: [NO_BASE]} : {warnings: []}),
    close: () => Promise.resolve(),
  })
}

/** A transport layout does not state its architecture. */
export const WINDOWS = {os: 'windows'}

const NO_BASE = {
  code: 'parents-unknown',
  message: 'This layout builds on another one. Pass it with --parent layout:DIR.',
}

function requireLayoutReference(reference: Reference): Reference {
  if (reference.transport === LAYOUT) return reference
  throw new UsageError('BAD_OPTION', {
    what: `--parent takes layout:DIR, not ${reference.transport}:${reference.path}.`,
    suggestions: ['Pass a parent of another transport with --base REFERENCE.'],
  })
}

/** Its title goes into images that others pull: what the folder is called here is nobody's business there. */
function layerOf(found: LayoutFolder, index: number): Layer {
  return {
    title: `layer ${index}`,
    form: found.form,
    hasContent: true,
    entries: (options: WorkOptions = {}): AsyncIterable<LayerEntry> =>
      openLayoutFolder(found, readIndexOf(found.folder), options).entries(),
  }
}
