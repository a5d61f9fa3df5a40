import {getHeapSpaceStatistics, setFlagsFromString} from 'node:v8'

/**
 * What objects that live shortly may take on the main thread; worker threads have a limit of their own. Left to itself it
 * grows to 32 MiB, and to 128 MiB with Node 24, where buffers wait for their collection all the longer. A larger one saves
 * next to no time here, and memory is promised.
 */
const MOST_BYTES = 16 * 1024 * 1024
const LOOK_MS = 20

/** Keeps this process's young generation from growing further, once it is large enough. */
export function boundYoungGeneration(): void {
  setInterval(() => {
    if (youngBytes() >= MOST_BYTES) stopGrowing()
  }, LOOK_MS).unref()
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({space_name}) => space_name === 'new_space')?.space_size ?? 0
}

/**
 * V8 reads the largest size only at its start, but the factor whenever it grows. With Node 20, each thread that starts sets
 * the factor back to 2 for all, so it is set again and again. Source: V8 src/heap/new-spaces.cc, `SemiSpaceNewSpace::Grow`.
 */
function stopGrowing(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
