import {InputError} from '../../model/errors.js'
import {formatFullName, parseFullName, type PackageIdentity} from '../../model/package-identity.js'
import {escapeXml, readXml, type XmlElement} from './xml.js'

/* AppxManifest.xml. Source: inbox package page, sections 2.5 and 3.3. */

const FAMILY = 'http://schemas.microsoft.com/appx/'
const WINDOWS_10 = `${FAMILY}manifest/foundation/windows10`
const OWN = 'urn:transship:package:1'

/** What a manifest is made of. */
export interface ManifestFacts {
  readonly identity: PackageIdentity
  /** AppX name: x86, x64, arm, arm64, neutral. */
  readonly architecture: string
  readonly friendlyName?: string
  readonly description?: string
  readonly osVersion?: string
  readonly isOsImage: boolean
  readonly parent?: PackageIdentity
  /** SHA-256 of every byte of the package in front of the manifest's own header. */
  readonly containerDigest: string
}

export const LOGO = 'Assets/logo.png'

/** The bytes of a manifest in the dialect of Windows 10, with our own facts in a namespace that readers may ignore. */
export function encodeManifest(facts: ManifestFacts): Uint8Array {
  const {identity, parent, architecture, isOsImage, containerDigest} = facts
  const {name, publisher, version} = identity
  const displayed = limited(facts.friendlyName, 256) ?? name
  const issuer = limited(publisher.replace(/^CN=/, '').split(', ')[0], 256) ?? publisher
  const description = limited(facts.description?.replace(/\s+/g, ' ').trim(), 2048)
  const os = facts.osVersion ?? '10.0.0.0'
  const dependency =
    parent === undefined
      ? ''
      : `<PackageDependency Name="${parent.name}" Publisher="${escapeXml(parent.publisher)}" MinVersion="${parent.version}"/>`
  return Buffer.from(
    [
      '<?xml version="1.0" encoding="utf-8"?>',
      `<Package xmlns="${WINDOWS_10}" xmlns:ts="${OWN}" IgnorableNamespaces="ts">`,
      `  <Identity Name="${name}" Publisher="${escapeXml(publisher)}" Version="${version}" ProcessorArchitecture="${architecture}"/>`,
      `  <Properties><Framework>true</Framework><DisplayName>${escapeXml(displayed)}</DisplayName><PublisherDisplayName>${escapeXml(issuer)}</PublisherDisplayName>${description === undefined ? '' : `<Description>${escapeXml(description)}</Description>`}<Logo>${LOGO.replace('/', '\\')}</Logo></Properties>`,
      '  <Resources><Resource Language="en-us"/></Resources>',
      `  <Dependencies><TargetDeviceFamily Name="Windows.Server" MinVersion="${os}" MaxVersionTested="${os}"/>${dependency}</Dependencies>`,
      `  <ts:ContainerPackage FormatVersion="1" IsOSImage="${isOsImage}" Metadata="metadata.json"${parent === undefined ? '' : ` Parent="${escapeXml(formatFullName(parent))}"`} ContainerDigest="${containerDigest}"/>`,
      '</Package>',
      '',
    ].join('\r\n'),
  )
}

/** Whole characters up to a limit of UTF-16 units; undefined when nothing is left. */
function limited(text: string | undefined, units: number): string | undefined {
  const cut = text?.slice(0, units).replace(/[\ud800-\udbff]$/, '')
  return cut === undefined || cut.trim() === '' ? undefined : cut
}

/** What a manifest of any dialect says, as it says it. */
export interface Manifest {
  readonly name?: string
  readonly publisher?: string
  readonly version?: string
  readonly architecture?: string
  readonly displayName?: string
  readonly description?: string
  /** Lowest version of the system that it is for. */
  readonly osVersion?: string
  readonly dependencies: readonly {readonly name?: string; readonly publisher?: string; readonly version?: string}[]
  /** Full names of packages anywhere in it. */
  readonly fullNames: readonly PackageIdentity[]
  /** Of a package that transship wrote. */
  readonly own?: {readonly formatVersion: string; readonly parent?: string; readonly containerDigest?: string}
}

/** Reads a manifest of Windows 8 or 10, with any extensions. Throws `MANIFEST_INVALID`. */
export function decodeManifest(bytes: Uint8Array, title: string): Manifest {
  const decoder = new ManifestDecoder(title)
  readXml(bytes, decoder, {title, code: 'MANIFEST_INVALID'})
  return decoder.finish()
}

type Writable<T> = {-readonly [key in keyof T]: T[key]}

class ManifestDecoder {
  readonly #title: string
  readonly #found: Writable<Manifest> = {dependencies: [], fullNames: []}
  readonly #dependencies: {name?: string; publisher?: string; version?: string}[] = []
  readonly #fullNames: PackageIdentity[] = []
  #text = ''

  constructor(title: string) {
    this.#title = title
  }

  open(element: XmlElement, path: readonly string[]): void {
    this.#text = ''
    const {name, namespace, attributes} = element
    for (const value of attributes.values()) this.#note(value)
    if (path.length === 0) this.#requireRoot(element)
    if (namespace === OWN && name === 'ContainerPackage') this.#own(attributes)
    if (!namespace.startsWith(FAMILY)) return
    const place = [...path.slice(1), name].join('/')
    if (place === 'Identity') this.#identity(attributes)
    else if (place === 'Dependencies/PackageDependency')
      this.#dependencies.push({
        ...given('name', attributes.get('Name')),
        ...given('publisher', attributes.get('Publisher')),
        ...given('version', attributes.get('MinVersion')),
      })
    else if (place === 'Dependencies/TargetDeviceFamily') this.#osVersion(attributes.get('MinVersion'))
  }

  #requireRoot({name, namespace}: XmlElement): void {
    if (name === 'Package' && namespace.startsWith(FAMILY)) return
    throw new InputError('MANIFEST_INVALID', {
      what: 'The manifest of the package has an unknown format.',
      why: `Its root element is ${name} in the namespace ${JSON.stringify(namespace.slice(0, 200))}.`,
      suggestions: ['If it is a bundle, unpack it first; transship reads single packages only.'],
      at: {path: this.#title},
    })
  }

  #identity(attributes: ReadonlyMap<string, string>): void {
    Object.assign(this.#found, {
      ...given('name', attributes.get('Name')),
      ...given('publisher', attributes.get('Publisher')),
      ...given('version', attributes.get('Version')),
      ...given('architecture', attributes.get('ProcessorArchitecture')),
    })
  }

  #osVersion(version: string | undefined): void {
    if (version !== undefined) this.#found.osVersion ??= version
  }

  #own(attributes: ReadonlyMap<string, string>): void {
    this.#found.own = {
      formatVersion: attributes.get('FormatVersion') ?? '',
      ...given('parent', attributes.get('Parent')),
      ...given('containerDigest', attributes.get('ContainerDigest')),
    }
  }

  /** A later attribute or element of some other tool may name the parent in its own way. */
  #note(text: string): void {
    if (!text.includes('_') || text.length > 9000) return
    try {
      this.#fullNames.push(parseFullName(text.trim()))
    } catch {
      // No full name.
    }
  }

  text(piece: string): void {
    if (this.#text.length < 16 * 1024) this.#text += piece
  }

  close(name: string, path: readonly string[]): void {
    const text = this.#text
    this.#text = ''
    this.#note(text)
    if (path[1] !== 'Properties' || path.length !== 2) return
    if (name === 'DisplayName' && text !== '') this.#found.displayName = text
    if (name === 'Description' && text !== '') this.#found.description = text
  }

  finish(): Manifest {
    return {...this.#found, dependencies: this.#dependencies, fullNames: this.#fullNames}
  }
}

function given<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({[key]: value} as Record<K, string>)
}
