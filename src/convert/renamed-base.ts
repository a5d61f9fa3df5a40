import {identityKey, type PackageIdentity} from '../model/package-identity.js'
import type {PackageDraft} from '../model/transport.js'
import {withoutDocument} from '../formats/package/metadata.js'

/** A package whose base had to take another name depends on that; its own document no longer fits then. */
export function onRenamed(draft: PackageDraft, renamed: ReadonlyMap<string, PackageIdentity>): PackageDraft {
  const metadata = withoutDocument(draft.metadata)
  const isMeant = metadata.dependencies.some((dependency) => renamed.has(identityKey(dependency)))
  if (!isMeant) return draft
  const dependencies = metadata.dependencies.map((each) => ({...each, ...renamed.get(identityKey(each))}))
  return {...draft, metadata: {...metadata, dependencies}}
}
