import {findDigest, type Digest} from '../../model/digest.js'
import {UsageError} from '../../model/errors.js'
import {hidePassword} from '../../model/hidden-password.js'
import type {Reference} from '../../model/reference.js'
import {
  familiarNameOf,
  findDockerName,
  isHostComponent,
  type DockerName,
} from '../../formats/image-documents/image-name.js'

export const NAME = 'containerd'
export const GRAMMAR = '[NAMESPACE/]NAME[:TAG|@DIGEST]'

/** Source: containerd identifiers/validate.go; at most 76 characters. */
const NAMESPACE = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/
const MAX_NAMESPACE = 76
/** Namespaces of containerd's own tools and of Kubernetes: no image registry is called so. */
const WELL_KNOWN: ReadonlySet<string> = new Set(['default', 'k8s.io'])
/** containerd takes any text for a name; this is what a terminal and a script can pass on. */
const PRINTABLE = /^[\x21-\x7e]{1,1024}$/

function badReference(text: string, why?: string): UsageError {
  return new UsageError('BAD_REFERENCE', {
    what: `'${hidePassword(`${NAME}:${text}`).slice(0, 300)}' names no image of containerd.`,
    why: why ?? `Expected ${NAME}:${GRAMMAR}; nothing behind the colon means every image of every namespace.`,
    suggestions: [
      `${NAME}:contoso/web:1.0`,
      `${NAME}:k8s.io/registry.k8s.io/pause:3.10`,
      `${NAME}:k8s.io/ lists a namespace`,
    ],
  })
}

export function isNamespace(text: string): boolean {
  return text.length <= MAX_NAMESPACE && NAMESPACE.test(text)
}

/** Parses `NAME`, `NAME:TAG`, `NAME@DIGEST`, each with a namespace in front or not, `NAMESPACE/`, or nothing. `BAD_REFERENCE`. */
export function parseLocation(location: string): Reference {
  if (location === '') return {transport: NAME, path: ''}
  if (location.endsWith('/')) {
    if (isNamespace(location.slice(0, -1))) return {transport: NAME, path: location}
    throw badReference(location, `'${location.slice(0, -1).slice(0, 100)}' is not a namespace.`)
  }
  if (!PRINTABLE.test(location) || location.startsWith('/')) throw badReference(location)
  const at = location.lastIndexOf('@')
  const pin = at < 0 ? '' : location.slice(at)
  if (pin !== '' && findDigest(pin.slice(1)) === undefined)
    throw badReference(location, `'${pin.slice(1, 100)}' is not a digest.`)
  const named = location.slice(0, location.length - pin.length)
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  const path = colon < 0 ? named : named.slice(0, colon)
  const tag = colon < 0 ? '' : named.slice(colon + 1)
  if (path === '' || path.endsWith('/') || (colon >= 0 && tag === '')) throw badReference(location)
  const selector = `${tag}${pin}`
  return {transport: NAME, path, ...(selector === '' ? {} : {selector})}
}

/** The inverse of `parseLocation`, with the transport's name in front. */
export function formatLocation({path, selector}: Reference): string {
  const separator = selector === undefined || selector.startsWith('@') ? '' : ':'
  return `${NAME}:${path}${separator}${selector ?? ''}`
}

/** The name that a record has among Docker's; none where Kubernetes has named it by the image's id. */
export function dockerNameOf(record: string): DockerName | undefined {
  return findDigest(record) === undefined ? findDockerName(record) : undefined
}

/** Names as Docker shows them, those with tags where there are any. */
export function namesOf(records: readonly {readonly name: string}[]): readonly string[] {
  const docker = records.flatMap(({name}) => dockerNameOf(name) ?? [])
  const tagged = docker.filter(({tag}) => tag !== undefined)
  return [...new Set((tagged.length > 0 ? tagged : docker).map(familiarNameOf))]
}

/** One way to read a reference: a namespace and what is sought in it. */
export interface Reading {
  readonly namespace: string
  /** Without namespace and digest: `NAME` or `NAME:TAG`; absent where the whole namespace is meant. */
  readonly name?: string
  readonly digest?: Digest
}

/**
 * The ways to read a reference, the likeliest first. What stands in front of the first slash is a namespace where
 * containerd has one of this name, or where a host of an image registry follows it; else it is a part of the name. No
 * reading at all = every namespace.
 */
export function readingsOf(
  {path, selector}: Reference,
  {namespaces, usual}: {readonly namespaces: readonly string[]; readonly usual: string},
): readonly Reading[] {
  if (path === '') return []
  if (path.endsWith('/')) return [{namespace: path.slice(0, -1)}]
  const at = selector?.lastIndexOf('@') ?? -1
  const digest = at < 0 ? undefined : findDigest(selector?.slice(at + 1) ?? '')
  const tag = at < 0 ? selector : selector?.slice(0, at)
  const tail = {...(digest === undefined ? {} : {digest})}
  const nameOf = (text: string) => (tag === undefined || tag === '' ? text : `${text}:${tag}`)
  const whole = {namespace: usual, name: nameOf(path), ...tail}
  const slash = path.indexOf('/')
  const [first, rest] = [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)]
  if (!isNamespace(first)) return [whole]
  const inNamespace = {namespace: first, name: nameOf(rest), ...tail}
  const isKnown = WELL_KNOWN.has(first) || namespaces.includes(first)
  const hasHost = rest.includes('/') && isHostComponent(rest.slice(0, rest.indexOf('/')))
  if (hasHost && (isKnown || !isHostComponent(first))) return [inNamespace]
  return isKnown ? [inNamespace, whole] : [whole]
}

/** A reference that is read in one way alone: with its namespace, and the name as containerd keeps it. */
export function referenceTo(namespace: string, record: string, digest?: string): Reference {
  const parsed = parseName(`${namespace}/${record}`)
  if (digest === undefined || parsed.selector?.endsWith(digest) === true) return parsed
  const [tag = ''] = (parsed.selector ?? '').split('@')
  return {...parsed, selector: `${tag}@${digest}`}
}

/** Names of the store that no reference can spell stay as they are. */
function parseName(text: string): Reference {
  try {
    return parseLocation(text)
  } catch (error) {
    if (error instanceof UsageError) return {transport: NAME, path: text}
    throw error
  }
}
