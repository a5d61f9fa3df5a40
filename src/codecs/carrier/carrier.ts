import type {ExtendedAttribute} from '../../model/windows-metadata.js'

/** A run of content bytes inside a carrier. All numbers are bytes. */
export interface ContentExtent {
  /** Where the run belongs in the content. */
  readonly offset: number
  readonly length: number
  /** Where the run lies in the carrier. */
  readonly position: number
}

/** Where the bytes of a data stream lie in a carrier. */
export interface StreamLocation {
  /** Logical size, holes included. */
  readonly sizeBytes: number
  /** Ascending, not overlapping; what lies between is zeros. */
  readonly extents: readonly ContentExtent[]
  /** True when the stream was stored as sparse blocks. */
  readonly isSparse: boolean
}

/** A decoded carrier: everything but the four times, which are those of the carrier file itself. */
export interface Carrier {
  /** FILE_ATTRIBUTE_* with the directory bit as the kind of object demands. */
  readonly attributes: number
  readonly securityDescriptor?: Uint8Array
  readonly extendedAttributes?: readonly ExtendedAttribute[]
  readonly reparsePoint?: Uint8Array
  /** The first unnamed data stream of a file. */
  readonly data?: StreamLocation
  /** Named streams in carrier order, without the leading colon and `:$DATA`. */
  readonly streams: readonly {readonly name: string; readonly location: StreamLocation}[]
  /** What is needed to write the same bytes again; undefined when the carrier is as Microsoft's importer writes it. */
  readonly frame?: Uint8Array
  /** Set when a frame would be needed but is larger than an archive header takes: this many bytes. */
  readonly oversizeFrameBytes?: number
}

/** What a carrier stands for: its directory bit, and whether it has an unnamed data stream, follow from it. */
export type CarrierKind = 'file' | 'directory'

/** The most bytes of a frame. Go refuses PAX headers above 1 MiB, and base64 adds a third. */
export const MAX_FRAME_BYTES = 512 * 1024
