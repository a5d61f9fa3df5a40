import type {TarIndexEntry} from '../../codecs/tar/index-tar.js'
import type {Digest} from '../../model/digest.js'
import {InputError, TransshipError} from '../../model/errors.js'
import type {Descriptor, RawDocument} from '../../model/image.js'
import type {ConfigFacts} from '../shared/image-documents.js'

/** One layer as the archive's documents describe it. */
export interface ArchivedLayer {
  readonly diffId?: Digest
  /** Undefined when the archive does not hold the content. */
  readonly entry?: TarIndexEntry
  /** As the OCI manifest, `LayerSources` or the member's name state it; of the stored bytes. */
  readonly descriptor?: Descriptor
}

/** One image as the archive's documents describe it. */
export interface ArchivedImage {
  readonly origin: 'manifest.json' | 'index.json' | 'repositories'
  /** As the archive spells them. */
  readonly names: readonly string[]
  readonly config: RawDocument
  /** Digest of the configuration's bytes: the image ID. */
  readonly imageId: Digest
  readonly facts: ConfigFacts
  readonly manifest?: RawDocument & {readonly digest: Digest}
  /** Base first. */
  readonly layers: readonly ArchivedLayer[]
}

/** A fault that does not prevent use. */
export interface Warning {
  readonly code: string
  readonly message: string
}

/** Where faults go: `open` throws the first, `verify` gathers all, both with warnings kept. */
export interface FaultSink {
  /** Gives back only when faults are gathered. */
  fault(error: TransshipError): void
  warn(warning: Warning): void
}

/** Throws at the first fault. */
export class StrictSink implements FaultSink {
  readonly warnings: Warning[] = []

  fault(error: TransshipError): void {
    throw error
  }

  warn(warning: Warning): void {
    this.warnings.push(warning)
  }
}

/** The result of a step; undefined when it failed and the sink gathers the fault. */
export async function attempt<T>(sink: FaultSink, step: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    sink.fault(error)
    return undefined
  }
}
