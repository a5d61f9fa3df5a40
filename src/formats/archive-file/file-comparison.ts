import {lstat, type FileHandle} from 'node:fs/promises'
import {fillBufferLater} from '../../disk/fill-buffer.js'
import {openRegularHandle} from '../../disk/safe-open.js'
import {asTransshipError, findSystemCode} from '../../model/errors.js'
import {occupied, requireReplaceable, type Occupant} from '../../model/replacing.js'

/** Holds a file that is being written against the one that is in its place: of two equal ones the old one stays. */
export class FileComparison {
  readonly #target: string
  readonly #replace: boolean
  readonly #handle: FileHandle
  readonly #size: number
  #isEqual = true

  private constructor(target: string, replace: boolean, held: {readonly handle: FileHandle; readonly size: number}) {
    this.#target = target
    this.#replace = replace
    this.#handle = held.handle
    this.#size = held.size
  }

  /** Undefined when nothing is there. */
  static async open(target: string, replace: boolean): Promise<FileComparison | undefined> {
    if (!(await isFile(target))) return undefined
    const handle = await openRegularHandle(target)
    return new FileComparison(target, replace, {handle, size: (await handle.stat()).size})
  }

  /** True when the file that is there has these bytes at that place, or is known to be another anyway. */
  async isSame(bytes: Uint8Array, offset: number): Promise<boolean> {
    if (!this.#isEqual) return true
    if (offset + bytes.byteLength > this.#size) return false
    const there = Buffer.allocUnsafe(bytes.byteLength)
    return (await fillBufferLater(this.#handle.fd, there, offset)) === there.byteLength && there.equals(bytes)
  }

  /** The two are not equal. Throws `DESTINATION_EXISTS` unless it may be replaced. */
  differ(): void {
    if (!this.#isEqual) return
    this.#isEqual = false
    requireReplaceable(fileOccupant(this.#target), this.#replace)
  }

  /** True when all that was written is what is there. */
  isEqual(size: number): boolean {
    if (size !== this.#size) this.differ()
    return this.#isEqual
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** False when nothing is there. Throws `DESTINATION_EXISTS` for what is no file. */
export async function isFile(target: string): Promise<boolean> {
  const found = await lstat(target).catch((error: unknown) => {
    if (findSystemCode(error) === 'ENOENT') return undefined
    throw asTransshipError(error, {path: target})
  })
  if (found === undefined) return false
  if (found.isFile()) return true
  throw occupied({...fileOccupant(target), what: `'${target}' exists and is not a file.`, isReplaceable: false})
}

export function fileOccupant(target: string): Occupant {
  return {what: `'${target}' already exists and differs.`, instead: ['Choose another destination.'], at: {path: target}}
}
