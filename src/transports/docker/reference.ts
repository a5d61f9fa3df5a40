import {findDigest, type Digest} from '../../model/digest.js'
import {UsageError} from '../../model/errors.js'
import {hidePassword} from '../../model/hidden-password.js'
import type {Reference} from '../../model/reference.js'
import {findTaggedName, hubAsDocker, isHost, isHostComponent} from '../../formats/image-documents/image-name.js'

export const NAME = 'docker'
export const GRAMMAR = '//[HOST[:PORT]/]NAME[:TAG|@DIGEST]'

const MAX_PORT = 65_535

/** Where an image is kept: an image registry and a repository in it. */
export interface RepositoryPlace {
  /** `HOST[:PORT]`, Docker Hub as `docker.io`. */
  readonly host: string
  /** Path in the registry, Hub's one-part names with `library/`; empty where the registry alone is named. */
  readonly repository: string
}

const LOGIN = 'Leave out user and password, and log in first: docker login HOST'

/** True for `//USER:PASSWORD@HOST…`, which is no way to log in; a digest behind the `@` is none. */
function isWithUser(text: string): boolean {
  return hidePassword(`${NAME}:${text}`) !== `${NAME}:${text}`
}

function badReference(text: string, why = `Expected ${NAME}:${GRAMMAR}, the name in lower case.`): UsageError {
  return new UsageError('BAD_REFERENCE', {
    what: `'${hidePassword(`${NAME}:${text}`).slice(0, 300)}' is not a valid reference to an image registry.`,
    why,
    suggestions: [
      ...(isWithUser(text) ? [LOGIN] : []),
      'docker://mcr.microsoft.com/windows/nanoserver:ltsc2022',
      'docker://registry.example:5000/team/app:1.0',
      'docker://registry.example:5000/ lists the repositories of an image registry',
    ],
  })
}

/** `localhost`, an address, or a name of several parts, the last one no version. */
const ADDRESS = /^(?:localhost|\[[^\]]*\]|(?:[^.:]+\.)+(?:[A-Za-z]{2,}|[0-9]+))(?::[0-9]+)?$/
/** Ports below are left to tags such as `debian:12`; of images without a publisher, Docker Hub has none of such a tag. */
const LOWEST_PORT_OF_NAME = 1024

/**
 * The host of `//HOST` or `//HOST:PORT`, with or without a slash behind it. Docker takes whatever has no slash for an
 * image of Docker Hub; that is only asked for what can be one: `app`, `app:1`, `app.1`.
 */
function findHostAlone(location: string): string | undefined {
  const [, text = '', slash] = /^\/\/([^/@]+)(\/?)$/.exec(location) ?? []
  if (!isHost(text)) return undefined
  if (slash !== '') return isHostComponent(text) ? text : undefined
  const port = Number(/^[A-Za-z0-9-]+:([0-9]+)$/.exec(text)?.[1])
  const isPort = port >= LOWEST_PORT_OF_NAME && port <= MAX_PORT
  return ADDRESS.test(text) || isPort ? text : undefined
}

/** True where the reference names an image registry and no repository in it. */
export function isHostAlone({path}: Reference): boolean {
  return path.endsWith('/')
}

function onHub(path: string): string {
  return `${NAME}://docker.io/library/${path.slice(2, -1)}`
}

/** Throws `BAD_REFERENCE` where the reference names a registry alone. */
export function requireRepository(reference: Reference): void {
  if (!isHostAlone(reference)) return
  const {path} = reference
  const text = formatLocation(reference)
  throw new UsageError('BAD_REFERENCE', {
    what: `'${text}' names an image registry, but no image in it.`,
    why: 'The name of the repository is missing.',
    suggestions: [
      `${text}NAME:TAG`,
      `List the repositories: transship list ${text}`,
      ...(path.includes('.') || path.includes('[') ? [] : [`For an image on Docker Hub: ${onHub(path)}`]),
    ],
  })
}

/** Parses `//HOST/NAME`, `//HOST/NAME:TAG`, `//HOST/NAME@DIGEST`, or `//HOST/` alone. Throws `BAD_REFERENCE`. */
export function parseLocation(location: string): Reference {
  const host = findHostAlone(location)
  if (host !== undefined) {
    requireHost({host, repository: ''}, location)
    return {transport: NAME, path: `//${host}/`}
  }
  const [, path, tag, digest] = /^(\/\/(?:[^/@]*\/)?[^:@]+)(?::([^:@/]+))?(?:@(.+))?$/s.exec(location) ?? []
  if (path === undefined) throw badReference(location)
  if (digest !== undefined && findDigest(digest) === undefined) throw badReference(location)
  if (findTaggedName(`${path.slice(2)}:${tag ?? 'latest'}`) === undefined) throw badReference(location)
  requireHost(placeOf({transport: NAME, path}), location)
  const selector = digest === undefined ? tag : `${tag ?? ''}@${digest}`
  return {transport: NAME, path, ...(selector === undefined ? {} : {selector})}
}

/** The grammar of names takes any number for a port, and numbers for a host that are no address. */
function requireHost({host}: RepositoryPlace, location: string): void {
  const [, port] = /:([0-9]+)$/.exec(host) ?? []
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= MAX_PORT)) {
    throw badReference(location, `The port is ${port.slice(0, 20)}; expected a number from 1 to ${MAX_PORT}.`)
  }
  if (!URL.canParse(`https://${host}/`)) throw badReference(location, `'${host}' is neither a host nor an address.`)
}

/** The inverse of `parseLocation`, with the transport's name in front. */
export function formatLocation({path, selector}: Reference): string {
  const separator = selector === undefined || selector.startsWith('@') ? '' : ':'
  return `${NAME}:${path}${separator}${selector ?? ''}`
}

/** Host and repository of a reference. Throws `BAD_REFERENCE`. */
export function placeOf({path}: Reference): RepositoryPlace {
  if (path.endsWith('/')) return {host: hubAsDocker(path.slice(2, -1)), repository: ''}
  const name = findTaggedName(path.slice(2))
  if (name === undefined) throw badReference(path)
  const full = name.full.slice(0, name.full.lastIndexOf(':'))
  const slash = full.indexOf('/')
  return {host: full.slice(0, slash), repository: full.slice(slash + 1)}
}

/** What a manifest is asked for by. */
export function wantedOf({selector}: Reference): {readonly tag: string} | {readonly digest: Digest} {
  const [tag = 'latest', pin] = (selector ?? 'latest').split('@')
  const digest = pin === undefined ? undefined : findDigest(pin)
  // A digest says more than a tag beside it, which may have moved on.
  return digest === undefined ? {tag} : {digest}
}
