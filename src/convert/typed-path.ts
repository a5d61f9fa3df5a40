import {UsageError} from '../model/errors.js'
import {foldPath} from '../model/layer-path.js'

/** The folders that stand beside each other in a layer; what a container sees as its drive `C:` is in `Files`. */
const PARTS = ['Files', 'Hives', 'UtilityVM'].map(foldPath)

/**
 * A path as users type it, folded for comparing: with `\` or `/`, from the top of a layer (`Files/Shop`), or as a
 * container sees it (`C:\Shop`, `\Shop`). Throws `BAD_OPTION` for another drive.
 */
export function foldTypedPath(text: string | undefined): string {
  const path = (text ?? '').replaceAll('\\', '/')
  const [, drive, inside = ''] = /^([A-Za-z]):(.*)$/s.exec(path) ?? []
  if (drive !== undefined && drive.toUpperCase() !== 'C')
    throw new UsageError('BAD_OPTION', {
      what: `A layer contains nothing from drive ${drive.toUpperCase()}:.`,
      suggestions: ['Pass a path on drive C:, or one from the root of the layer, such as Files/Shop.'],
    })
  const trimmed = foldPath((drive === undefined ? path : inside).replace(/^\/+|\/+$/g, ''))
  const isOfLayer = drive === undefined && (!path.startsWith('/') || PARTS.includes(trimmed.split('/')[0] ?? ''))
  if (isOfLayer) return trimmed
  const root = foldPath('Files')
  return trimmed === '' ? (drive === undefined ? '' : root) : `${root}/${trimmed}`
}
