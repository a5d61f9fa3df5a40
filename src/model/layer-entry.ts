import type {Content} from './content.js'
import type {LayerPath} from './layer-path.js'
import type {WindowsMetadata} from './windows-metadata.js'

/**
 * The exact outer form of an entry where a source spelt it differently from the canonical form, so that the same bytes
 * can be written again. Opaque outside the codec that made it: a destination keeps it, hands it back, or drops it.
 */
export interface EntryFrame {
  /** How the layer tar spelt the entry. Made and replayed by `codecs/layer-tar`; a repository keeps it in a recipe. */
  readonly archive?: Uint8Array
  /** How the transport layout spelt the entry. Made and replayed by `codecs/carrier`; a tar keeps it in a PAX record. */
  readonly layout?: Uint8Array
}

/** An alternate data stream of a file or directory. */
export interface AlternateStream {
  /** Without the leading colon and without `:$DATA`. */
  readonly name: string
  readonly content: Content
  readonly frame?: EntryFrame
}

/** A file that the layer adds or replaces. */
export interface FileEntry {
  readonly kind: 'file'
  readonly path: LayerPath
  readonly meta: WindowsMetadata
  /** The unnamed data stream; a file that is a reparse point may have none. */
  readonly content?: Content
  /**
   * Read after `content` has been drained, in order, each drained before the next. Async, since in a tar they are
   * entries of their own. Must be drained before the next layer entry is asked for.
   */
  readonly streams?: AsyncIterable<AlternateStream>
  readonly frame?: EntryFrame
}

/** A folder that the layer adds or changes. */
export interface DirectoryEntry {
  readonly kind: 'directory'
  readonly path: LayerPath
  readonly meta: WindowsMetadata
  readonly streams?: AsyncIterable<AlternateStream>
  readonly frame?: EntryFrame
}

/** What the target of a hard link means at the link's point of the layer. */
export type LinkMeaning =
  /** A name that this layer has made before it. */
  | {readonly kind: 'own'; readonly path: LayerPath}
  /** What the layers below show at the target. */
  | {readonly kind: 'below'; readonly target: LayerPath}
  /** Nothing had the name at that point; the layer makes it later. */
  | {readonly kind: 'later'; readonly target: LayerPath}

/** A further name of a file of this layer or of a lower one. */
export interface HardLinkEntry {
  readonly kind: 'hard-link'
  readonly path: LayerPath
  readonly target: LayerPath
  /** What the target means at this point of the layer, where that was resolved (`ImageNames`). */
  readonly means?: LinkMeaning
  /** As stated on the link itself; Windows ignores it and uses the target's. */
  readonly meta: WindowsMetadata
  readonly frame?: EntryFrame
}

/** The path does not exist in this layer, whatever lower layers say. */
export interface TombstoneEntry {
  readonly kind: 'tombstone'
  readonly path: LayerPath
  /** It stands for what an opaque directory hides, which the source spelt otherwise; a tar of it has none. */
  readonly isDerived?: boolean
  readonly frame?: EntryFrame
}

/** Nothing that lower layers hold inside this directory is visible. The directory itself stays. */
export interface OpaqueEntry {
  readonly kind: 'opaque'
  readonly path: LayerPath
  readonly frame?: EntryFrame
}

/** Bytes of the outer form that stand for no entry: a global header, a repeated parent, what follows the last entry. */
export interface FrameEntry {
  readonly kind: 'frame'
  readonly frame: EntryFrame
}

/**
 * One change a layer makes. In a well-formed layer parents come before children, and each path occurs once
 * (Windows-case-insensitively). Files under `Hives/` are registry hives: `findHive(path)` tells which.
 * Files whose content or streams are not read by the consumer are skipped by the producer.
 */
export type LayerEntry = FileEntry | DirectoryEntry | HardLinkEntry | TombstoneEntry | OpaqueEntry | FrameEntry
