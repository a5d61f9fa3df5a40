import {UsageError} from '../../model/errors.js'
import {hidePassword} from '../../model/hidden-password.js'
import type {Reference} from '../../model/reference.js'
import {findTaggedName} from '../shared/image-name.js'

export const NAME = 'docker-daemon'
export const GRAMMAR = 'NAME[:TAG]|ID'

function badReference(text: string): UsageError {
  return new UsageError('BAD_REFERENCE', {
    what: `'${hidePassword(`${NAME}:${text}`).slice(0, 300)}' names no image of an engine.`,
    why: `Expected ${NAME}:${GRAMMAR}, the name in lower case; nothing behind the colon means all images.`,
    suggestions: [`${NAME}:contoso/web:1.0`, `${NAME}:5f1c2a9b7d3e`, `${NAME}:`],
  })
}

/** What a reference asks an engine for. */
export type Wanted =
  | {readonly kind: 'all'}
  /** A digest, or the first digits of one. */
  | {readonly kind: 'id'; readonly id: string}
  /** A few hexadecimal digits without a tag may be either; an engine takes them for a name first, as Docker does. */
  | {readonly kind: 'name'; readonly name: string; readonly tag: string | undefined; readonly mayBeId: boolean}

/** Parses `NAME`, `NAME:TAG`, `ID`, `sha256:ID` or nothing. Throws `BAD_REFERENCE`. */
export function parseLocation(location: string): Reference {
  if (location === '' || isCertainId(location)) return {transport: NAME, path: location}
  const name = findTaggedName(location)
  if (name === undefined || location.startsWith('sha256:')) throw badReference(location)
  const hasTag = location.endsWith(`:${name.tag}`)
  return hasTag
    ? {transport: NAME, path: location.slice(0, -name.tag.length - 1), selector: name.tag}
    : {transport: NAME, path: location}
}

/** The inverse of `parseLocation`, with the transport's name in front. */
export function formatLocation({path, selector}: Reference): string {
  return `${NAME}:${path}${selector === undefined ? '' : `:${selector}`}`
}

/** The reference taken apart. */
export function wantedOf({path, selector}: Reference): Wanted {
  if (path === '') return {kind: 'all'}
  if (isCertainId(path)) return {kind: 'id', id: path.replace(/^sha256:/, '')}
  const mayBeId = selector === undefined && /^[0-9a-f]{1,63}$/.test(path)
  return {kind: 'name', name: path, tag: selector, mayBeId}
}

/** No repository is called `sha256` or by 64 hexadecimal digits. Source: distribution reference grammar. */
function isCertainId(text: string): boolean {
  return /^sha256:[0-9a-f]{1,64}$/.test(text) || /^[0-9a-f]{64}$/.test(text)
}
