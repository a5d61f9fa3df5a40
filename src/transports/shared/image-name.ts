import {UsageError} from '../../model/errors.js'
import {hidePassword} from '../../model/hidden-password.js'

/** A Docker image name with its tag, taken apart. */
export interface TaggedName {
  /** As Docker shows it: without `docker.io/` and `library/`, always with a tag. */
  readonly familiar: string
  /** `docker.io/library/name:tag`. */
  readonly full: string
  /** `familiar` without its tag. */
  readonly repository: string
  readonly tag: string
}

const HOST =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
/** True for `HOST` or `HOST:PORT`, as it may stand in front of a name. */
export function isHost(text: string): boolean {
  return HOST.test(text)
}

/** True when what stands in front of the first slash is a host, and not the first part of a path. Source: normalize.go. */
export function isHostComponent(text: string): boolean {
  return /[.:]/.test(text) || text === 'localhost' || text.toLowerCase() !== text
}

/** Docker Hub has an older name. */
export function hubAsDocker(host: string): string {
  return host === 'index.docker.io' ? 'docker.io' : host
}

/** Longest host and path that registries take. */
const MAX_NAME = 255

/**
 * Takes `[HOST[:PORT]/]PATH[:TAG]` apart; a missing tag is `latest`. Undefined when it is no such name. Source:
 * distribution reference grammar; the first component is a host if it has a dot or colon or is `localhost`.
 */
export function findTaggedName(text: string): TaggedName | undefined {
  const slash = text.indexOf('/')
  const first = text.slice(0, Math.max(slash, 0))
  const hasHost = isHostComponent(first)
  const rest = hasHost ? text.slice(slash + 1) : text
  const colon = rest.indexOf(':')
  const tag = colon < 0 ? 'latest' : rest.slice(colon + 1)
  const path = colon < 0 ? rest : rest.slice(0, colon)
  if (!PATH.test(path) || !TAG.test(tag) || (hasHost && !HOST.test(first))) return undefined
  const isHub = !hasHost || first === 'docker.io' || first === 'index.docker.io'
  const host = isHub ? 'docker.io' : first
  const fullPath = isHub && !path.includes('/') ? `library/${path}` : path
  if (host.length + fullPath.length + 1 > MAX_NAME) return undefined
  const repository = isHub ? fullPath.replace(/^library\/(?=[^/]+$)/, '') : `${host}/${path}`
  return {familiar: `${repository}:${tag}`, full: `${host}/${fullPath}:${tag}`, repository, tag}
}

/** The same, for a name that must be one. Throws `BAD_REFERENCE`. */
export function requireTaggedName(text: string): TaggedName {
  const name = findTaggedName(text)
  if (name !== undefined) return name
  throw new UsageError('BAD_REFERENCE', {
    what: `'${hidePassword(text).slice(0, 300)}' is not the name of an image.`,
    why: 'Expected [HOST[:PORT]/]NAME[:TAG], the name in lower case, without a digest.',
    suggestions: ['Give --tag NAME:TAG.'],
  })
}

/** True for a tag by itself. */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** True when both texts name the same image. */
export function isSameName(left: string, right: string): boolean {
  const name = findTaggedName(left)
  return name === undefined ? left === right : name.full === findTaggedName(right)?.full
}

/** True when a reference selects by this tag, or full name, what has the name. */
export function isNamedBy(name: string, selector: string): boolean {
  return isSameName(name, selector) || findTaggedName(name)?.tag === selector
}
