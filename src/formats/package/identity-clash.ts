import type {InputError} from '../../model/errors.js'
import {formatFullName} from '../../model/package-identity.js'
import {occupied, requireReplaceable} from '../../model/replacing.js'
import type {StoredPackage} from './repository.js'
import type {WrittenPackage} from './write-package.js'

const ANOTHER_NAME = 'Pass --name, --publisher or --package-version.'

export interface Clash {
  readonly written: WrittenPackage
  readonly there: StoredPackage
  /** This very work wrote both. */
  readonly isOwn: boolean
  /** Of what is there. */
  readonly reference: string
  /** What was made on it and would not fit the new one. */
  readonly neededBy: readonly string[]
}

/** The error for a package whose identity another has. */
export function identityClash({written, there, isOwn, reference, neededBy}: Clash): InputError {
  const fullName = formatFullName(there.metadata.identity)
  const from = there.docker?.ConfigDigest === undefined ? '' : `; it came from the image ${there.docker.ConfigDigest}`
  return occupied({
    code: 'IDENTITY_CLASH',
    what: isOwn
      ? `Two different packages would both be called '${fullName}'.`
      : `The repository already holds a different package '${fullName}'.`,
    why: `${isOwn ? "The first one's" : 'Its'} payload is ${there.payload.Digest ?? 'not indexed'}, the new one ${written.payload?.digest ?? 'a stub'}${from}.`,
    instead: [isOwn ? `Convert them one by one. ${ANOTHER_NAME}` : ANOTHER_NAME],
    isReplaceable: !isOwn,
    neededBy: isOwn ? [] : neededBy,
    at: {reference},
  })
}

/** Throws `IDENTITY_CLASH` when packages were made on one that is to be replaced by what they do not fit. */
export function requireUnneeded(there: StoredPackage, neededBy: readonly string[], reference: string): void {
  requireReplaceable(
    {
      code: 'IDENTITY_CLASH',
      what: `The package '${formatFullName(there.metadata.identity)}' would be replaced by a different one.`,
      instead: [ANOTHER_NAME],
      neededBy,
      at: {reference},
    },
    true,
  )
}
