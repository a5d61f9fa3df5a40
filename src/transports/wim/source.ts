import type {ImageDescription} from '../../codecs/wim/description.js'
import type {ImageTree} from '../../codecs/wim/image-tree.js'
import {HeaderFlag} from '../../codecs/wim/header.js'
import type {WorkOptions} from '../../model/events.js'
import {UsageError} from '../../model/errors.js'
import type {Image, Layer, Platform} from '../../model/image.js'
import type {Reference} from '../../model/reference.js'
import type {ListItem, OpenOptions} from '../../model/transport.js'
import {configOf, createdTimeOf, imageNamesOf, isWindowsImage, missingHives, platformOf} from './describe-image.js'
import {isUtilityVm, matching, referenceOf, requireOne} from './select-image.js'
import {provenPlatform} from './proven-platform.js'
import {formatWimReference, WIM} from './reference.js'
import {readWimDelta} from './wim-delta.js'
import {WimFile} from './wim-file.js'
import {readWimLayer, type WimLayerImages} from './wim-layer.js'

/** Every image of the file, in its order; the utility VM of one is no image of its own unless it is asked for. */
export async function listWim(reference: Reference, {onEvent}: WorkOptions = {}): Promise<readonly ListItem[]> {
  const wim = await WimFile.open(reference.path)
  try {
    const found = matching(wim, reference)
    const vms = reference.selector === undefined && found.length > 1 ? found.filter(isUtilityVm) : []
    for (const vm of vms) {
      const message = 'This is the utility VM of the other images. transship converts it with them.'
      onEvent?.({kind: 'note', code: 'utility-vm', message, subject: referenceOf(wim, vm)})
    }
    return found.filter((description) => !vms.includes(description)).map((description) => listItem(wim, description))
  } finally {
    await wim.close()
  }
}

function listItem(wim: WimFile, description: ImageDescription): ListItem {
  const {name, totalBytes} = description
  const createdTime = createdTimeOf(description)
  return {
    kind: 'image',
    reference: referenceOf(wim, description),
    names: name === undefined ? [] : [name],
    platform: platformOf(description),
    ...(createdTime === undefined ? {} : {createdTime}),
    ...(totalBytes === undefined ? {} : {sizeBytes: totalBytes}),
    layers: 1,
  }
}

/**
 * The image as one base layer; its utility VM is part of it where the file has one. With a Windows image file among the
 * bases, the changes to that image are a second layer above it.
 */
export async function openWim(reference: Reference, options: OpenOptions): Promise<Image> {
  const opened: WimFile[] = []
  const close = async () => {
    for (const wim of opened) await wim.close()
  }
  try {
    const above = await openDescribed(reference, opened, options)
    const base = (options.bases ?? []).find(({transport}) => transport === WIM)
    const below = base === undefined ? undefined : await openDescribed(base, opened, options)
    if (base !== undefined && below !== undefined) requireOther(below, above, base)
    const {wim, description, tree} = above
    const isBase = isWindowsImage(tree)
    return {
      names: imageNamesOf(description),
      platform: above.platform,
      config: configOf(description, above.platform, below?.description),
      layers:
        below === undefined
          ? [layerOf(wim, description, isBase)]
          : [layerOf(below.wim, below.description, isWindowsImage(below.tree)), deltaOf(below, above)],
      warnings: [...above.contradictions, ...warningsOf(wim, description, tree)],
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

interface Described {
  readonly wim: WimFile
  readonly description: ImageDescription
  readonly tree: ImageTree
  readonly platform: Platform
  readonly contradictions: Image['warnings']
}

async function openDescribed(reference: Reference, opened: WimFile[], {signal}: OpenOptions): Promise<Described> {
  const wim = await WimFile.open(reference.path)
  opened.push(wim)
  signal?.throwIfAborted()
  const description = requireOne(wim, reference)
  const tree = await wim.tree(description.index)
  return {wim, description, tree, ...(await provenPlatform({wim, tree}, description))}
}

function requireOther(below: Described, above: Described, base: Reference): void {
  if (below.wim.path !== above.wim.path || below.description.index !== above.description.index) return
  const others = above.wim.descriptions.filter(({index}) => index !== above.description.index)
  throw new UsageError('BAD_OPTION', {
    what: `--base ${formatWimReference(base)} is the source itself.`,
    why: 'Nothing would be left of it.',
    suggestions: others.slice(0, 3).map((other) => `--base ${referenceOf(above.wim, other)}`),
  })
}

/** What makes one image of the other: files that differ, deletions, and delta hives. */
function deltaOf(below: Described, above: Described): Layer {
  const placed = ({wim, description}: Described) => ({wim, images: imagesOf(wim, description)})
  const change = {below: placed(below), above: placed(above)}
  return {
    title: `changes of image ${above.description.index}`,
    form: 'delta',
    hasContent: true,
    entries: (options = {}) => readWimDelta(change, options),
  }
}

function layerOf(wim: WimFile, description: ImageDescription, isBase: boolean): Layer {
  const images = imagesOf(wim, description)
  const {totalBytes} = description
  return {
    title: `image ${description.index}`,
    ...(isBase ? {form: 'base' as const} : {}),
    hasContent: true,
    ...(totalBytes === undefined ? {} : {sizeBytes: totalBytes}),
    entries: (options = {}) => readWimLayer(wim, images, options),
  }
}

/** The image, and the utility VM that the file has for it. */
export function imagesOf(wim: WimFile, description: ImageDescription): WimLayerImages {
  const utilityVm = isUtilityVm(description) ? undefined : wim.descriptions.find(isUtilityVm)
  return {files: description.index, ...(utilityVm === undefined ? {} : {utilityVm: utilityVm.index})}
}

function* warningsOf(
  wim: WimFile,
  description: ImageDescription,
  tree: ImageTree,
): Generator<Image['warnings'][number]> {
  if ((wim.header.flags & HeaderFlag.writeInProgress) !== 0) {
    yield {
      code: 'write-in-progress',
      message: 'The file is marked as being written. A program is writing to it, or crashed while writing.',
    }
  }
  if (!wim.isDescribed) {
    yield {code: 'xml-contradictory', message: 'The XML of the file does not match the images in the file.'}
  }
  if (!isWindowsImage(tree)) {
    yield {code: 'no-windows', message: 'The image has no system hive, so it does not contain Windows.'}
    return
  }
  const missing = missingHives(tree)
  if (missing.length > 0) {
    yield {code: 'hives-missing', message: `The image lacks hives that a container needs: ${missing.join(', ')}.`}
  }
  if (imagesOf(wim, description).utilityVm === undefined) {
    yield {
      code: 'utility-vm-missing',
      message: 'The file has no utility VM, so containers with Hyper-V isolation cannot run.',
    }
  }
  yield {
    code: 'base-hives-missing',
    message:
      'A WIM holds no Hives/*_Base; the host makes them from Windows/System32/config when it installs the image.',
  }
}
