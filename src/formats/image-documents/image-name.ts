import {findDigest} from '../../model/digest.js'
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

/** A Docker image name taken apart, which may have a tag, a digest, both or none. */
export interface DockerName {
  /** As Docker shows it: without `docker.io/` and `library/`, and without tag and digest. */
  readonly repository: string
  /** `docker.io/library/name`. */
  readonly fullRepository: string
  readonly tag?: string
  /** SHA-256, SHA-384 or SHA-512. */
  readonly digest?: string
}

/**
 * Takes `[HOST[:PORT]/]PATH[:TAG][@DIGEST]` apart; undefined when it is no such name. Source: distribution reference
 * grammar and normalize.go: the first component is a host if it has a dot, colon or capital or is `localhost`.
 */
export function findDockerName(text: string): DockerName | undefined {
  // What an engine takes for an ID is no name.
  if (/^[0-9a-f]{64}$/.test(text)) return undefined
  const at = text.indexOf('@')
  const digest = at < 0 ? undefined : text.slice(at + 1)
  if (digest !== undefined && findDigest(digest) === undefined && !/^sha384:[0-9a-f]{96}$/.test(digest))
    return undefined
  const named = at < 0 ? text : text.slice(0, at)
  const slash = named.indexOf('/')
  const first = named.slice(0, Math.max(slash, 0))
  const hasHost = isHostComponent(first)
  const rest = hasHost ? named.slice(slash + 1) : named
  const colon = rest.indexOf(':')
  const tag = colon < 0 ? undefined : rest.slice(colon + 1)
  const path = colon < 0 ? rest : rest.slice(0, colon)
  if (!PATH.test(path) || (tag !== undefined && !TAG.test(tag)) || (hasHost && !HOST.test(first))) return undefined
  const host = hasHost ? hubAsDocker(first) : 'docker.io'
  const isHub = host === 'docker.io'
  const fullPath = isHub && !path.includes('/') ? `library/${path}` : path
  if (host.length + fullPath.length + 1 > MAX_NAME) return undefined
  return {
    repository: isHub ? fullPath.replace(/^library\/(?=[^/]+$)/, '') : `${host}/${path}`,
    fullRepository: `${host}/${fullPath}`,
    ...(tag === undefined ? {} : {tag}),
    ...(digest === undefined ? {} : {digest}),
  }
}

/** `[:TAG][@DIGEST]` of a name; one that has neither is `latest`. */
function tailOf({tag, digest}: DockerName): string {
  if (digest === undefined) return `:${tag ?? 'latest'}`
  return `${tag === undefined ? '' : `:${tag}`}@${digest}`
}

/** The name as Docker and containerd keep it: `docker.io/library/name:tag`. */
export function fullNameOf(name: DockerName): string {
  return `${name.fullRepository}${tailOf(name)}`
}

/** The name as Docker shows it: `name:tag`. */
export function familiarNameOf(name: DockerName): string {
  return `${name.repository}${tailOf(name)}`
}

/** A name by which a tag can be given: one without a digest. A missing tag is `latest`. */
export function findTaggedName(text: string): TaggedName | undefined {
  const name = findDockerName(text)
  if (name === undefined || name.digest !== undefined) return undefined
  const {repository, tag = 'latest'} = name
  return {familiar: familiarNameOf(name), full: fullNameOf(name), repository, tag}
}

/** The same, for a name that must be one. Throws `BAD_REFERENCE`. */
export function requireTaggedName(text: string): TaggedName {
  const name = findTaggedName(text)
  if (name !== undefined) return name
  throw new UsageError('BAD_REFERENCE', {
    what: `'${hidePassword(text).slice(0, 300)}' is not a valid image name.`,
    why: 'Expected [HOST[:PORT]/]NAME[:TAG], in lower case and without a digest.',
    suggestions: ['Pass --tag NAME:TAG.'],
  })
}

/** True for a tag by itself. */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** True when both texts name the same image. */
export function isSameName(left: string, right: string): boolean {
  return left === right || nameKey(left) === nameKey(right)
}

/** What two names have in common exactly when they are the same one; for looking one up among many. */
export function nameKey(text: string): string {
  const name = findDockerName(text)
  return name === undefined ? `text ${text}` : `name ${fullNameOf(name)}`
}

/**
 * What an OCI layout calls the image of a name by: its tag, as containerd and skopeo have it, with the digest behind it
 * where the name has one. A digest alone selects a manifest there, so the whole name stands for that.
 */
export function refOf(text: string): string {
  const name = findDockerName(text)
  if (name === undefined) return /:([^:/]+)$/.exec(text)?.[1] ?? text
  return name.tag === undefined && name.digest !== undefined ? familiarNameOf(name) : tailOf(name).slice(1)
}

/** True when a reference selects by this tag, or full name, what has the name. */
export function isNamedBy(name: string, selector: string): boolean {
  return isSameName(name, selector) || refOf(name) === selector
}
