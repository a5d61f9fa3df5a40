import type {ArtifactFacts, ItemReport} from '../batch/batch-report.js'
import type {ReportArtifact} from '../convert/report.js'

/** What people call the artifact: its full name, its `repository:tag`, or else where it is. */
export function nameOf(artifact: ArtifactFacts | ReportArtifact): string {
  if (artifact.identity !== undefined) return artifact.identity
  const names = 'names' in artifact ? artifact.names : []
  return names.length > 0 ? names.join(', ') : artifact.reference
}

/** Where the artifact is, as a repository of packages or on its own: what one place calls by a name is one thing. */
export function placeOf({reference, identity}: ArtifactFacts | ReportArtifact): string {
  const end = `:${identity ?? ''}`
  return identity !== undefined && reference.endsWith(end) ? reference.slice(0, -end.length) : reference
}

/** Those that nothing else which the item made depends on: what was asked for, not what it stands on. */
export function topsOf({result}: ItemReport): readonly ReportArtifact[] {
  const artifacts = result?.artifacts ?? []
  const needed = new Set(artifacts.flatMap((artifact) => artifact.dependencies ?? []))
  return artifacts.filter(({identity}) => identity === undefined || !needed.has(identity))
}
