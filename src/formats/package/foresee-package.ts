import {TransshipError} from '../../model/errors.js'
import {formatFullName, identityKey} from '../../model/package-identity.js'
import type {ForeseenPackage, PackageDraft} from '../../model/transport.js'
import type {HeldPackages} from './held-packages.js'
import {differenceOf, isMarked, markOf, onlyMark} from './payload-mark.js'
import type {Repository, StoredPackage} from './repository.js'

/** What `write` would find in the place of a draft, by the rules that it goes by before it reads a layer. */
export function foreseePackage(
  asked: PackageDraft,
  held: HeldPackages,
  {packages, clashing = []}: Pick<Repository, 'packages' | 'clashing'>,
): ForeseenPackage {
  const draft = recorded(asked, held)
  const same = held.findSame(draft)
  if (same !== undefined) {
    if (held.isToSayOther(draft, same)) return {there: 'other', neededBy: []}
    if (draft.layer !== undefined || draft.stubOf !== undefined) held.meet(same)
    return {there: 'same', neededBy: []}
  }
  const there = held.existing(draft.metadata.identity)
  if (there === undefined) return {there: 'none', neededBy: []}
  const mark = onlyMark(draft.layer ?? (draft.stubOf === undefined ? {} : {diffId: draft.stubOf}))
  const isOther = differenceOf(mark, markOf(there)) !== undefined || isOnOther(asked, there)
  // It will lie beside the one that has its name.
  if (isOther && draft.mayBeRenamed === true) return {there: 'none', neededBy: []}
  if (!isOther) return {there: there.payload.Kind === 'none' ? 'none' : 'unknown', neededBy: []}
  return {there: 'other', neededBy: neededBy(draft, [...packages, ...clashing])}
}

/** As it will be recorded; where the base is another payload, which is replaced first or refused, as it is asked for. */
function recorded(draft: PackageDraft, held: HeldPackages): PackageDraft {
  try {
    return held.recorded(draft)
  } catch (error) {
    if (error instanceof TransshipError && error.code === 'DEPENDENCY_MISMATCH') return draft
    throw error
  }
}

/** Made on another payload than the one that is there. */
function isOnOther({metadata}: PackageDraft, there: StoredPackage): boolean {
  return metadata.dependencies.some((dependency) =>
    there.metadata.dependencies.some(
      (record) => identityKey(record) === identityKey(dependency) && differenceOf(record, dependency) !== undefined,
    ),
  )
}

/** Packages that record another payload of that identity than the draft's. */
function neededBy({metadata, layer}: PackageDraft, neighbours: readonly StoredPackage[]): readonly string[] {
  const key = identityKey(metadata.identity)
  const mark = onlyMark(layer ?? {})
  return neighbours
    .filter((stored) =>
      stored.metadata.dependencies.some(
        (record) => identityKey(record) === key && (!isMarked(record) || differenceOf(record, mark) !== undefined),
      ),
    )
    .map((stored) => formatFullName(stored.metadata.identity))
}
