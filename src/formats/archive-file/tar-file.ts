import {randomBytes} from 'node:crypto'
import {link, lstat, mkdtemp, open, rename, rm, unlink, type FileHandle} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {pipeline} from 'node:stream/promises'
import {BLOCK_BYTES, encodeTarHeader, END_BLOCKS, paddingOf} from '../../codecs/tar/tar-header.js'
import {asTransshipError, findSystemCode, InputError, UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'

export interface MemberHeader {
  /** At most 100 bytes of ASCII. */
  readonly name: string
  readonly typeflag: '0' | '2' | '5'
  readonly mode: number
  readonly size: number
  readonly linkname?: string
}

/** Largest value of an 11-digit octal field, plus one. */
const OCTAL_11 = 8 ** 11

/**
 * One header block, never more: a body's header is written after it, into a gap of one block. A size past 8 GiB is
 * told in base 256, which GNU tar, Go and bsdtar read in any header. The time is zero, as in containerd's exports.
 */
export function headerBlock(header: MemberHeader): Uint8Array {
  const {size} = header
  const block = Buffer.from(encodeTarHeader({...header, size: size < OCTAL_11 ? size : 0, mtime: 0n}))
  if (size < OCTAL_11) return block
  block.fill(0, 124, 136)
  block.writeBigUInt64BE(BigInt(size), 128)
  block[124] = 0x80
  block.fill(0x20, 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1')
  return block
}

/** A place in the file where a header is still missing. */
export interface OpenMember {
  readonly offset: number
  readonly size: number
}

/**
 * The tar that a destination writes: beside its final place, which it takes only at `commit`. Bodies go in one pass;
 * their headers, whose names are digests, follow when they are known.
 */
export class TarFile {
  readonly #path: string
  readonly #temporary: string
  readonly #folder: string | undefined
  readonly #handle: FileHandle
  #position = 0
  #isClosed = false

  private constructor(target: string, temporary: string, {handle, folder}: {handle: FileHandle; folder?: string}) {
    this.#path = target
    this.#temporary = temporary
    this.#handle = handle
    this.#folder = folder
  }

  /** `-` is standard output: the tar is then made in a temporary folder, since headers follow their bodies. */
  static async create(target: string): Promise<TarFile> {
    try {
      if (target === '-') {
        const folder = await mkdtemp(path.join(tmpdir(), 'transship-'))
        const temporary = path.join(folder, 'archive.tar')
        const handle = await open(temporary, 'wx+')
        // Where an open file may be unlinked, nothing is left behind even if the process is killed.
        if (process.platform !== 'win32') await rm(folder, {recursive: true, force: true})
        return new TarFile(target, temporary, {handle, folder})
      }
      const name = `.${path.basename(target)}.tmp-${randomBytes(6).toString('hex')}`
      const temporary = path.join(path.dirname(target), name)
      return new TarFile(target, temporary, {handle: await open(temporary, 'wx')})
    } catch (error) {
      throw asTransshipError(error, {path: target})
    }
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#position
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#writeAt(bytes, this.#position)
    this.#position += bytes.byteLength
  }

  async #writeAt(bytes: Uint8Array, position: number): Promise<void> {
    try {
      for (let at = 0; at < bytes.byteLength;) {
        const {bytesWritten} = await this.#handle.write(bytes, at, bytes.byteLength - at, position + at)
        at += bytesWritten
      }
    } catch (error) {
      throw asTransshipError(error, {path: this.#path, offset: position})
    }
  }

  /** A member whose body is at hand, or that has none. */
  async add(header: Omit<MemberHeader, 'size'>, body: Uint8Array = new Uint8Array()): Promise<void> {
    await this.#append(headerBlock({...header, size: body.byteLength}))
    if (body.byteLength === 0) return
    await this.#append(body)
    await this.#append(END_BLOCKS.subarray(0, paddingOf(body.byteLength)))
  }

  /** Writes a body behind a gap for its header; `name` fills the gap. */
  async addBody(body: AsyncIterable<Uint8Array>, {signal}: WorkOptions): Promise<OpenMember> {
    const offset = this.#position
    await this.#append(END_BLOCKS.subarray(0, BLOCK_BYTES))
    for await (const chunk of body) {
      signal?.throwIfAborted()
      await this.#append(chunk)
    }
    const size = this.#position - offset - BLOCK_BYTES
    await this.#append(END_BLOCKS.subarray(0, paddingOf(size)))
    return {offset, size}
  }

  /** Gives the member that `addBody` wrote its header. */
  async name(member: OpenMember, name: string): Promise<void> {
    await this.#writeAt(headerBlock({name, typeflag: '0', mode: 0o444, size: member.size}), member.offset)
  }

  /** Takes back the member written last. */
  async drop(member: OpenMember): Promise<void> {
    await this.#handle.truncate(member.offset)
    this.#position = member.offset
  }

  /** Ends the tar and puts it in its place. `DESTINATION_EXISTS` when something took the place meanwhile. */
  async commit(options: WorkOptions & {readonly replace: boolean}): Promise<void> {
    await this.#append(END_BLOCKS)
    try {
      if (this.#folder !== undefined) {
        await pipeline(this.#handle.createReadStream({start: 0, autoClose: false}), process.stdout, {
          end: false,
          ...(options.signal === undefined ? {} : {signal: options.signal}),
        })
        await this.abort()
        return
      }
      await this.#handle.sync()
      await this.#close()
      if (options.replace) await rename(this.#temporary, this.#path)
      else await moveToFree(this.#temporary, this.#path)
    } catch (error) {
      throw asTransshipError(error, {path: this.#path})
    }
    await syncFolder(path.dirname(this.#path))
  }

  /** Removes what was written; safe at any time, also after `commit`. */
  async abort(): Promise<void> {
    await this.#close()
    await rm(this.#folder ?? this.#temporary, {recursive: true, force: true})
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#handle.close()
  }
}

/** A second name, which fails where one is taken, then the first one away; `rename` would overwrite. */
async function moveToFree(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    const code = findSystemCode(error)
    if (code === 'EEXIST') throw destinationExists(to)
    // Not every file system has hard links.
    await requireFree(to, false)
    await rename(from, to)
    return
  }
  await unlink(from)
}

/** After a rename only the folder's own sync makes the name last; Windows has no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch {
    // Some file systems refuse to sync a folder; the file itself is safe.
  } finally {
    await handle.close()
  }
}

/** Throws `DESTINATION_EXISTS` when there is a file that must not be replaced, or a folder. */
export async function requireFree(target: string, replace: boolean): Promise<void> {
  if (target === '-') {
    if (!process.stdout.isTTY) return
    throw new UsageError('BAD_OPTION', {
      what: 'An archive is not written to a terminal.',
      suggestions: ['Redirect the output to a file or another program.'],
    })
  }
  const found = await lstat(target).catch((error: unknown) => {
    if (findSystemCode(error) === 'ENOENT') return undefined
    throw asTransshipError(error, {path: target})
  })
  if (found !== undefined && !(replace && found.isFile())) throw destinationExists(target)
}

function destinationExists(target: string): InputError {
  return new InputError('DESTINATION_EXISTS', {
    what: `'${target}' exists.`,
    suggestions: ['Give --replace to overwrite a file, or choose another destination.'],
    at: {path: target},
  })
}
