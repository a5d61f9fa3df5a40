import type {PackageDependency} from '../model/image.js'
import {onlyMark} from '../formats/package/payload-mark.js'
import type {PackageDraft} from '../model/transport.js'

/** A package to be written and the layers of the source that it is made from. */
export interface PlannedPackage {
  readonly draft: PackageDraft
  readonly layers: readonly number[]
  readonly role: 'os' | 'application'
}

/** What builds on a package, and on which layer: that is known before the package is written. */
export function dependencyOn(planned: PlannedPackage | undefined): PackageDependency | undefined {
  if (planned === undefined) return undefined
  const {metadata, layer, stubOf} = planned.draft
  return {...metadata.identity, ...onlyMark(layer ?? (stubOf === undefined ? {} : {diffId: stubOf}))}
}

/** One that may take another name where its own is another payload's. */
export function renameable(planned: PlannedPackage): PlannedPackage {
  return {...planned, draft: {...planned.draft, mayBeRenamed: true}}
}
