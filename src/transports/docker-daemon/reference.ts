import type {Digest} from '../../model/digest.js'
import {UsageError} from '../../model/errors.js'
import {hidePassword} from '../../model/hidden-password.js'
import type {Reference} from '../../model/reference.js'
import {findDockerName} from '../../formats/image-documents/image-name.js'
import {findPinned} from '../../formats/oci-layout/reference.js'

export const NAME = 'docker-daemon'
export const GRAMMAR = 'NAME[:TAG|@DIGEST]|ID'

function badReference(text: string): UsageError {
  return new UsageError('BAD_REFERENCE', {
    what: `'${hidePassword(`${NAME}:${text}`).slice(0, 300)}' is not a valid reference to an engine image.`,
    why: `Expected ${NAME}:${GRAMMAR}, with the name in lower case. Nothing after the colon means all images.`,
    suggestions: [`${NAME}:contoso/web:1.0`, `${NAME}:5f1c2a9b7d3e`, `${NAME}:`],
  })
}

/** What a reference asks an engine for. */
export type Wanted =
  | {readonly kind: 'all'}
  /** A digest, or the first digits of one. */
  | {readonly kind: 'id'; readonly id: string}
  /** A few hexadecimal digits without a tag may be either; an engine takes them for a name first, as Docker does. */
  | {
      readonly kind: 'name'
      readonly name: string
      readonly tag: string | undefined
      readonly mayBeId: boolean
      readonly digest?: Digest
    }

/** Parses `NAME`, `NAME:TAG`, `NAME@DIGEST`, `ID`, `sha256:ID` or nothing. Throws `BAD_REFERENCE`. */
export function parseLocation(location: string): Reference {
  if (location === '' || isCertainId(location)) return {transport: NAME, path: location}
  const name = findDockerName(location)
  if (name === undefined || location.startsWith('sha256:')) throw badReference(location)
  const {tag, digest} = name
  const pin = digest === undefined ? '' : `@${digest}`
  const tail = `${tag === undefined ? '' : `:${tag}`}${pin}`
  const path = location.slice(0, location.length - tail.length)
  return tail === '' ? {transport: NAME, path} : {transport: NAME, path, selector: `${tag ?? ''}${pin}`}
}

/** The inverse of `parseLocation`, with the transport's name in front. */
export function formatLocation({path, selector}: Reference): string {
  const separator = selector === undefined || selector.startsWith('@') ? '' : ':'
  return `${NAME}:${path}${separator}${selector ?? ''}`
}

/** The reference taken apart. */
export function wantedOf({path, selector}: Reference): Wanted {
  if (path === '') return {kind: 'all'}
  if (isCertainId(path)) return {kind: 'id', id: path.replace(/^sha256:/, '')}
  const mayBeId = selector === undefined && /^[0-9a-f]{1,63}$/.test(path)
  const pinned = selector === undefined ? undefined : findPinned(selector)
  if (pinned === undefined) return {kind: 'name', name: path, tag: selector, mayBeId}
  const {name: tag, digest} = pinned
  return {kind: 'name', name: path, tag: tag === '' ? undefined : tag, mayBeId, digest}
}

/** No repository is called `sha256` or by 64 hexadecimal digits. Source: distribution reference grammar. */
function isCertainId(text: string): boolean {
  return /^sha256:[0-9a-f]{1,64}$/.test(text) || /^[0-9a-f]{64}$/.test(text)
}
