import {availableParallelism, freemem} from 'node:os'

/** What one conversion is allowed for: the bound that conversions keep, whatever the size of an image. */
const BYTES_EACH = 256 * 2 ** 20

/** Free memory of the machine, or what is left to a container. */
function availableBytes(): number {
  return Math.min(freemem(), process.availableMemory())
}

/** How many items run at once unless told otherwise: as many as there are cores, and as fit into the memory that is free. */
export function defaultConcurrency(cores = availableParallelism(), freeBytes = availableBytes()): number {
  return Math.max(1, Math.min(cores, Math.floor(freeBytes / BYTES_EACH)))
}
