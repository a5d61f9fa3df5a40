import {UsageError} from '../../model/errors.js'
import type {Reference} from '../../model/reference.js'

export const INBOX = 'inbox'
export const GRAMMAR = 'REPOSITORY[:PACKAGE]'

/**
 * Parses `REPOSITORY[:PACKAGE]`. The package is what follows the last colon: a full name, a name, or name and version, none
 * of which holds a colon or a separator. A drive's colon is none of them. Throws `BAD_REFERENCE`.
 */
export function parseInboxLocation(location: string): Reference {
  const colon = location.lastIndexOf(':')
  const after = location.slice(colon + 1)
  const isDrive = colon === 1 && /^[A-Za-z]:(?:[\\/]|$)/.test(location)
  const isSelector = colon >= 0 && !isDrive && !/[\\/]/.test(after)
  const path = isSelector ? location.slice(0, colon) : location
  if (path === '' || (isSelector && after === '')) {
    throw new UsageError('BAD_REFERENCE', {
      what: `'inbox:${location}' does not name a repository${isSelector ? ' and a package' : ''}.`,
      suggestions: [`Write inbox:${GRAMMAR}.`],
    })
  }
  return {transport: INBOX, path, ...(isSelector ? {selector: after} : {})}
}

export function formatInboxReference({path, selector}: Reference): string {
  return `${INBOX}:${path}${selector === undefined ? '' : `:${selector}`}`
}
