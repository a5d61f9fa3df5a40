import {UsageError} from '../../model/errors.js'
import type {Reference} from '../../model/reference.js'

/** How references to packages are spelt; `place` is the word for the path: REPOSITORY or the like. */
export interface PackageGrammar {
  /** For help texts. */
  readonly grammar: string
  readonly parse: (location: string) => Reference
  readonly format: (reference: Reference) => string
}

/**
 * The grammar `PLACE[:PACKAGE]`. The package is what follows the last colon: a full name, a name, or name and version, none
 * of which holds a colon or a separator. A drive's colon is none of them. Parsing throws `BAD_REFERENCE`.
 */
export function packageGrammar(transport: string, place: string): PackageGrammar {
  const grammar = `${place}[:PACKAGE]`
  return {
    grammar,
    parse: (location) => {
      const colon = location.lastIndexOf(':')
      const after = location.slice(colon + 1)
      const isDrive = colon === 1 && /^[A-Za-z]:(?:[\\/]|$)/.test(location)
      const isSelector = colon >= 0 && !isDrive && !/[\\/]/.test(after)
      const path = isSelector ? location.slice(0, colon) : location
      if (path === '' || (isSelector && after === '')) {
        throw new UsageError('BAD_REFERENCE', {
          what: `'${transport}:${location}' does not name a ${place.toLowerCase()}${isSelector ? ' and a package' : ''}.`,
          suggestions: [`Write ${transport}:${grammar}.`],
        })
      }
      return {transport, path, ...(isSelector ? {selector: after} : {})}
    },
    format: ({path, selector}) => `${transport}:${path}${selector === undefined ? '' : `:${selector}`}`,
  }
}
