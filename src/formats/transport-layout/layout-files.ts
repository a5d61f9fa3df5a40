import {InputError} from '../../model/errors.js'
import type {FileTimes} from '../../model/windows-metadata.js'

/* What a transport layout needs of the place where its files lie: a folder of a disk, or the inside of a package. */

/** What is known of a file before it is opened. */
export interface FileFacts {
  readonly kind: 'file' | 'directory'
  /** Of a file, bytes. */
  readonly sizeBytes: number
  /** As far as the place keeps them. */
  readonly times: FileTimes
  /** The same for all names of one file; empty where it has one name, or the place knows no links. */
  readonly linkGroup: string
  /** Another one after the file was written or replaced; undefined where the place itself cannot change unnoticed. */
  readonly stamp?: string
}

/** A file open for reading. Small ones are read at once, others by range. */
export interface OpenFile {
  /** Fills `into` from `offset` on; an early end is `SIZE_MISMATCH`. */
  read(offset: number, into: Uint8Array): void
  /** A range in pieces that are valid until the next one is asked for. */
  range(offset: number, length: number): AsyncIterable<Uint8Array>
  close(): void
}

/** Names in a folder, each list in the order of their UTF-8 bytes. */
export interface FolderNames {
  readonly folders: readonly string[]
  readonly files: readonly string[]
}

/**
 * Files by paths below one root, `/` between names. Names are spelt as stored. Nothing but files and folders is ever given
 * out: links and devices are `UNRECOGNISED_FORMAT`. `place` is how messages name the file.
 */
export interface LayoutFiles {
  /** `''` is the root. */
  list(folder: string): FolderNames
  /** Undefined when there is nothing of this name. */
  find(path: string, place: string): FileFacts | undefined
  open(path: string, sizeBytes: number, place: string): OpenFile
  /** The bytes of a file up to a limit (`LIMIT_EXCEEDED`); undefined when there is no such file. */
  findSmall(path: string, limitBytes: number, place: string): Uint8Array | undefined
  /** Hex SHA-256. Other work has its turn meanwhile, and an aborted signal ends it. */
  hash(path: string, signal?: AbortSignal): Promise<string>
  /** True when two files hold the same bytes. */
  areSame(left: string, right: string): boolean
}

/** The whole of a file in pieces. */
export async function* streamFile(files: LayoutFiles, path: string, place: string): AsyncGenerator<Uint8Array> {
  const {sizeBytes} = requireFile(files, path, place)
  const file = files.open(path, sizeBytes, place)
  try {
    yield* file.range(0, sizeBytes)
  } finally {
    file.close()
  }
}

/** What is known of a file that must be there. `NOT_FOUND`. */
export function requireFile(files: LayoutFiles, path: string, place: string): FileFacts {
  const facts = files.find(path, place)
  if (facts !== undefined) return facts
  throw new InputError('NOT_FOUND', {
    what: 'The file or folder does not exist.',
    suggestions: ['Restore it from a copy.'],
    at: {path: place},
  })
}
