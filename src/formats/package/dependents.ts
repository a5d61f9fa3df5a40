import {formatFullName, identityKey} from '../../model/package-identity.js'
import {differenceOf, isMarked, markOf} from './payload-mark.js'
import type {StoredPackage} from './repository.js'

export interface Displacement {
  /** What goes. */
  readonly old: StoredPackage
  /** What takes its place; of another identity, where a file of that name held another package. */
  readonly next: StoredPackage
}

/**
 * Packages that were made on what goes and do not fit what comes, but for those that are replaced themselves (`replaced`,
 * by identity key). One that does not say which payload it was made on was made on the one that is there.
 */
export function dependentsOf(
  {old, next}: Displacement,
  packages: readonly StoredPackage[],
  replaced: ReadonlySet<string>,
): readonly string[] {
  const key = identityKey(old.metadata.identity)
  const isSameName = identityKey(next.metadata.identity) === key
  const [before, after] = [markOf(old), markOf(next)]
  const isSamePayload = old.payload.Kind === 'none' || (isMarked(before) && isSame(before, after))
  return packages
    .filter(({metadata}) => !replaced.has(identityKey(metadata.identity)))
    .filter(({metadata: {dependencies}}) =>
      dependencies.some((record) => {
        if (identityKey(record) !== key) return false
        if (!isSameName) return true
        return isMarked(record) ? differenceOf(record, after) !== undefined : !isSamePayload
      }),
    )
    .map(({metadata}) => formatFullName(metadata.identity))
}

function isSame(before: ReturnType<typeof markOf>, after: ReturnType<typeof markOf>): boolean {
  const isComparable = before.payloadDigest === undefined || after.payloadDigest !== undefined
  return isComparable && differenceOf(before, after) === undefined
}
