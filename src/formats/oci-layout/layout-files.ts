import type {WorkOptions} from '../../model/events.js'
import type {IndexDocument} from '../image-documents/image-documents.js'
import type {ExistingBlob} from './kept-blob.js'

/**
 * index.json, over the one that a layout has: `existing` as it was, or that of a layout which others have made of the same
 * place meanwhile. Throws `DESTINATION_EXISTS` when a name went to another image there.
 */
export type IndexOver = (existing: IndexDocument | undefined) => Uint8Array

/** Files of a layout that is being written; `M` stands for a body whose name is still open. Nothing shows before `commit`. */
export interface LayoutFiles<M> {
  /** Bytes written so far. */
  readonly size: number
  /** The index of a layout that is there and is added to. */
  readonly existing?: IndexDocument | undefined
  /** True where bodies may be added several at once; in a tar one follows the other. */
  readonly mayOverlap?: boolean
  addBody(body: AsyncIterable<Uint8Array>, options: WorkOptions): Promise<M>
  name(body: M, name: string): Promise<void>
  /** Takes back a body: the one added last, where they follow each other. */
  drop(body: M): Promise<void>
  addFile(name: string, bytes: Uint8Array): Promise<void>
  /** A file of the layout that is added to; undefined when it is not there. */
  findExisting?(name: string): Promise<ExistingBlob<M> | undefined>
  /** True when what is there is equal as a whole, and was left. */
  commit(index: IndexOver, options: WorkOptions & {readonly replace: boolean}): Promise<boolean>
  abort(): Promise<void>
}
