import {readdirSync} from 'node:fs'
import type {WorkEvent} from '../../src/model/events.js'
import type {DestinationOptions, PackageDestination, PackageDraft} from '../../src/model/transport.js'
import {inbox} from '../../src/transports/inbox/inbox.js'

/** Opens a repository to write to. */
export async function openPlace(root: string, options: DestinationOptions = {}): Promise<PackageDestination> {
  return (await inbox.create(inbox.parse(root), options)) as PackageDestination
}

/** Puts packages into a repository, all of them or none: what was made, and what was told. */
export async function putPackages(root: string, drafts: readonly PackageDraft[], options: DestinationOptions = {}) {
  const destination = await openPlace(root, options)
  const events: WorkEvent[] = []
  try {
    const artifacts = []
    for (const draft of drafts) artifacts.push(await destination.write(draft, {onEvent: (event) => events.push(event)}))
    await destination.commit({})
    return {artifacts, events}
  } catch (error) {
    await destination.abort()
    throw error
  }
}

/** What a user sees of a folder, sorted. */
export function visibleIn(root: string): readonly string[] {
  return readdirSync(root)
    .filter((name) => !name.startsWith('.'))
    .sort()
}
