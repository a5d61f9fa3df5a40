import {findDigest, type Digest} from '../../model/digest.js'
import {UsageError} from '../../model/errors.js'
import {findSelectorColon, type Reference} from '../../model/reference.js'

/** How references into OCI layouts are spelt: a tag behind a colon, as skopeo and umoci have it, or a digest behind `@`. */
export interface LayoutGrammar {
  readonly parse: (location: string) => Reference
  readonly format: (reference: Reference) => string
}

/** Grammar of one transport; `place` is the word for its path: DIR or FILE. */
export function layoutGrammar(transport: string, place: string): LayoutGrammar {
  const bad = (what: string): UsageError =>
    new UsageError('BAD_REFERENCE', {
      what,
      why: `Expected ${transport}:${place}[:TAG|@DIGEST].`,
      suggestions: [`${transport}:images`, `${transport}:images:1.0`, `${transport}:images@sha256:…`],
    })
  return {
    parse: (location) => {
      const colon = findSelectorColon(location)
      const path = colon < 0 ? location : location.slice(0, colon)
      const digestAt = /@[a-z0-9]+$/.exec(path)?.index
      if (colon >= 0 && digestAt !== undefined && findDigest(location.slice(digestAt + 1)) !== undefined) {
        if (digestAt === 0) throw bad('The reference has no path.')
        return {transport, path: location.slice(0, digestAt), selector: location.slice(digestAt)}
      }
      if (path === '') throw bad('The reference has no path.')
      const [cut] = CUT_DIGEST.exec(location) ?? []
      if (cut !== undefined && findDigest(cut.slice(1)) === undefined)
        throw bad(`'${cut.slice(1, 300)}' is not a digest.`)
      if (colon < 0) return {transport, path}
      const selector = location.slice(colon + 1)
      if (!TAG.test(selector)) throw bad(`'${selector.slice(0, 300)}' is neither a tag nor a digest.`)
      return {transport, path, selector}
    },
    format: ({path, selector}) => {
      const separator = selector === undefined || selector.startsWith('@') ? '' : ':'
      return `${transport}:${path}${separator}${selector ?? ''}`
    },
  }
}

/** What ends like a digest: one that lacks characters would be a tag, of which nobody could tell why it is not there. */
const CUT_DIGEST = /@sha(?:256|384|512):[^/@]*$/

/**
 * Looser than the grammar of image-spec annotations.md, since names with a port occur; nothing that a shell would eat but the
 * brackets of an address. Long enough for the longest name with its digest.
 */
const TAG = /^(?:[A-Za-z0-9_]|\[[0-9A-Fa-f:]+\][:/])[A-Za-z0-9_.@:+/-]{0,511}$/

/** True for what a reference can select by. */
export function isRef(text: string): boolean {
  return TAG.test(text)
}

/** A selector that ends in a digest, taken apart; what stands in front may be empty, a tag or a name. */
export function findPinned(selector: string): {readonly name: string; readonly digest: Digest} | undefined {
  const at = selector.lastIndexOf('@')
  const digest = at < 0 ? undefined : findDigest(selector.slice(at + 1))
  return digest === undefined ? undefined : {name: selector.slice(0, at), digest}
}
