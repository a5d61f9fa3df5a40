import {read, readSync} from 'node:fs'
import {promisify} from 'node:util'

const readLater = promisify(read)

/*
 * The one place that asks for a number of bytes and waits for all of them. A system may give fewer than there are, over a
 * network or when a signal comes: whoever takes one read for the whole takes a file for another one.
 */

/** Fills `into` from `position` of a file on, and gives how many bytes there were: fewer only where the file ends. */
export function fillBuffer(fd: number, into: Uint8Array, position: number): number {
  let filled = 0
  while (filled < into.byteLength) {
    const count = readSync(fd, into, filled, into.byteLength - filled, position + filled)
    if (count === 0) break
    filled += count
  }
  return filled
}

/** Does the same without holding up other work. */
export async function fillBufferLater(fd: number, into: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < into.byteLength) {
    const {bytesRead} = await readLater(fd, into, filled, into.byteLength - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
