import {UsageError} from '../../model/errors.js'
import {findSelectorColon, type Reference} from '../../model/reference.js'
import {findDockerName, fullNameOf} from '../../formats/image-documents/image-name.js'

export const NAME = 'docker-archive'
export const GRAMMAR = 'FILE[:NAME:TAG|:@INDEX]'

/** What a selector asks for. */
export type Selection =
  {readonly kind: 'index'; readonly index: number} | {readonly kind: 'name'; readonly name: string} | undefined

function badReference(what: string): UsageError {
  return new UsageError('BAD_REFERENCE', {
    what,
    why: `Expected ${NAME}:${GRAMMAR}; FILE may be - for a pipe.`,
    suggestions: [`${NAME}:image.tar`, `${NAME}:image.tar:contoso/web:1.0`, `${NAME}:image.tar:@0`],
  })
}

/** Parses `FILE`, `FILE:NAME:TAG` or `FILE:@INDEX`. Throws `BAD_REFERENCE`. */
export function parseLocation(location: string): Reference {
  const colon = findSelectorColon(location)
  const path = colon < 0 ? location : location.slice(0, colon)
  if (path === '') throw badReference('The reference has no file.')
  if (colon < 0) return {transport: NAME, path}
  const reference = {transport: NAME, path, selector: location.slice(colon + 1)}
  selectionOf(reference)
  return reference
}

/** The inverse of `parseLocation`, with the transport's name in front. */
export function formatLocation({path, selector}: Reference): string {
  return `${NAME}:${path}${selector === undefined ? '' : `:${selector}`}`
}

/** The selector taken apart. Throws `BAD_REFERENCE`. */
export function selectionOf({selector}: Reference): Selection {
  if (selector === undefined) return undefined
  if (/^@[0-9]{1,6}$/.test(selector)) return {kind: 'index', index: Number(selector.slice(1))}
  const name = findDockerName(selector)
  if (name === undefined) throw badReference(`'${selector.slice(0, 300)}' is neither an image name nor @INDEX.`)
  return {kind: 'name', name: fullNameOf(name)}
}
