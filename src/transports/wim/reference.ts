import {UsageError} from '../../model/errors.js'
import {findSelectorColon, type Reference} from '../../model/reference.js'

export const WIM = 'wim'
export const GRAMMAR = 'FILE[:INDEX|NAME]'

/** Parses `FILE`, `FILE:INDEX` or `FILE:NAME`; names of images may have spaces and colons. Throws `BAD_REFERENCE`. */
export function parseWimLocation(location: string): Reference {
  const colon = findSelectorColon(location)
  const path = colon < 0 ? location : location.slice(0, colon)
  const selector = location.slice(colon + 1)
  if (path === '' || (colon >= 0 && selector === '')) {
    throw new UsageError('BAD_REFERENCE', {
      what: path === '' ? 'The reference does not name a file.' : 'The reference ends in a colon.',
      why: `Expected ${WIM}:${GRAMMAR}.`,
      suggestions: [`${WIM}:install.wim`, `${WIM}:install.wim:1`, `${WIM}:base.wim:NanoServer`],
    })
  }
  return colon < 0 ? {transport: WIM, path} : {transport: WIM, path, selector}
}

export function formatWimReference({path, selector}: Reference): string {
  return `${WIM}:${path}${selector === undefined ? '' : `:${selector}`}`
}
