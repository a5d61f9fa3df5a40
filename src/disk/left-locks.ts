import {readdirSync} from 'node:fs'
import path from 'node:path'
import {findLock, parseHolder, type FoundLock} from './lock-file.js'
import {livenessOf, type Liveness} from './process-identity.js'
import {removeTree} from './remove-tree.js'
import {livenessOfSuffix, lockedWorkName, MAX_NAME_BYTES, ownedSuffix} from './work-name.js'

/** What is left of a lock that was being made or taken away: it takes moments. */
const LEFT_OVER_MS = 3_600_000

/**
 * Where a lock is made before it takes its place, and where one goes that is taken away. The name tells the process, unless
 * that makes it too long.
 */
export function pathAside(lock: string): string {
  const owned = `${lock}-${ownedSuffix()}`
  const isTooLong = Buffer.byteLength(path.basename(owned)) > MAX_NAME_BYTES
  return isTooLong ? lockedWorkName(`${lock}-`) : owned
}

/** True for the name of a lock that is being made or taken away. */
export function isLeftLock(name: string, lockName: string): boolean {
  return livenessOfLeftLock(name, lockName) !== undefined
}

/** Whether the process that a name tells still runs; `unknown` for names of earlier versions. The file may still be empty. */
function livenessOfLeftLock(name: string, lockName: string): Liveness | undefined {
  return name.startsWith(`${lockName}-`) ? livenessOfSuffix(name.slice(lockName.length + 1)) : undefined
}

/** Undefined also for what only has the name of a lock: it stays, and nothing waits for it. */
function findQuietly(file: string): FoundLock | undefined {
  try {
    return findLock(file)
  } catch {
    return undefined
  }
}

/** Locks that were being made or taken away when their process was killed. */
export function removeLeftLocks(root: string, lockName: string): void {
  const newest = findLock(path.join(root, lockName))
  if (newest === undefined) return
  for (const name of readdirSync(root)) {
    const liveness = livenessOfLeftLock(name, lockName)
    if (liveness === undefined || liveness === 'alive') continue
    const left = findQuietly(path.join(root, name))
    if (left === undefined) continue
    const holder = parseHolder(left.content)
    const isDead = liveness === 'dead' || (holder !== undefined && livenessOf(holder) === 'dead')
    const isOld = newest.modifiedNs - left.modifiedNs > BigInt(LEFT_OVER_MS) * 1_000_000n
    if (isDead || isOld) removeTree(path.join(root, name))
  }
}
