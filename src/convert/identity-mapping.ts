import {createHash} from 'node:crypto'
import {digestHex, type Digest} from '../model/digest.js'
import {findPaddedVersion, isPackageName, type PackageIdentity} from '../model/package-identity.js'
import {parseImageName} from './image-name.js'
import {withoutEnd, withoutStart} from '../model/text-ends.js'

/*
 * Package identity <-> Docker reference, by the rules of the inbox package page, section 3.4. Both directions are pure
 * functions of their arguments; the exact identity travels in the image's labels and wins over them.
 */

/** AppX's base-32 digits: no i, l, o, u. */
const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz'

/** Official spelling of the OS packages' names. */
const OS_NAMES = ['WindowsServerCore', 'NanoServer'] as const

/** The first six base-32 digits of the SHA-256 of a text. */
function shortHash(text: string): string {
  const bits = createHash('sha256').update(text, 'utf8').digest().readUInt32BE(0)
  return Array.from({length: 6}, (_, index) => BASE32.charAt((bits >>> (27 - 5 * index)) & 31)).join('')
}

/** A part of a reference: lower case, only characters and separator runs that Docker allows. */
function normalise(text: string, whenEmpty: string): string {
  const replaced = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/[._-]+/g, (run) => (run === '.' || run === '_' || run === '__' || /^-+$/.test(run) ? run : '-'))
  const trimmed = withoutEnd(withoutStart(replaced, '._-'), '._-')
  return trimmed === '' ? whenEmpty : trimmed
}

/** `CN=Contoso`, `Shop.Web`, `1.2.0.0` -> `contoso/shop.web:1.2.0.0`. Different identities never meet. */
export function referenceOfIdentity(identity: PackageIdentity): string {
  const publisher = identity.publisher.replace(/^CN=/, '')
  const path = normalise(publisher, 'p')
  const name = normalise(identity.name, 'n')
  const changed = path !== publisher.toLowerCase() || name !== identity.name.toLowerCase()
  const suffix = changed ? `-${shortHash(`${identity.publisher}_${identity.name}`)}` : ''
  return `${path}/${name}${suffix}:${identity.version}`
}

/** What of an image decides the identity of the package made from it. */
export interface ImageFacts {
  readonly imageId: Digest
  /** RFC 3339, from the configuration. */
  readonly created?: string
}

/** The package identity of an image by its name; a pure function of name, image ID and creation time. */
export function identityOfImage(name: string | undefined, facts: ImageFacts): PackageIdentity {
  const parsed = parseImageName(name ?? `image-${digestHex(facts.imageId).slice(0, 12)}`)
  const components = parsed.path.split('/')
  const last = components.pop() ?? ''
  const fromMicrosoft =
    (parsed.host === undefined && components[0] === 'microsoft') ||
    (parsed.host === 'mcr.microsoft.com' && components[0] === 'windows')
  const publisherParts = [...(parsed.host === undefined ? [] : [parsed.host]), ...components].map(publisherPart)
  return {
    publisher: fromMicrosoft
      ? 'CN=Microsoft'
      : `CN=${publisherParts.filter((part) => part !== '').join('.') || 'Docker'}`,
    name: packageName(fromMicrosoft && last === 'servercore' ? 'windowsservercore' : last, parsed.path),
    version: packageVersion(parsed.tag, facts),
  }
}

/** Ports, brackets of addresses and whatever else no name of Docker's has become a dash. */
function publisherPart(text: string): string {
  return text.replace(/[^-._A-Za-z0-9]+/g, '-').replace(/^-+(?=[^-])|(?<=[^-])-+$/g, '')
}

function packageName(text: string, whole: string): string {
  let name = text.replaceAll('_', '-').replace(/[^-.A-Za-z0-9]/g, '-')
  const official = OS_NAMES.find((os) => os.toLowerCase() === name)
  if (official !== undefined) return official
  if (name.length < 3) name += '.img'
  // OCI layouts name images as no engine would.
  name = withoutEnd(name, '.').padEnd(name.length, '-')
  if (!isPackageName(name.slice(0, 50))) name = `x-${name}`
  if (name.length > 50) name = `${name.slice(0, 43)}-${shortHash(whole)}`
  return name
}

/** A tag that is a version, padded; else a version made of the creation time or the image ID. Major is never 0. */
function packageVersion(tag: string | undefined, facts: ImageFacts): string {
  const tagged = tag === undefined ? undefined : findPaddedVersion(tag.replace(/^v/, ''))
  if (tagged !== undefined && !tagged.startsWith('0.')) return tagged
  const id = Buffer.from(digestHex(facts.imageId), 'hex')
  const created = facts.created === undefined ? Number.NaN : Date.parse(facts.created)
  if (Number.isNaN(created) || created < Date.UTC(1980, 0)) return `1.0.${id.readUInt16BE(0)}.${id.readUInt16BE(2)}`
  const date = new Date(created)
  const monthAndDay = (date.getUTCMonth() + 1) * 100 + date.getUTCDate()
  const time = date.getUTCHours() * 100 + date.getUTCMinutes()
  return `${date.getUTCFullYear()}.${monthAndDay}.${time}.${id.readUInt16BE(0)}`
}

/** Name of package `index` (from 0) in a chain of `count`: `-L01` … in front of the last, which keeps the plain name. */
export function chainName(name: string, index: number, count: number): string {
  if (index === count - 1) return name
  const suffix = `-L${String(index + 1).padStart(2, '0')}`
  return `${name.slice(0, 50 - suffix.length)}${suffix}`
}
