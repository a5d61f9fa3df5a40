import type {WorkEvent} from '../../model/events.js'
import {formatFullName, isSamePackage as isSameIdentity, type PackageIdentity} from '../../model/package-identity.js'
import type {PackageDraft} from '../../model/transport.js'
import {withoutDocument} from './metadata.js'
import {hasOtherWords} from './package-words.js'
import {differenceOf, markOf} from './payload-mark.js'
import type {StoredPackage} from './repository.js'
import {withAttachments} from './stored-layer.js'
import {isSamePackage, keepsAnotherManifest, onlyAddsImage, onlyAddsPins, type WrittenPackage} from './write-package.js'

/**
 * How a package that was written stands to the one that has its identity: `same` content; a `supplement`, which has all of
 * it and more, so that nothing is lost when it takes the place; or `other` content.
 */
export type Standing = 'same' | 'supplement' | 'other'

export function standingOf(draft: PackageDraft, written: WrittenPackage, there: StoredPackage): Standing {
  if (isSamePackage(draft, written, there)) return 'same'
  if (onlyAddsImage(draft, written, there) || onlyAddsPins(draft, written, there)) return 'supplement'
  if (there.payload.Kind !== 'none') return 'other'
  // A stub gives way to what it stands for.
  return differenceOf(markOf(there), markOf(written.stored)) === undefined ? 'supplement' : 'other'
}

/**
 * True when a package with the same content says other things than the draft: it keeps another manifest of the image, or
 * has other words of itself. It stays as it is unless it is to be replaced.
 */
export function saysOther(draft: PackageDraft, there: StoredPackage): boolean {
  return keepsAnotherManifest(draft, there.docker) || hasOtherWords(draft, () => withAttachments(there))
}

/** Digits of the payload's digest that a name gets. */
const DIGITS = 8
/** Characters of the name of a package. */
const MAX_NAME = 50

/** The identity of a package whose name another payload has: the name gets the first digits of its own payload's digest. */
function besideIdentity(identity: PackageIdentity, digest: string): PackageIdentity {
  const digits = digest.slice(digest.indexOf(':') + 1).slice(0, DIGITS)
  // A name that is cut must not end in what a name cannot end in.
  const stem = identity.name.slice(0, MAX_NAME - DIGITS - 1)
  return {...identity, name: `${stem}-${digits}`}
}

/** The draft under the name that it gets beside another payload; its own document no longer fits it. */
export function draftBeside(draft: PackageDraft, digest: string): PackageDraft {
  const metadata = withoutDocument(draft.metadata)
  const identity = besideIdentity(metadata.identity, digest)
  return {...draft, metadata: {...metadata, identity}, mayBeRenamed: false}
}

/** Tells of a package that lies beside the one that has its name. */
export function identityTaken(identity: PackageIdentity, beside: PackageIdentity): WorkEvent {
  const subject = formatFullName(identity)
  const message = `A different payload already has the name ${subject}, so this one is stored as ${formatFullName(beside)}.`
  return {kind: 'note', code: 'identity-taken', message, subject}
}

/** True for an identity that `besideIdentity` may have made of another. */
export function isBeside(candidate: PackageIdentity, identity: PackageIdentity): boolean {
  const digits = new RegExp(`-([0-9a-f]{${DIGITS}})$`).exec(candidate.name)?.[1]
  return digits !== undefined && isSameIdentity(besideIdentity(identity, digits), candidate)
}
