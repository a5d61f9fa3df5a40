import {EnvironmentError, InputError, type ErrorPlace} from './errors.js'
import {upcase} from './upcase.js'

declare const layerPathBrand: unique symbol
/**
 * A path inside a transport layout: relative, `/` between components, no empty, `.` or `..` component, never a
 * backslash, colon or control character. `Files/Windows/x.dll`. Made only by `parseLayerPath` and `childPath`.
 */
export type LayerPath = string & {readonly [layerPathBrand]: true}

/** UTF-16 units in one NTFS name. */
const MAX_COMPONENT_UNITS = 255
/** UTF-16 units in one NT path. Source: hcsshim internal/safefile ntRelativePath. */
const MAX_PATH_UNITS = 32767
/**
 * Names in one path. NTFS has no such bound; Windows' own layers need some thirty. Without one, a path of single letters
 * would make folders that no file system call can name, and that tools which walk by recursion cannot remove.
 */
export const MAX_PATH_DEPTH = 1000
/** Suffix of the carrier that holds a directory's metadata. Source: hcsshim internal/wclayer/legacy.go. */
export const DIRECTORY_CARRIER_SUFFIX = '.$wcidirs$'

const FOLDED_SUFFIX = upcase(DIRECTORY_CARRIER_SUFFIX)

/**
 * Names that mean a device in every folder, with anything behind a dot and spaces before it. Sources: Microsoft, "Naming
 * Files, Paths, and Namespaces" and RtlIsDosDeviceName_U, which take any digit; the superscript ones are digits to Windows.
 * CLOCK$ was one until Windows 95 and is an ordinary name on NT.
 */
const RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\..*)?$/i

function unsafe(text: string, why: string): InputError {
  return new InputError('NAME_UNSAFE', {
    what: `The entry name ${JSON.stringify(text.slice(0, 300))} is unsafe.`,
    why,
    suggestions: ['Do not convert this input unless you trust its author, who must change the name.'],
  })
}

/**
 * Parses the path of a layer entry. Refuses what could escape the layer or mean something else on Windows:
 * absolute and drive paths, UNC, `.`/`..`/empty components, backslash, colon, NUL and control characters, half of a
 * surrogate pair, over-long names (`NAME_UNSAFE`), device names and trailing dots or spaces (`NAME_RESERVED`), and too deep ones (`NAME_TOO_LONG`).
 */
export function parseLayerPath(text: string): LayerPath {
  if (text === '') throw unsafe(text, 'It is empty.')
  if (text.length > MAX_PATH_UNITS) throw unsafe(text, `It is longer than ${MAX_PATH_UNITS} UTF-16 units.`)
  if (text.startsWith('/')) throw unsafe(text, 'It is absolute.')
  requireDepth(text)
  for (const component of text.split('/')) requireComponent(component, text)
  return text as LayerPath
}

/** Throws `NAME_TOO_LONG`. */
function requireDepth(text: string): void {
  // So short a path cannot be too deep.
  if (text.length < 2 * MAX_PATH_DEPTH) return
  let depth = 1
  for (let at = text.indexOf('/'); at >= 0; at = text.indexOf('/', at + 1)) depth++
  if (depth <= MAX_PATH_DEPTH) return
  throw new EnvironmentError('NAME_TOO_LONG', {
    what: `The entry name ${JSON.stringify(text.slice(0, 300))} is refused.`,
    why: `It leads through ${depth} folders and files, and at most ${MAX_PATH_DEPTH} are written into one another.`,
    suggestions: ['Do not convert this input unless you trust whoever made it; the name must be changed there.'],
  })
}

function requireComponent(component: string, whole: string): void {
  if (component === '') throw unsafe(whole, 'It has an empty component.')
  if (component === '.' || component === '..') throw unsafe(whole, `It has a '${component}' component.`)
  if (component.length > MAX_COMPONENT_UNITS)
    throw unsafe(whole, `A component is longer than ${MAX_COMPONENT_UNITS} UTF-16 units.`)
  for (let index = 0; index < component.length; index++) {
    const unit = component.charCodeAt(index)
    if (unit < 0x20) throw unsafe(whole, `It has the control character 0x${unit.toString(16).padStart(2, '0')}.`)
    if (unit === 0x5c) throw unsafe(whole, 'It has a backslash, which is a separator on Windows.')
    if (unit === 0x3a) throw unsafe(whole, 'It has a colon outside the name of an alternate stream.')
    // Only where there are surrogates at all, since every name comes by here.
    if ((unit & 0xf800) === 0xd800 && /\p{Surrogate}/u.test(component))
      throw unsafe(
        whole,
        'It has half of a surrogate pair, which neither a tar nor the files of other systems can hold.',
      )
  }
  if (RESERVED.test(component) || component.endsWith('.') || component.endsWith(' ')) {
    throw new InputError('NAME_RESERVED', {
      what: `The entry name ${JSON.stringify(whole.slice(0, 300))} is reserved on Windows.`,
      why: `Windows cannot open ${JSON.stringify(component)} by its ordinary name: it is a device name, or ends in a dot or space.`,
      suggestions: ['Rename the file where the layer was made.'],
    })
  }
}

/** A name that ends as the sidecars of directories do, in whatever case Windows would open it. */
export function isControlName(name: string): boolean {
  return name.endsWith('$') && foldPath(name).endsWith(FOLDED_SUFFIX)
}

/** An entry whose name a layer cannot hold because it is that of a sidecar: `NAME_UNSAFE`. */
export function controlNameRefused(path: string, at: ErrorPlace): InputError {
  return new InputError('NAME_UNSAFE', {
    what: `The layer entry '${path}' is not allowed.`,
    why: 'Windows would treat it as the metadata of a directory.',
    suggestions: ['Rename it where the layer was made.'],
    at,
  })
}

/**
 * Two entries of one layer whose names are one on Windows: `NAME_COLLISION`, or `DUPLICATE_ENTRY` when they are spelt
 * alike. Every reader and every writer of layers refuses them by this rule; who compares does so by `foldPath`.
 */
export function nameTaken(path: string, first: string, at: ErrorPlace): InputError {
  const isSame = first === path
  return new InputError(isSame ? 'DUPLICATE_ENTRY' : 'NAME_COLLISION', {
    what: isSame ? `The layer contains '${path}' twice.` : `'${path}' and '${first}' are the same name on Windows.`,
    why: 'The tool that reads the layer would decide which one wins.',
    suggestions: ['Rename or remove one of them where the layer was made.'],
    at,
  })
}

/** `parent/name`, checked. */
export function childPath(parent: LayerPath, name: string): LayerPath {
  requireComponent(name, `${parent}/${name}`)
  requireDepth(`${parent}/${name}`)
  return `${parent}/${name}` as LayerPath
}

/** The path without its last component, or undefined at the top. */
export function parentPath(path: LayerPath): LayerPath | undefined {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? undefined : (path.slice(0, slash) as LayerPath)
}

/** The last component. */
export function baseName(path: LayerPath): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** The form under which Windows sees two names as one: every UTF-16 unit upper-cased by the NTFS table. */
export function foldPath(path: string): string {
  return upcase(path)
}

/** The part of the transport layout that a path belongs to. */
export type PayloadPart = 'files' | 'hives' | 'utility-vm' | 'other'

/** Tells the part by the first component, case-insensitively as Windows does. */
export function payloadPart(path: LayerPath): PayloadPart {
  const slash = path.indexOf('/')
  switch ((slash < 0 ? path : path.slice(0, slash)).toLowerCase()) {
    case 'files':
      return 'files'
    case 'hives':
      return 'hives'
    case 'utilityvm':
      return 'utility-vm'
    default:
      return 'other'
  }
}

/** The registry hives of a layer. Source: hcsshim internal/wclayer/cim/common.go; DefaultUser is config\DEFAULT. */
export const HIVE_NAMES = ['DefaultUser', 'Sam', 'Security', 'Software', 'System'] as const
export type HiveName = (typeof HIVE_NAMES)[number]

/** The hive a path names (`Hives/System_Delta`), with its form; undefined for any other path. */
export function findHive(path: LayerPath): {name: HiveName; form: 'base' | 'delta'} | undefined {
  const match = /^hives\/([a-z]+)_(base|delta)$/i.exec(path)
  const name = HIVE_NAMES.find((known) => known.toLowerCase() === match?.[1]?.toLowerCase())
  return name === undefined ? undefined : {name, form: match?.[2]?.toLowerCase() === 'base' ? 'base' : 'delta'}
}

/** Byte order of the UTF-8 forms, which is the order in which hcsshim walks a folder and in which lists are sorted. */
export function comparePaths(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index)
    const b = right.charCodeAt(index)
    if (a === b) continue
    // UTF-16 order differs from code point order only where a surrogate meets a unit above the surrogates.
    const aSurrogate = (a & 0xf800) === 0xd800
    const bSurrogate = (b & 0xf800) === 0xd800
    if (aSurrogate !== bSurrogate) return aSurrogate ? (b >= 0xe000 ? 1 : a - b) : a >= 0xe000 ? -1 : a - b
    return a - b
  }
  return left.length - right.length
}
