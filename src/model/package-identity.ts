import {InputError} from './errors.js'
import {foldPath} from './layer-path.js'

/** What names a package: unique in a repository, compared case-insensitively but for the version. */
export interface PackageIdentity {
  /** X.500 name with its `CN=`, e.g. `CN=Contoso`. */
  readonly publisher: string
  /** 3 to 50 of letters, digits, `.` and `-`. */
  readonly name: string
  /** Four parts, 0 to 65535 each, without leading zeros. */
  readonly version: string
}

const NAME = /^[-.A-Za-z0-9]{3,50}$/
const RESERVED_NAME = /^(?:\.{1,2}|(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?|xn--.*|.*\.)$/i
const PUBLISHER = /^CN=[^,+="<>#;]+(?:, (?:CN|L|O|OU|E|C|S|STREET|T|G|I|SN|DC|SERIALNUMBER)=[^,+="<>#;]+)*$/
/** No name of a file or in XML holds these: what Windows refuses, half of a surrogate pair, and no characters at all. */
// eslint-disable-next-line no-control-regex
const UNNAMEABLE = /[\u0000-\u001f\\/:*?|\ufffe\uffff]|\p{Surrogate}/u
const VERSION = /^(?:0|[1-9][0-9]{0,4})(?:\.(?:0|[1-9][0-9]{0,4})){3}$/

export function isPackageName(text: string): boolean {
  return NAME.test(text) && !RESERVED_NAME.test(text)
}

export function isPublisher(text: string): boolean {
  // A folder is named after the publisher, so the characters that no Windows name may hold are refused as well.
  return text.length <= 8192 && PUBLISHER.test(text) && !UNNAMEABLE.test(text)
}

export function isPackageVersion(text: string): boolean {
  return VERSION.test(text) && text.split('.').every((part) => Number(part) <= 65535)
}

/** Checks the three parts. Throws `IDENTITY_INVALID`. Source: AppX identity rules, inbox package page 1.3 and 2.5. */
export function requirePackageIdentity(identity: PackageIdentity): PackageIdentity {
  const faults: string[] = []
  if (!isPublisher(identity.publisher)) faults.push(`publisher '${identity.publisher}' (expected e.g. CN=Contoso)`)
  if (!isPackageName(identity.name)) faults.push(`name '${identity.name}' (expected 3 to 50 of A-Z a-z 0-9 . -)`)
  if (!isPackageVersion(identity.version))
    faults.push(`version '${identity.version}' (expected four numbers up to 65535)`)
  if (faults.length > 0) {
    throw new InputError('IDENTITY_INVALID', {
      what: `The package identity ${JSON.stringify(formatFullName(identity))} is not valid.`,
      why: `Wrong: ${faults.join('; ')}.`,
      suggestions: ['Pass --name, --publisher and --package-version.'],
    })
  }
  return identity
}

/** `CN=Publisher_Name_Version`, the name of the package's folder. */
export function formatFullName(identity: PackageIdentity): string {
  return `${identity.publisher}_${identity.name}_${identity.version}`
}

/** Parses a full name from the right, since a publisher may hold `_` and a name may not. Throws `IDENTITY_INVALID`. */
export function parseFullName(text: string): PackageIdentity {
  const beforeVersion = text.lastIndexOf('_')
  const beforeName = text.lastIndexOf('_', beforeVersion - 1)
  if (beforeVersion < 0 || beforeName < 0) {
    throw new InputError('IDENTITY_INVALID', {
      what: `'${text}' is not the full name of a package.`,
      why: 'Expected CN=Publisher_Name_Version.',
    })
  }
  return requirePackageIdentity({
    publisher: text.slice(0, beforeName),
    name: text.slice(beforeName + 1, beforeVersion),
    version: text.slice(beforeVersion + 1),
  })
}

/** True when both name the same package: publisher and name case-insensitively, version exactly. */
export function isSamePackage(left: PackageIdentity, right: PackageIdentity): boolean {
  return identityKey(left) === identityKey(right)
}

/** A map key under which the same packages meet. */
export function identityKey(identity: PackageIdentity): string {
  return foldPath(formatFullName(identity))
}

/** Pads a version of 1 to 4 parts with `.0`; undefined when it is not one. */
export function findPaddedVersion(text: string): string | undefined {
  if (!/^[0-9]+(?:\.[0-9]+){0,3}$/.test(text)) return undefined
  const parts = text.split('.')
  while (parts.length < 4) parts.push('0')
  const padded = parts.join('.')
  return isPackageVersion(padded) ? padded : undefined
}
