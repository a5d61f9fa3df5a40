/*
 * Names of the parts of an AppX package. In the zip they are percent-encoded with `/` between names, in the block map
 * plain with `\`. Source: inbox package page, sections 2.1 and 2.2.
 */

export const MANIFEST = 'AppxManifest.xml'
export const BLOCK_MAP = 'AppxBlockMap.xml'
export const CONTENT_TYPES = '[Content_Types].xml'
export const SIGNATURE = 'AppxSignature.p7x'
/** Marks a bundle. Source: msix-packaging, AppxPackageObject.hpp. */
export const BUNDLE_MANIFEST = 'AppxMetadata/AppxBundleManifest.xml'
export const CATALOG = 'AppxMetadata/CodeIntegrity.cat'

const FOOTPRINT = new Set([MANIFEST, BLOCK_MAP, CONTENT_TYPES, SIGNATURE].map((name) => name.toLowerCase()))
/** Not in the block map: they are made of it, or made after it. */
const UNMAPPED = new Set([BLOCK_MAP, CONTENT_TYPES, SIGNATURE, CATALOG].map((name) => name.toLowerCase()))

const PLAIN = /[A-Za-z0-9\-._~/]/
const DEVICE = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?$/i
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f]/
const FORBIDDEN = /["*/:<>?|\\\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

/** True for a part that the block map does not list. */
export function isUnmapped(path: string): boolean {
  return path.length <= CATALOG.length && UNMAPPED.has(path.toLowerCase())
}

/** True for a part that the container itself needs, at its top. */
export function isFootprint(path: string): boolean {
  // It is asked of every part, and none of these has a longer name than the catalog.
  if (path.length > CATALOG.length) return false
  return FOOTPRINT.has(path.toLowerCase()) || path.toLowerCase() === CATALOG.toLowerCase()
}

/** Why AppX refuses a payload file of this name; undefined when it takes it. */
export function findNameFault(path: string): string | undefined {
  if (path.length === 0 || path.length > 32767) return 'It is empty or too long.'
  if (isFootprint(path)) return 'The container uses this name for a part of its own.'
  if (/^(?:appxmetadata|microsoft\.system\.package\.metadata)(?:\/|$)/i.test(path))
    return 'The name of its folder is reserved.'
  if (/(?:^|\/)_rels\/(?:.*\/)?[^/]*\.rels$/i.test(path)) return 'It is the name of a relationship part.'
  for (const segment of path.split('/')) {
    const why = findSegmentFault(segment)
    if (why !== undefined) return why
  }
  return undefined
}

function findSegmentFault(segment: string): string | undefined {
  if (segment === '' || segment === '.' || segment === '..') return 'It has an empty component, or one named . or ..'
  if (segment.length > 255) return 'A component is longer than 255 UTF-16 units.'
  if (CONTROL.test(segment) || FORBIDDEN.test(segment)) return 'It has a character that AppX does not allow.'
  if (segment.endsWith('.') || segment.endsWith(' ')) return 'A component ends in a dot or space.'
  if (DEVICE.test(segment)) return 'A component is a device name.'
  return /^xn--/i.test(segment) ? 'A component begins with xn--.' : undefined
}

/** The name in the zip: every byte of the UTF-8 form but letters, digits and `-._~/` as %XX. */
export function encodePartName(path: string): string {
  if (path === CONTENT_TYPES) return path
  if (/^[A-Za-z0-9\-._~/]*$/.test(path)) return path
  let encoded = ''
  for (const byte of Buffer.from(path)) {
    const character = String.fromCharCode(byte)
    encoded += PLAIN.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}

/** The path that a name in the zip stands for; undefined when it is no valid encoding, or hides a separator. */
export function findPartPath(name: string): string | undefined {
  if (!name.includes('%') && /^[\u0020-\u007e]*$/.test(name)) return name.includes('\\') ? undefined : name
  const bytes: number[] = []
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at)
    if (unit !== 0x25) {
      bytes.push(unit)
      continue
    }
    const hex = name.slice(at + 1, at + 3)
    if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return undefined
    const byte = Number.parseInt(hex, 16)
    if (byte === 0x2f || byte === 0x5c || byte === 0) return undefined
    bytes.push(byte)
    at += 2
  }
  try {
    const path = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(Uint8Array.from(bytes))
    return path.includes('\\') ? undefined : path
  } catch {
    return undefined
  }
}
