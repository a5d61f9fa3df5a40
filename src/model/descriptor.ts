import type {Digest} from './digest.js'

/** Digest, size and media type of a blob as stored. Source: image-spec descriptor.md. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly urls?: readonly string[]
  readonly annotations?: Readonly<Record<string, string>>
}

/** A document whose bytes are its identity: kept, hashed and forwarded verbatim, never re-serialised. */
export interface RawDocument {
  readonly mediaType: string
  readonly bytes: Uint8Array
}
