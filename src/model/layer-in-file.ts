import type {Descriptor} from './descriptor.js'
import type {Digest} from './digest.js'

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz'

/**
 * A part of an open file, as plain data: every thread of the process can read it, by the number of the open file, which
 * whoever opened it keeps open as long.
 */
export interface FileRange {
  readonly fd: number
  /** For messages: which file it is. */
  readonly title: string
  /** Where it begins, bytes. */
  readonly offset: number
  /** Its bytes. */
  readonly length: number
}

/** A layer that lies in an open file as a tar, compressed or not, as plain data: it can be read on any thread. */
export interface LayerInFile {
  /** For messages: `layer 2`. */
  readonly title: string
  readonly descriptor: Descriptor
  readonly compression: Compression
  /** Digest of the uncompressed tar, where stated. */
  readonly diffId?: Digest | undefined
  readonly range: FileRange
}
