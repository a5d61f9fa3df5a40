import {isTarStart} from '../../codecs/tar/is-tar.js'
import {BLOCK_BYTES} from '../../codecs/tar/tar-header.js'
import {indexTar, type TarIndexEntry} from '../../codecs/tar/index-tar.js'
import {digestAlgorithm, digestHex, type Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {requireDocumentSize} from '../../codecs/json/json-document.js'
import {UnknowableError} from '../../model/no-such-thing.js'
import type {FileRange} from '../../model/layer-in-file.js'
import {stampOfFile} from '../../disk/file-stamp.js'
import {useOpen, type Keepable} from '../../disk/kept-open.js'
import {openStamped, spoolStream, type SeekableFile} from '../../disk/seekable-file.js'
import {unpackOptions} from '../../model/limits.js'
import {withoutEnd} from '../../model/text-ends.js'

/** A link may lead to a link; real archives need one step. */
const MAX_LINKS = 8

/** What an archive holds, open. It is the same as long as it is open, so what was read of it stays true. */
export class ArchiveContents implements Keepable {
  readonly file: SeekableFile
  readonly entries: ReadonlyMap<string, TarIndexEntry>
  /** Names that occur more than once: readers differ in which one they take. */
  readonly repeated: readonly string[]

  private constructor(file: SeekableFile, listed: readonly TarIndexEntry[]) {
    this.file = file
    const entries = new Map<string, TarIndexEntry>()
    const repeated = new Set<string>()
    for (const entry of listed) {
      const name = cleanName(entry.name)
      if (entries.has(name) && entry.kind !== 'directory') repeated.add(name)
      entries.set(name, entry)
    }
    this.entries = entries
    this.repeated = [...repeated]
  }

  /** Closes the file when it is not what it should be. `UNRECOGNISED_FORMAT`, `ARCHIVE_TRUNCATED`. */
  static async of(file: SeekableFile, options: WorkOptions & {readonly title: string}): Promise<ArchiveContents> {
    try {
      if (!isTarStart(await file.read(0, BLOCK_BYTES))) throw noTar(options.title, file.size)
      return new ArchiveContents(file, await indexTar(file, options))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  get isSpooled(): boolean {
    return this.file.isSpooled
  }

  close(): Promise<void> {
    return this.file.close()
  }
}

/**
 * A tar of images, indexed by its headers; members are found by name and read in place, never unpacked. A piped one waits
 * in a temporary file.
 *
 * Not tar-stream's `extract` for piped ones: it takes a cut between two members for the end, and reads on past a single
 * zero block. A pipe would accept what a file is refused for. Nor would it gain anything: it is 5 % faster in one run and
 * 6 % slower in another. (`npm run bench:tar`: 256 MiB in memory, medians of 15 rounds in turn.)
 */
export class Archive {
  readonly contents: ArchiveContents
  /** As the user named it. */
  readonly path: string
  readonly #close: () => Promise<void>

  private constructor(path: string, contents: ArchiveContents, close: () => Promise<void>) {
    this.path = path
    this.contents = contents
    this.#close = close
  }

  /** Opens a file or standard input (`-`). The caller closes it. `UNRECOGNISED_FORMAT`, `ARCHIVE_TRUNCATED` for what is no tar. */
  static async open(path: string, options: WorkOptions): Promise<Archive> {
    const title = path === '-' ? 'Standard input' : path
    const key = `archive ${path} ${JSON.stringify(unpackOptions(options))}`
    const use = await useOpen(key, {
      stampOf: () => stampOfFile(path),
      open: async () => {
        const {file, stamp} = await openStamped(path, options)
        return {value: await ArchiveContents.of(file, {...options, title}), stamp}
      },
    })
    return new Archive(path, use.value, () => use.release())
  }

  /** Spools a stream to a temporary file that `close` removes; messages call it `title`. */
  static async ofStream(
    stream: AsyncIterable<Uint8Array>,
    options: WorkOptions & {readonly title: string},
  ): Promise<Archive> {
    const contents = await ArchiveContents.of(await spoolStream(stream, options), options)
    return new Archive(options.title, contents, () => contents.close())
  }

  get repeated(): readonly string[] {
    return this.contents.repeated
  }

  /** Names of all members, in the order of the tar; `\` read as `/`, without `./` in front. */
  names(): Iterable<string> {
    return this.contents.entries.keys()
  }

  /** The regular file of this name, links followed; undefined when there is none. Throws `NAME_UNSAFE`. */
  find(name: string): TarIndexEntry | undefined {
    let at = requireInside(cleanName(name), name)
    for (let links = 0; links <= MAX_LINKS; links++) {
      const entry = this.contents.entries.get(at)
      if (entry === undefined || entry.kind === 'file') return entry
      // Names of a save made on Windows were joined with the separator of that system.
      const target = cleanName(entry.linkname)
      if (entry.kind === 'hard-link') at = requireInside(target, entry.linkname)
      else if (entry.kind === 'symlink') at = requireInside(`${folderOf(at)}${target}`, entry.linkname)
      else return undefined
    }
    throw new InputError('ARCHIVE_CORRUPT', {
      what: `The links of '${name}' form a loop.`,
      at: {path: this.path},
    })
  }

  /** The blob of this digest where an OCI layout keeps it. */
  findBlob(digest: Digest): TarIndexEntry | undefined {
    return this.find(`blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`)
  }

  /** A document in whole. Throws `LIMIT_EXCEEDED` when it is too large to be one. */
  async readDocument(entry: TarIndexEntry): Promise<Uint8Array> {
    requireDocumentSize(entry.size, entry.name)
    return this.contents.file.read(entry.offset, entry.size)
  }

  /** The first bytes of a member. */
  readHead(entry: TarIndexEntry, length: number): Promise<Uint8Array> {
    return this.contents.file.read(entry.offset, Math.min(length, entry.size))
  }

  stream(entry: TarIndexEntry, options: WorkOptions = {}): AsyncIterable<Uint8Array> {
    return this.contents.file.stream(entry.offset, entry.size, options)
  }

  /** Where it lies in the file; other threads can read it there while this is open. */
  rangeOf({offset, size}: TarIndexEntry): FileRange {
    return this.contents.file.range(offset, size)
  }

  close(): Promise<void> {
    return this.#close()
  }
}

function noTar(title: string, size: number): InputError {
  const isCut = size < BLOCK_BYTES
  return new UnknowableError(isCut ? 'ARCHIVE_TRUNCATED' : 'UNRECOGNISED_FORMAT', {
    what: `${title} is not a tar archive.`,
    why: size === 0 ? 'It is empty.' : isCut ? `It has only ${size} bytes.` : 'It does not start with a member header.',
    suggestions: ['Use a file made by docker save.'],
    at: {path: title},
  })
}

function cleanName(name: string): string {
  return withoutEnd(name.replaceAll('\\', '/').replace(/^(?:\.\/+)+/, ''), '/')
}

function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/') + 1)
}

/** Resolves `..` inside the archive. Throws `NAME_UNSAFE` when it leads out. */
function requireInside(name: string, spelt: string): string {
  const parts: string[] = []
  let isInside = !name.startsWith('/') && !/^[A-Za-z]:\//.test(name)
  for (const part of name.split('/')) {
    if (part === '..') isInside = parts.pop() !== undefined && isInside
    else if (part !== '.' && part !== '') parts.push(part)
  }
  if (isInside) return parts.join('/')
  throw new InputError('NAME_UNSAFE', {
    what: `The name '${spelt.slice(0, 300)}' is unsafe.`,
    why: 'It leads out of the archive.',
    suggestions: ['Do not trust this archive unless you know who made it.'],
  })
}
