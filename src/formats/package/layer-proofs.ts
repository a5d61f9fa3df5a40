import type {Digest} from '../../model/digest.js'
import {withoutEvents, type WorkOptions} from '../../model/events.js'
import {unpackOptions} from '../../model/limits.js'
import type {Crew} from '../../workers/crew.js'
import {recipeOf} from './package-entries.js'
import {PROVE_LAYER} from './prove-task.js'
import type {PackageDraft} from '../../model/transport.js'
import {seenOf} from './payload-seen.js'
import {isRebuilt} from './rebuild-layer.js'
import type {StoredPackage} from './repository.js'

export interface ProofOptions extends WorkOptions {
  /** What was asked for. Its layer is to be given back also where the package keeps no recipe. */
  readonly draft: Pick<PackageDraft, 'layer' | 'isLast'>
  /** The package was written in this run; else it was there before. */
  readonly isNew: boolean
  /** What a package that is not about to change is remembered by: many images share one base. */
  readonly key?: string
}

interface ProveOptions extends WorkOptions {
  readonly signal: AbortSignal
  readonly isLast: boolean
  readonly isFromTar: boolean
}

/** What has been proven in this process of packages that stay as they are, by what they are known by and look like. */
const PROVEN = new Map<string, boolean>()

/**
 * Proofs that packages give back the layers they were made from: each is read back, on another thread while the next
 * package is written.
 */
export class LayerProofs {
  readonly #crew: Crew
  readonly #stop = new AbortController()
  readonly #begun = new Set<Promise<unknown>>()

  constructor(crew: Crew) {
    this.#crew = crew
  }

  /**
   * True when the package as it is stored gives back the layer tar that it was made from, byte for byte: by its recipe,
   * or by writing its payload as any payload without a recipe is written. Undefined when there is no tar to give back.
   * The package must stay where it is until this has settled.
   */
  begin(stored: StoredPackage, {draft, isNew, key, ...options}: ProofOptions): Promise<boolean> | undefined {
    const recipe = recipeOf(stored)
    const diffId = recipe?.diffId ?? draft.layer?.diffId
    if (diffId === undefined) return undefined
    // A process may live for days, as a worker does: what was proven goes for the files as they were then.
    const seen = key === undefined ? undefined : seenOf(stored)
    const known =
      key === undefined || seen === undefined
        ? undefined
        : `${key} ${stored.payload.Digest ?? ''} ${recipe?.digest ?? ''} ${diffId} ${seen}`
    const remembered = known === undefined ? undefined : PROVEN.get(known)
    if (remembered !== undefined) return Promise.resolve(remembered)
    const stop = this.#stop.signal
    const signal = options.signal === undefined ? stop : AbortSignal.any([options.signal, stop])
    const proof = this.#prove(stored, diffId, {
      ...withoutEvents(options),
      signal,
      isLast: draft.isLast === true,
      isFromTar: isNew && draft.layer?.blob !== undefined,
    })
    this.#begun.add(proof)
    // Who asked hears of a failure when the proof is needed; until then it is nobody's.
    const remember = (isProven: boolean) => (known === undefined ? undefined : PROVEN.set(known, isProven))
    proof.then(remember, () => undefined)
    return proof
  }

  #prove(stored: StoredPackage, diffId: Digest, {isLast, isFromTar, ...options}: ProveOptions): Promise<boolean> {
    const {place, payload} = stored
    const here = () => isRebuilt(stored, diffId, {...options, isFromTar})
    if (place === undefined) return this.#crew.here(here)
    return this.#crew.run({
      task: PROVE_LAYER,
      input: {place, diffId, isFromTar, limits: unpackOptions(options)},
      weightBytes: payload.Bytes ?? 0,
      entries: payload.Entries,
      signal: options.signal,
      isBetterElsewhere: !isLast,
      here,
    })
  }

  /** Waits until none is under way, whatever became of them. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#begun)
    this.#begun.clear()
  }

  /** Stops those under way, and waits for their end: their packages are about to go. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.settle()
  }
}
