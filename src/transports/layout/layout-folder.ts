import {readdirSync} from 'node:fs'
import path from 'node:path'
import {parseDigest, type Digest} from '../../model/digest.js'
import {asTransshipError, findSystemCode, InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {LayerForm} from '../../model/image.js'
import {DIRECTORY_CARRIER_SUFFIX, findHive, parseLayerPath} from '../../model/layer-path.js'
import type {PayloadIndex} from '../../formats/transport-layout/payload-index.js'
import {hashFile} from '../../disk/hash-file.js'
import {findIndex} from '../../formats/transport-layout/read-index.js'
import {FolderFiles} from '../../formats/transport-layout/folder-files.js'
import {TransportLayout} from '../../formats/transport-layout/read-layout.js'

/** What a folder shows at a glance. */
export interface LayoutFolder {
  readonly folder: string
  readonly form: LayerForm
  /** Real files instead of carriers. */
  readonly isPlain: boolean
}

/** The index of a bare layout lies beside it: inside, an importer would take it for payload. */
export function indexFileOf(folder: string): string {
  return `${path.resolve(folder)}.payload-index.jsonl`
}

export function readIndexOf(folder: string): PayloadIndex | undefined {
  const file = indexFileOf(folder)
  return findIndex(new FolderFiles(path.dirname(file), file), path.basename(file), file)
}

/** Digest of a layout's index, which is that of its payload; undefined where none can be read, as opening it will tell. */
export function digestOfIndex(folder: string): Digest | undefined {
  try {
    return parseDigest(`sha256:${hashFile(indexFileOf(folder))}`)
  } catch (error) {
    if (findSystemCode(error) === undefined) throw error
    return undefined
  }
}

/** What lies in a folder; nothing where it cannot be listed. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** What the folder is; undefined when it is no transport layout: `Files` beside `Hives`, or a base. */
export function findLayoutFolder(folder: string): LayoutFolder | undefined {
  const top = namesIn(folder)
  const files = top.find((name) => name.toLowerCase() === 'files')
  const hives = top.find((name) => name.toLowerCase() === 'hives')
  if (files === undefined || top.includes('metadata.json')) return undefined
  const hasSidecar = top.some((name) => name.endsWith(DIRECTORY_CARRIER_SUFFIX))
  const forms = (hives === undefined ? [] : namesIn(path.join(folder, hives))).map((name) => {
    try {
      return findHive(parseLayerPath(`Hives/${name}`))?.form
    } catch {
      return undefined
    }
  })
  const hasConfig = namesIn(path.join(folder, files, 'Windows', 'System32', 'config')).some((name) =>
    /^system$/i.test(name),
  )
  if (hives === undefined && !hasSidecar && !hasConfig) return undefined
  const isBase = forms.includes('base') || (hasConfig && !forms.includes('delta'))
  return {folder, form: isBase ? 'base' : 'delta', isPlain: isPlainTree(folder, top, files)}
}

/** A tree with folders and not one sidecar holds plain files. */
function isPlainTree(folder: string, top: readonly string[], files: string): boolean {
  if (top.some((name) => name.endsWith(DIRECTORY_CARRIER_SUFFIX))) return false
  const children = readdirSync(path.join(folder, files), {withFileTypes: true})
  return (
    children.some((child) => child.isDirectory()) &&
    !children.some((child) => child.name.endsWith(DIRECTORY_CARRIER_SUFFIX))
  )
}

export function requireLayoutFolder(folder: string): LayoutFolder {
  const found = findLayoutFolder(folder)
  if (found !== undefined) return found
  try {
    readdirSync(folder)
  } catch (error) {
    throw asTransshipError(error, {reference: `layout:${folder}`})
  }
  throw new InputError('UNRECOGNISED_FORMAT', {
    what: `'${folder}' is not a transport layout.`,
    why: 'Expected the folder Files and, unless it is a base, Hives.',
    suggestions: ['Pass the folder that the export of a layer created.'],
    at: {reference: `layout:${folder}`},
  })
}

export function openLayoutFolder(
  {folder, form, isPlain}: LayoutFolder,
  index: PayloadIndex | undefined,
  options: WorkOptions,
): TransportLayout {
  const layout = new TransportLayout(new FolderFiles(folder, folder), {
    ...options,
    title: folder,
    form,
    isPlain,
    ...(index === undefined ? {} : {index, isIndexBeside: true}),
  })
  for (const stray of layout.scanned.strays) {
    options.onEvent?.({
      kind: 'loss',
      code: 'not-payload',
      message: 'This does not belong to a transport layout and was left out.',
      subject: `${folder}/${stray}`,
    })
  }
  return layout
}
