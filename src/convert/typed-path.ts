import {UsageError} from '../model/errors.js'
import {foldPath, type LayerPath} from '../model/layer-path.js'
import {withoutEnd, withoutStart} from '../model/text-ends.js'

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
  const trimmed = foldPath(withoutEnd(withoutStart(drive === undefined ? path : inside, '/'), '/'))
  const isOfLayer = drive === undefined && (!path.startsWith('/') || PARTS.includes(trimmed.split('/')[0] ?? ''))
  if (isOfLayer) return trimmed
  const root = foldPath('Files')
  return trimmed === '' ? (drive === undefined ? '' : root) : `${root}/${trimmed}`
}

/** What a typed path asks for. */
export interface TypedPath {
  /** Everything. */
  readonly isAll: boolean
  /** True for what the path names, and for all below it. */
  fits(path: LayerPath): boolean
}

/**
 * A path as users type it, as what it selects: itself and all below it. `*` and `?` stand for characters of one name and
 * `**` for any folders, as Windows allows none of them in names; a pattern without a folder, `*.exe`, fits in all folders.
 * Throws `BAD_OPTION` for another drive.
 */
export function parseTypedPath(text: string | undefined): TypedPath {
  const typed = foldTypedPath(text)
  if (typed === '') return {isAll: true, fits: () => true}
  if (!/[*?]/.test(typed)) {
    const below = `${typed}/`
    return {
      isAll: false,
      fits: (path) => {
        const folded = foldPath(path)
        return folded === typed || folded.startsWith(below)
      },
    }
  }
  const glob = /[\\/:]/.test(text ?? '') ? typed : `**/${typed}`
  const pattern = new RegExp(`^${patternOf(glob)}(?:/|$)`, 'su')
  return {isAll: false, fits: (path) => pattern.test(foldPath(path))}
}

function patternOf(glob: string): string {
  const parts = glob.split('/')
  const patterns = parts.map((part, index) => {
    const isLast = index === parts.length - 1
    if (part === '**') return isLast ? '.*' : '(?:[^/]+/)*'
    return `${part.replaceAll(/[\\^$.*+?()[\]{}|]/g, characterOf)}${isLast ? '' : '/'}`
  })
  return patterns.join('')
}

function characterOf(character: string): string {
  if (character === '*') return '[^/]*'
  return character === '?' ? '[^/]' : `\\${character}`
}
