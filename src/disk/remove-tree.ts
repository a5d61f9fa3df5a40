import {randomBytes} from 'node:crypto'
import {chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync} from 'node:fs'
import {findSystemCode} from '../model/errors.js'
import {canNameHandles, insideFolder} from './open-folder.js'

const OWNER_ONLY = 0o700

/**
 * Removes a file, or a folder with all that is in it. It follows no link, leaves what is mounted there, and needs neither
 * stack nor long paths, however deep the folders go: each is moved to the top before it is emptied. Returns the first
 * error of the system, or undefined when all is gone; it never throws, as what cannot be removed must not hold up what
 * is to be done.
 */
export function removeTree(target: string): unknown {
  try {
    const found = lstatSync(target, {throwIfNoEntry: false})
    if (found === undefined) return undefined
    if (!found.isDirectory()) {
      unlinkSync(target)
      return undefined
    }
    return new TreeRemover(target).remove()
  } catch (error) {
    return isGone(error) ? undefined : error
  }
}

class TreeRemover {
  readonly #target: string
  /** Folders at the top that are to be emptied: never more than one path component below it. */
  readonly #waiting: Buffer[] = []
  readonly #token = randomBytes(6).toString('hex')
  #device: number | undefined
  #moved = 0
  #failure: unknown

  constructor(target: string) {
    this.#target = target
  }

  remove(): unknown {
    this.#inside(this.#target, (top) => {
      this.#empty(top, top)
      for (let name = this.#waiting.pop(); name !== undefined; name = this.#waiting.pop()) {
        const folder = within(top, name)
        this.#try(() => {
          this.#inside(folder, (at) => {
            this.#empty(at, top)
          })
        })
        this.#try(() => {
          rmdirSync(folder)
        })
      }
    })
    this.#try(() => {
      rmdirSync(this.#target)
    })
    return this.#failure
  }

  /** Only on the device that the work began on. */
  #inside(folder: string | Buffer, work: (at: string | Buffer) => void): void {
    insideFolder(folder, (at, {dev}) => {
      this.#device ??= dev
      if (this.#device === dev) work(at)
    })
  }

  /** Removes the files of a folder, and moves its folders to the top, to be emptied later. */
  #empty(at: string | Buffer, top: string | Buffer): void {
    for (const child of readdirSync(at, {withFileTypes: true, encoding: 'buffer'})) {
      const place = within(at, child.name)
      this.#try(() => {
        withWriteAccess(
          () => {
            // The name of a handle leads to the folder that is open.
            chmodSync(at, OWNER_ONLY)
          },
          () => {
            if (child.isDirectory()) this.#moveUp(place, top)
            else unlinkSync(place)
          },
        )
      })
    }
  }

  /** Fails where something is mounted, which is then left as it is. A folder that moves must be writable itself. */
  #moveUp(place: Buffer, top: string | Buffer): void {
    const name = Buffer.from(`${this.#token}-${this.#moved++}`)
    withWriteAccess(
      () => {
        insideFolder(place, (at) => {
          chmodSync(at, OWNER_ONLY)
        })
      },
      () => {
        renameSync(place, within(top, name))
      },
    )
    this.#waiting.push(name)
  }

  #try(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!isGone(error)) this.#failure ??= error
    }
  }
}

/** Once more after the folder was made writable, where its mode was what stood in the way. */
function withWriteAccess(makeWritable: () => void, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (findSystemCode(error) !== 'EACCES' || !canNameHandles()) throw error
    makeWritable()
    work()
  }
}

function within(folder: string | Buffer, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(folder), Buffer.from('/'), name])
}

function isGone(error: unknown): boolean {
  return findSystemCode(error) === 'ENOENT'
}
