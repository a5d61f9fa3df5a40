import {setFlagsFromString} from 'node:v8'
import {splitReference} from '../model/reference.js'
import {APPX} from '../transports/appx/reference.js'

/**
 * Part by which what lives on may grow before V8 looks for garbage, in percent. Left to itself it waits for two to three times
 * as much; packing 40,000 files then takes 60 MiB more in all threads, which is above what is promised. It costs a tenth
 * of the processor's time, so other work goes without.
 */
const GROWING_PERCENT = 50

/** Keeps the garbage of this process down where a destination takes much memory: AppX, whose blocks are packed while others are read. */
export function keepHeapTightFor(destination: string): void {
  if (splitReference(destination)?.transport !== APPX) return
  // V8 reads this flag each time; it is not among those that only count at the start. Source: V8 src/heap/memory-controller.cc.
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`)
}
