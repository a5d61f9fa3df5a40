import {digestOf} from '../model/digest.js'
import {InputError, UsageError} from '../model/errors.js'
import {ImageNames, isWholeImage} from '../model/image-names.js'
import type {Note} from '../model/events.js'
import type {Image, KnownPackage, Layer, LayerForm, PackageDependency, PackageMetadata} from '../model/image.js'
import {
  findPaddedVersion,
  formatFullName,
  isSamePackage,
  requirePackageIdentity,
  type PackageIdentity,
} from '../model/package-identity.js'
import {absentContent, mismatchedContent} from '../formats/package/dependency-error.js'
import {withoutDocument} from '../formats/package/metadata.js'
import {TapRelay} from '../model/layer-tap.js'
import type {KeptImage, PackageDestination, PackageDraft} from '../model/transport.js'
import {findPackageTime, packageTimeOfSeconds} from './created-time.js'
import {chainName, identityOfImage} from './identity-mapping.js'
import {isOwnConfig, parseImageConfig, type ImageConfig} from './image-config.js'
import {groupsOf, requireRange} from './layer-range.js'
import type {ConvertOptions, LayerRange} from './options.js'
import {followingNames} from './follow-names.js'
import {withoutOpaque} from './opaque.js'
import {identifyOs} from './os-identity.js'
import {architectureOf, friendlyNameOf} from './image-facts.js'
import {loneLayer} from './lone-layer.js'
import {findOsLayers, type OsLayers} from './os-layers.js'
import {labelledLayers} from './labelled-layers.js'
import {PACKAGE_LABEL} from './package-label.js'
import {requirePackable} from './packable.js'
import type {LayerMode} from './plan.js'
import {dependencyOn, renameable, type PlannedPackage} from './planned-package.js'
import {squashLayers} from './squash.js'
import {tapped} from './tapped.js'

export interface PackagesPlan {
  readonly mode: LayerMode
  readonly packages: readonly PlannedPackage[]
  readonly osLayers?: OsLayers
  readonly notes: readonly Note[]
  /** Why converting back will not give the same bytes. */
  readonly inexact: readonly Note[]
  /** Of all layers; only writing the packages needs them. */
  readonly names: ImageNames
}

/** Plans how an image becomes packages. Reads at most the lowest layer, and that only as far as needed. */
export async function planPackages(
  image: Image,
  options: ConvertOptions,
  destination: Pick<PackageDestination, 'findOsPackage'> = {},
): Promise<PackagesPlan> {
  requirePackable(image, options)
  return new PackagePlanner(image, options, destination).plan()
}

class PackagePlanner {
  readonly #image: Image
  readonly #options: ConvertOptions
  readonly #config: ImageConfig | undefined
  readonly #notes: Note[] = []
  readonly #inexact: Note[] = []
  readonly #keepRecipe: boolean
  readonly #names: ImageNames
  readonly #destination: Pick<PackageDestination, 'findOsPackage'>
  #knownCount = 0
  /** The lowest layer is an operating system, or the user or a package says so: it changes nothing that is elsewhere. */
  #isWhole = false

  constructor(image: Image, options: ConvertOptions, destination: Pick<PackageDestination, 'findOsPackage'>) {
    this.#image = image
    this.#destination = destination
    this.#options = options
    this.#names = new ImageNames(image.layers, {isWhole: isWholeImage(image)})
    this.#config = image.config === undefined ? undefined : parseImageConfig(image.config)
    this.#keepRecipe = options.keepRecipe ?? true
    if (!this.#keepRecipe) this.#inexact.push({code: 'no-recipe', message: 'No recipe is kept.', subject: 'all layers'})
  }

  async plan(): Promise<PackagesPlan> {
    const known = this.#knownPackages()
    this.#knownCount = known.length
    const {layers} = this.#image
    if (this.#options.squashRange !== undefined) requireRange(this.#image, this.#options.squashRange)
    const complete = known.length === layers.length
    const osLayers = complete ? undefined : await this.#findOs(known.length)
    const osCount = osLayers?.count ?? 0
    const isBase = (known[0]?.draft.form ?? layers[0]?.form) === 'base'
    this.#isWhole =
      this.#image.namedBase === undefined && (isBase || osCount > 0 || this.#options.osLayers !== undefined)
    const mode: LayerMode = complete && this.#options.layers === undefined ? 'copy' : (this.#options.layers ?? 'squash')
    const packages =
      complete && mode !== 'squash' ? this.#renamedTop(known) : await this.#newPackages(known, osCount, mode)
    return {
      mode,
      packages: this.#withKeptImage(packages),
      ...(osLayers === undefined ? {} : {osLayers}),
      notes: this.#notes,
      inexact: this.#inexact,
      names: this.#names,
    }
  }

  /** The packages that the source or the image's label states for the lowest layers, without a gap. */
  #knownPackages(): PlannedPackage[] {
    const isLabelNeeded = this.#image.layers.some((layer) => layer.package === undefined)
    const labelled = isLabelNeeded ? labelledLayers(this.#image, (note) => this.#notes.push(note)) : []
    const known: PlannedPackage[] = []
    for (const [index, layer] of this.#image.layers.entries()) {
      const label = labelled[index]
      const metadata = layer.package ?? label?.metadata
      if (metadata === undefined) break
      const form = layer.form ?? label?.form ?? (metadata.dependencies.length === 0 ? 'base' : 'delta')
      known.push(this.#planned([index], {metadata, form}, metadata.isOsImage ? 'os' : 'application'))
    }
    // The package that is asked for keeps its name or is refused; what it lies on may have to make room.
    return known.map((planned, index) =>
      planned.role === 'os' && index < this.#image.layers.length - 1 ? renameable(planned) : planned,
    )
  }

  async #findOs(knownCount: number): Promise<OsLayers> {
    if (knownCount > 0) return {count: 0, evidence: ['the lowest layers are known packages']}
    return findOsLayers(this.#image, this.#config, this.#options.osLayers, this.#options)
  }

  /** OS part, then what was built on it, each package depending on the one before. */
  async #newPackages(known: readonly PlannedPackage[], osCount: number, mode: LayerMode): Promise<PlannedPackage[]> {
    const range = this.#options.squashRange
    if (range !== undefined && known.length > range.to) return this.#mergedKnown(known, range)
    const foldsBase = mode === 'squash' && this.#options.osLayers === 0
    const squashKnown = mode === 'squash' && known.length === this.#image.layers.length
    const unmerged = range === undefined ? known : known.slice(0, range.from)
    const kept = foldsBase ? [] : squashKnown ? known.filter((planned) => planned.role === 'os') : unmerged
    const ownOs = Math.min(osCount, range?.from ?? osCount)
    const packages = [...kept, ...(await this.#osPackages(ownOs))]
    const indices = this.#image.layers.map((_, index) => index).slice(kept.length + ownOs)
    if (indices.length === 0) return packages
    let below: PackageDependency | undefined = dependencyOn(packages.at(-1)) ?? this.#namedBase()
    const top = squashKnown ? known.at(-1)?.draft.metadata.identity : undefined
    const identity = this.#givenIdentity(top ?? this.#mappedIdentity())
    const groups =
      range !== undefined
        ? groupsOf(indices, range)
        : mode === 'squash' && indices.length > 1
          ? [indices]
          : indices.map((index) => [index])
    for (const [index, group] of groups.entries()) {
      const own = {...identity, name: chainName(identity.name, index, groups.length)}
      const metadata = this.#metadata(own, below === undefined ? [] : [below], false)
      const form: LayerForm = below !== undefined ? 'delta' : osCount > 0 ? 'base' : this.#lowestForm()
      const planned = this.#planned(group, {metadata, form}, 'application')
      packages.push(planned)
      below = dependencyOn(planned)
    }
    return packages
  }

  /** Packages of a range become the topmost of them, so that those above still depend on what is there. */
  #mergedKnown(known: readonly PlannedPackage[], {from, to}: LayerRange): PlannedPackage[] {
    const [lowest, top] = [known[from], known[to]]
    if (lowest === undefined || top === undefined || from === to) return [...known]
    const own = withoutDocument(top.draft.metadata)
    const {dependencies, isOsImage} = lowest.draft.metadata
    const indices = this.#image.layers.map((_, index) => index).slice(from, to + 1)
    const metadata = {...own, dependencies, isOsImage}
    const merged = this.#planned(indices, {metadata, form: lowest.draft.form}, lowest.role)
    return [...known.slice(0, from), merged, ...known.slice(to + 1)]
  }

  /** Of a package with nothing below it: a base only if the user or the source says so, since no OS was found in it. */
  #lowestForm(): LayerForm {
    const form = this.#options.osLayers === undefined ? (this.#image.layers[0]?.form ?? 'delta') : 'base'
    if (form === 'delta') {
      this.#note(
        'base-unknown',
        'The source changes an operating system that it does not name, so the package has no dependency.',
        this.#image.names[0] ?? 'the source',
      )
    }
    return form
  }

  async #osPackages(count: number): Promise<PlannedPackage[]> {
    if (count === 0) return []
    const indices = this.#image.layers.map((_, index) => index).slice(0, count)
    const identities = await this.#osIdentities(indices)
    const top = identities.at(-1)
    if (this.#options.withoutBase === true && top !== undefined) {
      this.#inexact.push({
        code: 'base-left-out',
        message: 'The OS package is a stub, so converting back needs --base.',
        subject: formatFullName(top),
      })
      return [this.#stub(indices, top)]
    }
    const packages: PlannedPackage[] = []
    for (const [index, own] of identities.entries()) {
      const below = dependencyOn(packages.at(-1))
      if (this.#image.layers[index]?.hasContent === false) {
        const subject = formatFullName(own)
        this.#note('base-not-held', 'The source only names this layer, so the OS package is a stub.', subject)
        const message = 'The source only names the OS layer, so the OS package is a stub. Converting back needs --base.'
        this.#inexact.push({code: 'base-not-held', message, subject})
        packages.push(this.#stub([index], own))
      } else {
        const metadata = this.#metadata(own, below === undefined ? [] : [below], below === undefined)
        const form: LayerForm = below === undefined ? 'base' : 'delta'
        packages.push(renameable(this.#planned([index], {metadata, form}, 'os')))
      }
    }
    return packages
  }

  /** Of each OS layer: as the destination knows it by its digest, else by the evidence of the whole. */
  async #osIdentities(indices: readonly number[]): Promise<readonly PackageIdentity[]> {
    const identities: PackageIdentity[] = []
    let found: PackageIdentity | undefined
    for (const index of indices) {
      const known = this.#knownOs(index, identities.at(-1))
      found ??= known === undefined ? await this.#osIdentity(indices) : undefined
      const own = found ?? known
      if (known !== undefined) identities.push(known)
      else if (own !== undefined) identities.push({...own, name: chainName(own.name, index, indices.length)})
    }
    return identities
  }

  #knownOs(index: number, below: PackageIdentity | undefined): PackageIdentity | undefined {
    const {osName, osVersion} = this.#options
    const diffId = this.#image.layers[index]?.diffId
    if (diffId === undefined || osName !== undefined || osVersion !== undefined) return undefined
    const there = this.#destination.findOsPackage?.(diffId, below)
    const isIt = ({below: on, isOsImage, ...known}: KnownPackage) =>
      known.diffId === diffId && (below === undefined ? isOsImage : on !== undefined && isSamePackage(on, below))
    return there ?? this.#image.known?.find(isIt)?.identity
  }

  #osIdentity(indices: readonly number[]): Promise<PackageIdentity> {
    const {osName, osVersion, signal} = this.#options
    const layers = this.#image.layers.slice(0, indices.length)
    return identifyOs(layers, this.#image.platform, {
      ...(osName === undefined ? {} : {osName}),
      ...(osVersion === undefined ? {} : {osVersion}),
      ...(signal === undefined ? {} : {signal}),
      note: (note) => this.#notes.push(note),
    })
  }

  /** It stands for all of these layers, of which the topmost tells the others. */
  #stub(layers: readonly number[], identity: PackageIdentity): PlannedPackage {
    const metadata = this.#metadata(identity, [], true)
    const stubOf = this.#image.layers[layers.at(-1) ?? 0]?.diffId
    const draft: PackageDraft = {
      metadata,
      form: 'base',
      keepRecipe: this.#keepRecipe,
      ...(stubOf === undefined ? {} : {stubOf}),
    }
    return renameable({layers, role: 'os', draft})
  }

  #planned(
    layers: readonly number[],
    facts: {metadata: PackageMetadata; form: LayerForm},
    role: 'os' | 'application',
  ): PlannedPackage {
    const tap = new TapRelay()
    const layer = this.#payload(layers, facts, tap)
    const {pins = 'keep'} = this.#options
    const draft = {...facts, keepRecipe: this.#keepRecipe, pins, tap}
    if (layer === undefined) return {layers, role, draft}
    return {layers, role, draft: {...draft, layer, ...loneLayer(this.#image, layers, this.#names)}}
  }

  #payload(
    indices: readonly number[],
    facts: {metadata: PackageMetadata; form: LayerForm},
    tap: TapRelay,
  ): Layer | undefined {
    const [first, second] = indices
    const layer = first === undefined ? undefined : this.#image.layers[first]
    if (first === undefined || layer === undefined) return undefined
    const title = formatFullName(facts.metadata.identity)
    if (second !== undefined) {
      this.#inexact.push({
        code: 'squashed',
        message: `${indices.length} layers were squashed into one and cannot be separated again.`,
        subject: title,
      })
      const range = {from: first, to: indices.at(-1) ?? first, title, names: this.#names}
      const standsAlone = first === 0 && facts.form === 'base'
      return squashLayers(this.#image.layers, {...range, standsAlone, isWhole: this.#isWhole})
    }
    // The tap comes first: what follows may read layers below with the same options.
    if (layer.hasContent)
      return withoutOpaque(followingNames(tapped(layer, tap), first, this.#names), this.#below(first))
    if (layer.isMismatch === true) throw mismatchedContent(layer, title)
    if (facts.metadata.isOsImage) return undefined
    throw absentContent(layer)
  }

  /** The layers below one, base first; undefined unless all of their content is at hand. */
  #below(index: number): readonly Layer[] | undefined {
    const below = this.#image.layers.slice(0, index)
    return this.#image.namedBase === undefined && below.every((layer) => layer.hasContent) ? below : undefined
  }

  #metadata(
    identity: PackageIdentity,
    dependencies: readonly PackageDependency[],
    isOsImage: boolean,
  ): PackageMetadata {
    const {platform} = this.#image
    const osVersion = platform.osVersion === undefined ? undefined : findPaddedVersion(platform.osVersion)
    const [name] = this.#image.names
    return {
      identity: requirePackageIdentity(identity),
      friendlyName: (isOsImage ? undefined : friendlyNameOf(name)) ?? identity.name,
      architecture: architectureOf(platform),
      ...(osVersion === undefined ? {} : {osVersion}),
      ...(platform.osFeatures === undefined ? {} : {osFeatures: platform.osFeatures}),
      isOsImage,
      createdTime: findPackageTime(this.#config?.created) ?? packageTimeOfSeconds(this.#options.sourceDateEpoch ?? 0),
      dependencies,
    }
  }

  /** By the rules of the identity mapping. An image without name and configuration gives nothing to go by. */
  #mappedIdentity(): PackageIdentity {
    const {tags, name, publisher, packageVersion} = this.#options
    const imageName = tags?.[0] ?? this.#image.names[0]
    const {config} = this.#image
    if (config === undefined && imageName === undefined) {
      if (name !== undefined) return {publisher: publisher ?? 'CN=Local', name, version: packageVersion ?? '1.0.0.0'}
      throw new UsageError('BAD_OPTION', {
        what: 'The source has no name that the package could take.',
        suggestions: ['Pass --name, and optionally --publisher and --package-version.'],
      })
    }
    const {created} = this.#config ?? {}
    return identityOfImage(imageName, {
      imageId: digestOf(config?.bytes ?? Buffer.from(imageName ?? '')),
      ...(created === undefined ? {} : {created}),
    })
  }

  #namedBase(): PackageIdentity | undefined {
    const base = this.#image.namedBase
    if (base === undefined) return undefined
    if (base.identity !== undefined) return base.identity
    throw new InputError('DEPENDENCY_MISSING', {
      what: `The image is built on '${base.name}', which is not the full name of a package.`,
      suggestions: ['Pass --base REFERENCE with the OS package it needs.'],
    })
  }

  /** A top package that the source knows, renamed as asked; its document no longer fits it then. */
  #renamedTop(packages: readonly PlannedPackage[]): readonly PlannedPackage[] {
    const top = packages.at(-1)
    if (top === undefined) return packages
    const metadata = withoutDocument(top.draft.metadata)
    const identity = this.#givenIdentity(metadata.identity)
    const [own, given] = [formatFullName(metadata.identity), formatFullName(identity)]
    if (own === given) return packages
    this.#inexact.push({code: 'identity-changed', message: `The package was called ${own}.`, subject: given})
    return [...packages.slice(0, -1), {...top, draft: {...top.draft, metadata: {...metadata, identity}}}]
  }

  /** `--name`, `--publisher` and `--package-version` in place of what the source or the mapping says. */
  #givenIdentity(identity: PackageIdentity): PackageIdentity {
    const {name, publisher, packageVersion} = this.#options
    return requirePackageIdentity({
      publisher: publisher === undefined ? identity.publisher : publisher.replace(/^(?!CN=)/i, 'CN='),
      name: name ?? identity.name,
      version: packageVersion === undefined ? identity.version : (findPaddedVersion(packageVersion) ?? packageVersion),
    })
  }

  /** The top package keeps the image's own documents, verbatim. */
  #withKeptImage(packages: readonly PlannedPackage[]): readonly PlannedPackage[] {
    const {names, config, manifest} = this.#image
    const top = packages.at(-1)
    // A configuration that was made of the packages says nothing beside them; kept, it would change the package.
    const isOwn = config !== undefined && isOwnConfig(config, PACKAGE_LABEL)
    if (isOwn && packages.length === this.#knownCount) return packages
    if (top === undefined || (config === undefined && manifest === undefined)) return packages
    const kept: KeptImage = {
      names,
      ...(config === undefined ? {} : {config}),
      ...(manifest === undefined ? {} : {manifest}),
    }
    return [...packages.slice(0, -1), {...top, draft: {...top.draft, image: kept}}]
  }

  #note(code: string, message: string, subject: string): void {
    this.#notes.push({code, message, subject})
  }
}
