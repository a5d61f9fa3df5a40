import type {Digest} from '../../model/digest.js'
import {InputError, UnsupportedError} from '../../model/errors.js'
import {withoutEvents, type WorkOptions} from '../../model/events.js'
import {unpackOptions} from '../../model/limits.js'
import {MANY_ENTRIES, WORTH_A_THREAD_BYTES} from '../../workers/crew.js'
import {keepHeapTight} from '../../workers/tight-heap.js'
import {workers} from '../../workers/worker-pool.js'
import {VERIFY_INDEX} from './index-task.js'
import {ImageNames, isWholeImage} from '../../model/image-names.js'
import type {LayerEntry} from '../../model/layer-entry.js'
import {formatFullName} from '../../model/package-identity.js'
import {describeEdits, EditList} from '../../model/payload-edits.js'
import type {Fault, LayerVerdict, Verdict} from '../../model/transport.js'
import {checkingNames} from '../layer-blob/checked-names.js'
import {NOT_READ} from '../layer-blob/image-check.js'
import {checkingHives} from '../layer-blob/verify-hives.js'
import {verifyIndex, type IndexVerdict} from '../transport-layout/verify-layout.js'
import {resolveDependencies, type DependencyChain} from './dependencies.js'
import {fittingPackages, selectFitting} from './fitting-packages.js'
import type {Repository, StoredPackage} from './repository.js'
import {readManifest, readVerified} from './open-package.js'
import {checkCompanions} from './check-companions.js'
import {recordFaults} from './check-records.js'
import {companionBytes, companionFile} from './companion-files.js'
import {checkPin, pinsOf} from './kept-pins.js'
import {rebuildLayer} from './rebuild-layer.js'
import {openLayout, readIndex, recipeOf} from './package-entries.js'
import {findIndexEdit, findRecipeEdits} from './payload-change.js'
import {layerOfPackage} from './stored-layer.js'

/** Checks the selected package, or all of a repository: documents, index, every file, dependencies, recipes. */
export async function verifyPackages<P extends StoredPackage>(
  repository: Repository<P>,
  selector: string | undefined,
  options: VerifyPackagesOptions<P>,
): Promise<Verdict> {
  const packages =
    selector === undefined
      ? fittingPackages(repository, options.platform).filter((stored) => isAsked(stored, options.only))
      : [selectFitting(repository, selector, options.platform)]
  const faults: Fault[] = selector === undefined && options.only === undefined ? [...repository.faults] : []
  const layers: LayerVerdict[] = []
  let bytes = 0
  const take = (found: {readonly faults: readonly Fault[]; readonly bytes: number}) => {
    // A damaged index has as many faults as lines, which is more than a call takes arguments.
    for (const fault of found.faults) faults.push(fault)
    bytes += found.bytes
  }
  const verifyOne = async (stored: StoredPackage) => {
    const verifier = new PackageVerifier(repository, stored, options)
    layers.push(await verifier.verify())
    take(verifier)
  }
  for (const stored of packages) {
    const relax = hasManyEntries(stored) ? keepHeapTight() : undefined
    try {
      await verifyOne(stored)
      if (options.verifyContainer !== undefined) take(await options.verifyContainer(stored))
      repository.close()
    } finally {
      relax?.()
    }
  }
  for (const stored of besideOf(repository, options.only)) {
    await verifyOne(stored)
    repository.close()
  }
  return {faults, layers, bytes}
}

/** A file that lies among others is asked for those that it builds on, too. */
function besideOf({beside = []}: Repository, only: ReadonlySet<string> | undefined): readonly StoredPackage[] {
  return only === undefined ? [] : beside.filter((stored) => isAsked(stored, only))
}

function isAsked({metadata}: StoredPackage, only: ReadonlySet<string> | undefined): boolean {
  return only === undefined || only.has(formatFullName(metadata.identity))
}

export interface VerifyPackagesOptions<P extends StoredPackage> extends WorkOptions {
  /** Packages for another one are left out. */
  readonly platform?: string | undefined
  /** Full names; others are left out. */
  readonly only?: ReadonlySet<string> | undefined
  /** Checks what a package is wrapped in. */
  readonly verifyContainer?: (stored: P) => Promise<{readonly faults: readonly Fault[]; readonly bytes: number}>
}

/** True when a package is whole, whatever becomes of those that it depends on. */
export async function isWhole<P extends StoredPackage>(
  repository: Repository<P>,
  stored: P,
  options: VerifyPackagesOptions<P>,
): Promise<boolean> {
  const {faults} = await verifyPackages({...repository, packages: [stored], faults: []}, undefined, options)
  return faults.every(({code}) => code === 'DEPENDENCY_MISSING' || code === 'DEPENDENCY_MISMATCH')
}

/** True of a payload that takes much memory, as far as its metadata tells. */
function hasManyEntries({payload}: StoredPackage): boolean {
  return (payload.Entries ?? 0) >= MANY_ENTRIES
}

class PackageVerifier {
  readonly faults: Fault[] = []
  bytes = 0
  readonly #edits = new EditList()
  readonly #repository: Repository
  readonly #stored: StoredPackage
  readonly #options: WorkOptions
  readonly #title: string

  constructor(repository: Repository, stored: StoredPackage, options: WorkOptions) {
    this.#repository = repository
    this.#stored = stored
    this.#options = options
    this.#title = formatFullName(stored.metadata.identity)
  }

  async verify(): Promise<LayerVerdict> {
    const {docker, payload} = this.#stored
    await this.#gather('metadata.json', () => {
      this.#verifyDependencies()
    })
    for (const message of docker === undefined ? [] : recordFaults(docker))
      this.#fault('METADATA_INVALID', message, `${this.#title}/metadata.json`)
    await this.#gather('docker', () => readVerified(this.#stored, docker?.ConfigFile, docker?.ConfigDigest))
    await this.#gather('docker', () => readManifest(this.#stored))
    const before = this.faults.length
    for (const each of [...(docker?.Companions?.Documents ?? []), ...(docker?.Companions?.Blobs ?? [])])
      await this.#gather(companionFile(each), async () => {
        for await (const chunk of companionBytes(this.#stored, each)) this.bytes += chunk.byteLength
      })
    // Files that are missing or damaged have just been told one by one.
    if (this.faults.length === before)
      await this.#gather('docker', () => checkCompanions(this.#stored, withoutEvents(this.#options)))
    if (payload.Kind === 'none') {
      const message = `${this.#title} is a stub. Its payload is stored elsewhere.`
      this.#options.onEvent?.({kind: 'note', code: NOT_READ, message, subject: this.#title})
      return {title: this.#title, entries: 0}
    }
    const recipe = recipeOf(this.#stored)
    const verdict = await this.#besideIndex(async () => {
      if (recipe?.digest !== undefined)
        await this.#gather(recipe.file, () => readVerified(this.#stored, recipe.file, recipe.digest))
      return this.#verifyLayer(recipe?.diffId)
    })
    if (recipe !== undefined) await this.#verifyPins(recipe.diffId, verdict)
    const {edits} = this.#edits
    return edits.total === 0 ? verdict : {...verdict, edits}
  }

  #verifyDependencies(): void {
    const chain = resolveDependencies(this.#repository, this.#stored, {
      acceptBaseMismatch: false,
      onMismatch: () => undefined,
    })
    if (chain.missing === undefined) return
    const {identity, code, why} = chain.missing
    this.#fault(code, `It needs ${formatFullName(identity)}. ${why}`, this.#title)
  }

  /**
   * Checks the files against the index, and then does the rest. Of a large payload another thread compares the files
   * meanwhile, since each is read for both. It has to open a container anew, whose lists take much memory where they are long.
   */
  async #besideIndex<T>(rest: () => Promise<T>): Promise<T> {
    const {place, payload} = this.#stored
    const isLarge = (payload.Bytes ?? 0) >= WORTH_A_THREAD_BYTES
    const hasLongLists = place?.kind === 'file' && hasManyEntries(this.#stored)
    const isElsewhere = place !== undefined && isLarge && !hasLongLists && workers().size > 1
    const stop = new AbortController()
    const {signal: own} = this.#options
    const signal = own === undefined ? stop.signal : AbortSignal.any([own, stop.signal])
    const input = {place: place ?? {kind: 'folder', path: ''}, limits: unpackOptions(this.#options)} as const
    const compared = isElsewhere ? workers().run(VERIFY_INDEX, input, {signal, isLong: true}) : undefined
    compared?.catch(() => undefined)
    try {
      if (compared === undefined) await this.#gather('payload-index.jsonl', () => this.#verifyPayload())
      const before = this.faults.splice(0)
      const result = await rest()
      const after = this.faults.splice(0, Infinity, ...before)
      if (compared !== undefined) await this.#gather('payload-index.jsonl', () => this.#verifyPayload(compared))
      for (const fault of after) this.faults.push(fault)
      return result
    } finally {
      // The package is closed next.
      stop.abort()
      await Promise.allSettled([compared])
    }
  }

  async #verifyPayload(compared?: Promise<IndexVerdict>): Promise<void> {
    const {payload} = this.#stored
    const index = readIndex(this.#stored)
    this.#edits.addAll(findIndexEdit(this.#stored, index))
    if (index === undefined) {
      if (payload.Digest !== undefined)
        this.#fault('NOT_FOUND', 'The file payload-index.jsonl is missing.', this.#title)
      return
    }
    if (payload.Digest !== undefined && payload.Digest !== index.digest)
      this.#fault(
        'DIGEST_MISMATCH',
        `The index is ${index.digest}, but the metadata says ${payload.Digest}.`,
        this.#title,
      )
    const verdict = await (compared ??
      verifyIndex(openLayout(this.#stored, index, this.#options), index, this.#options))
    for (const fault of verdict.faults) this.faults.push({...fault, subject: `${this.#title}/${fault.subject}`})
    this.#edits.addAll(verdict.edits)
    this.bytes += verdict.bytes
  }

  /** Reads every entry, which checks each carrier and name, and rebuilds the layer tar where its digest is known. */
  async #verifyLayer(diffId: Digest | undefined): Promise<LayerVerdict> {
    let entries = 0
    const counted = async function* (source: AsyncIterable<LayerEntry>): AsyncGenerator<LayerEntry> {
      for await (const entry of source) {
        if (entry.kind !== 'frame') entries++
        yield entry
      }
    }
    try {
      const through = (source: AsyncIterable<LayerEntry>) =>
        checkingHives(this.#followed(counted(source)), (fault) => {
          this.#fault(fault.code, fault.message, `${this.#title}/${fault.subject}`)
        })
      const found = await rebuildLayer(this.#stored, {...this.#options, through})
      if (diffId === undefined) return {title: this.#title, entries}
      if (found !== diffId) {
        // What the index does not know, the recipe may.
        this.#edits.addAll(await findRecipeEdits(this.#stored, withoutEvents(this.#options)))
        const {edits} = this.#edits
        const why = edits.total === 0 ? '' : `Edited: ${describeEdits(edits)}. `
        const message = `${why}Converting back gives the layer tar ${found}, but the package was made from ${diffId}.`
        this.#fault('DIGEST_MISMATCH', message, this.#title)
      }
      return {title: this.#title, entries, diffId, reproducible: found === diffId}
    } catch (error) {
      this.#keep(error, this.#title)
      return {title: this.#title, entries, ...(diffId === undefined ? {} : {diffId, reproducible: false})}
    }
  }

  /** Forms that an encoder makes are made of the tar, whose own fault is told already. */
  async #verifyPins(diffId: Digest, {reproducible}: LayerVerdict): Promise<void> {
    for (const pin of pinsOf(this.#stored)) {
      if (pin.encoding !== undefined && reproducible !== true) continue
      await this.#gather('docker', () => checkPin(pin, diffId, withoutEvents(this.#options)))
      this.bytes += pin.encoding === undefined ? pin.descriptor.size : 0
    }
  }

  /** Names are checked with the packages below; their payloads are read only where a name asks for them. */
  #followed(entries: AsyncIterable<LayerEntry>): AsyncIterable<LayerEntry> {
    const {packages, missing} = this.#chain()
    const layers = packages.map(layerOfPackage)
    const names = new ImageNames(layers, {isWhole: isWholeImage({namedBase: missing, layers})})
    const report = ({code, message}: Fault) => {
      this.#fault(code, message, this.#title)
    }
    return checkingNames(entries, {names, index: layers.length - 1}, {...this.#options, report})
  }

  /** A chain that cannot be resolved is a fault of its own: then what lies below is not known. */
  #chain(): Pick<DependencyChain, 'packages' | 'missing'> {
    try {
      return resolveDependencies(this.#repository, this.#stored, {
        acceptBaseMismatch: false,
        onMismatch: () => undefined,
      })
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      const {identity} = this.#stored.metadata
      return {packages: [this.#stored], missing: {identity, code: 'DEPENDENCY_MISSING', why: error.what}}
    }
  }

  async #gather(file: string, check: () => unknown): Promise<void> {
    try {
      await check()
    } catch (error) {
      this.#keep(error, `${this.#title}/${file}`)
    }
  }

  #keep(error: unknown, subject: string): void {
    if (!(error instanceof InputError || error instanceof UnsupportedError)) throw error
    this.#fault(error.code, error.message, subject)
  }

  #fault(code: string, message: string, subject: string): void {
    this.faults.push({code, message, subject})
  }
}
