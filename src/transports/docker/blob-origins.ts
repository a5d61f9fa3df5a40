import type {Digest} from '../../model/digest.js'

/** Repositories remembered of one blob: the first ones do as well as any. */
const MAX_REPOSITORIES = 4
const MAX_BLOBS = 10_000

/**
 * Where in which registry blobs have been seen by this process, so that pushing to the same registry can mount them
 * instead of sending them. Only a hint: a registry that no longer has one just asks for it.
 */
const seen = new Map<string, Set<string>>()

export function rememberBlob(origin: string, repository: string, digest: Digest): void {
  const key = `${origin} ${digest}`
  const repositories = seen.get(key) ?? new Set()
  if (repositories.size < MAX_REPOSITORIES) repositories.add(repository)
  if (seen.size < MAX_BLOBS) seen.set(key, repositories)
}

/** Other repositories of the same registry that may have the blob. */
export function repositoriesOf(origin: string, digest: Digest, apart: string): readonly string[] {
  return [...(seen.get(`${origin} ${digest}`) ?? [])].filter((repository) => repository !== apart)
}
