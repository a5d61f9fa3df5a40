import type {ContainerdPlaces} from './containerd-places.js'
import type {Companions, ImageIndex, Referrers} from './content-graph.js'
import type {EnginePlaces} from './engine-places.js'
import type {Digest} from './digest.js'
import type {WorkOptions} from './events.js'
import type {Compression, Image, Layer, LayerForm, PackageMetadata, PinMode, Platform, RawDocument} from './image.js'
import type {LayerInFile} from './layer-in-file.js'
import type {LayerNamesParts} from './layer-names.js'
import type {TapRelay} from './layer-tap.js'
import type {PackageIdentity} from './package-identity.js'
import type {PayloadEdits} from './payload-edits.js'
import type {ProxySettings} from './proxies.js'
import type {Reference} from './reference.js'

/** One thing that a source holds: an image, a package, a transport layout, or a repository of an image registry. */
export interface ListItem {
  readonly kind: 'image' | 'package' | 'transport-layout' | 'repository'
  /** A reference that selects it. */
  readonly reference: string
  readonly names: readonly string[]
  /** Digest of the configuration, for images. */
  readonly imageId?: Digest
  /** Digest of the payload of a package or transport layout, where its metadata or the index beside it state it. */
  readonly payloadDigest?: Digest
  readonly identity?: PackageIdentity
  readonly dependencies?: readonly PackageIdentity[]
  readonly platform?: Platform
  readonly createdTime?: string
  readonly sizeBytes?: number
  readonly layers?: number
  /** The outermost index that it is in: a reference that selects it alone, and its digest. */
  readonly index?: {
    readonly reference: string
    readonly digest: Digest
    /** The names that the image has outside of it; absent where it is offered in it only. */
    readonly ownNames?: readonly string[]
  }
}

/** One broken invariant. `verify` gathers all of them. */
export interface Fault {
  /** An `ErrorCode`. */
  readonly code: string
  readonly message: string
  /** Layer, file or entry. */
  readonly subject: string
}

export interface LayerVerdict {
  readonly title: string
  readonly diffId?: Digest
  readonly entries: number
  /** True when the layer's tar can be rebuilt with its digest; absent where the source stores the tar itself. */
  readonly reproducible?: boolean
  /** Of a package: its files that are not what they were when it was made; absent when none is. */
  readonly edits?: PayloadEdits
}

export interface Verdict {
  readonly faults: readonly Fault[]
  readonly layers: readonly LayerVerdict[]
  /** Bytes read and checked. */
  readonly bytes: number
}

/** How registries and engines are reached, by transports that need them. */
export interface NetworkOptions {
  /** False: any certificate will do, and plain HTTP as well. Loopback may speak plain HTTP in any case. */
  readonly tlsVerify?: boolean
  /** Folder of Docker's `config.json` with its credentials; `~/.docker` by default. */
  readonly dockerConfig?: string
  /** A file as podman and skopeo keep logins in, asked before Docker's. */
  readonly authFile?: string
  /** Folder with a folder `HOST[:PORT]` of certificates for each registry; Docker's own by default. */
  readonly certsFolder?: string
  /**
   * Follow addresses that come from an image or a registry (foreign layers, token servers, redirects of those) to this
   * host, its link and private networks, though the registry itself is not there.
   */
  readonly allowPrivateHosts?: boolean
  /** The slowest that a registry may send, over 30 s of waiting (`TIMED_OUT`); 0 = any. Default: `LIMITS.leastRate`. */
  readonly leastBytesPerSecond?: number
  /** Seconds to wait for a registry in one request or download, new attempts included (`TIMED_OUT`). Default: `LIMITS.requestTime`. */
  readonly maxRequestSeconds?: number
  /** Proxies on the way to image registries and what those name; by default none. */
  readonly proxies?: ProxySettings
  /** Where the container engine is; by default where Docker's own client finds it, else where one listens. */
  readonly engine?: EnginePlaces
  /** Where containerd is; by default where it listens. */
  readonly containerd?: ContainerdPlaces
}

export interface ListOptions extends WorkOptions, NetworkOptions {
  /**
   * `os[(os.version)]/architecture[/variant]`: what is wanted. Of what is for another one, a listing may tell just that,
   * without reading it: leaving it out is up to who asked.
   */
  readonly platform?: string
}

/** Options of everything that opens a source. */
export interface OpenOptions extends ListOptions {
  /** Other places to look for packages or layers that the source only names, nearest first. */
  readonly bases?: readonly Reference[]
  /** Of a bare transport layout: what it builds on, nearest first. */
  readonly parents?: readonly Reference[]
  /** Accept a dependency of another version than the one named. */
  readonly acceptBaseMismatch?: boolean
}

/** Options of `Transport.verify`. */
export interface VerifyOptions extends OpenOptions {
  /** Of a place that holds packages: only those of these full names, as far as it has them. */
  readonly only?: ReadonlySet<string>
}

/** An image to be written. Names and bytes are decided; only what follows from the layers' digests is still open. */
export interface ImageDraft {
  readonly names: readonly string[]
  readonly platform: Platform
  /** Base first. A layer with a `blob` whose compression the destination takes is passed on unread. */
  readonly layers: readonly Layer[]
  /** Given the diffIDs of all layers as written, the configuration's exact bytes. */
  config(diffIds: readonly Digest[]): RawDocument
  /** A manifest to be kept byte for byte, if the layers turn out to match it; else a new one is made. */
  readonly manifest?: RawDocument
}

export interface LayerArtifact {
  /** Digest of the uncompressed tar; absent where a payload was written that came from no tar. */
  readonly diffId?: Digest
  /** Digest of the blob as stored, or of the payload. */
  readonly digest: Digest
  readonly mediaType: string
  /** Bytes as stored. */
  readonly size: number
  /** Members of the tar, or of the payload; absent of a layer that was passed on unopened. */
  readonly entries?: number
  /** Of a payload: it was read back in this run, and gave the tar of `diffId`, or not; absent where none is given back. */
  readonly rebuilt?: boolean
  /** Of a payload: how the compressed form is kept in which the layer came; absent where it is not, or there is none. */
  readonly pin?: 'kept' | 'reproduced'
}

export interface ImageArtifact {
  readonly kind: 'image'
  readonly reference: string
  readonly imageId: Digest
  readonly manifestDigest?: Digest
  /** All its names lead to it already. */
  readonly unchanged?: boolean
  readonly layers: readonly LayerArtifact[]
  readonly bytesWritten: number
}

/** An index that was written as it came. */
export interface IndexArtifact {
  readonly kind: 'index'
  readonly reference: string
  readonly digest: Digest
  /** References to its images, in their order. */
  readonly images: readonly string[]
  readonly unchanged?: boolean
  readonly bytesWritten: number
}

/** What of the image a package came from is kept with the package, so that the way back is exact. */
export interface KeptImage {
  readonly names: readonly string[]
  readonly config?: RawDocument
  readonly manifest?: RawDocument
  readonly companions?: Companions
}

/** A layer that can be read alone, on any thread: what only the layers below can tell is asked afterwards. */
export interface LoneLayer {
  readonly inFile: LayerInFile
  /** Nothing lies below it: what it does not hold is nowhere. */
  readonly isLowest: boolean
  /** Checks the names of the layer, when it has been read, together with those below. */
  readonly checkNames: (names: LayerNamesParts, options: WorkOptions) => Promise<void>
  /** Hears how many bytes more have been read. */
  readonly onRead: (bytes: number) => void
}

/** A package to be written. */
export interface PackageDraft {
  readonly metadata: PackageMetadata
  readonly form: LayerForm
  /** The payload; undefined = a stub (`Kind: none`). */
  readonly layer?: Layer
  /** Of the image this package is the top of. */
  readonly image?: KeptImage
  /** Keep what is needed to rebuild the layer's tar exactly. */
  readonly keepRecipe: boolean
  /** What becomes of the compressed form in which the layer comes; nothing by default. */
  readonly pins?: PinMode
  /** Through which the layer shows its bytes while its entries are read. */
  readonly tap?: TapRelay
  /** Of a stub: the digest of the layer that it stands for, where that is known. */
  readonly stubOf?: Digest
  /**
   * Nobody chose its name: where that is taken by another payload, the name gets the first digits of its own payload's
   * digest, and both lie side by side.
   */
  readonly mayBeRenamed?: boolean
  /** How the layer can be written without a look at those below, where it can be tried. */
  readonly lone?: LoneLayer
  /** Nothing is written behind it, so to read it back on another thread would save no time. */
  readonly isLast?: boolean
}

export interface PackageArtifact {
  readonly kind: 'package'
  readonly reference: string
  readonly identity: PackageIdentity
  readonly dependencies: readonly PackageIdentity[]
  /** Present already, with the same payload: nothing was written. */
  readonly unchanged: boolean
  readonly layers: readonly LayerArtifact[]
  /**
   * What `rebuilt` of its layer is to be. The package is read back on another thread while the next one is written;
   * `commit` and `abort` wait for it. Absent where no layer tar is given back.
   */
  readonly proof?: Promise<boolean>
  readonly bytesWritten: number
  /** Absent where the place keeps nothing but the payload. */
  readonly keeps?: KeptFacts
}

/** What a package as it is there keeps for the way back: not always what was asked for, since it may have been there. */
export interface KeptFacts {
  /** Of the image that it is the top of. */
  readonly configDigest?: string
  readonly manifestDigest?: string
  /** What an image that is made of the package says of itself. */
  readonly platform: Platform
  /** The package as a layer. It can be read until `commit`. */
  readonly layer: () => Layer
}

/**
 * Where images go. `write` may be called several times (an archive of several images), not at once. Nothing is visible
 * before `commit`; `abort` removes everything begun and may follow any failure, also of `commit`.
 */
export interface ImageDestination {
  readonly holds: 'images'
  /** The reference names one image: a second one is `BAD_REFERENCE`, and known to be before the first is written. */
  readonly holdsOne?: boolean
  /** Where an image of these names would stand by each, without touching anything. Absent where names are places. */
  placesOf?(names: readonly string[]): readonly Reference[]
  write(draft: ImageDraft, options: WorkOptions): Promise<ImageArtifact>
  /** Takes an index as it is, with everything it leads to. Absent where there is no room for one. */
  writeIndex?(index: ImageIndex, options: WorkOptions): Promise<IndexArtifact>
  /**
   * Takes what refers to an image or index that was written before, so that it is found there by its subject and by its
   * tag; gives the bytes written. Absent where there is no room for it.
   */
  attach?(referrers: Referrers, options: WorkOptions): Promise<number>
  commit(options: WorkOptions): Promise<void>
  /** After `commit`: what was there is equal byte for byte, and stays; known only then of what is compared as a whole. */
  readonly isUnchanged?: boolean
  abort(): Promise<void>
}

/** How a package that is to be written stands to the one that has its identity, as far as can be told without reading it. */
export interface ForeseenPackage {
  /** `none` has its identity, or it will lie beside the one that has; `unknown`: only the payloads tell. */
  readonly there: 'none' | 'same' | 'other' | 'unknown'
  /** Full names of packages that were made on the other one and do not fit this. */
  readonly neededBy: readonly string[]
}

/** Where packages go. Same contract; a package's dependencies are written before it or are there already. */
export interface PackageDestination {
  readonly holds: 'packages'
  /** Where only the payload is kept: what is written there needs no name of its own. */
  readonly dropsMetadata?: true
  /** There is room for one package: those that it depends on are left out. */
  readonly holdsOne?: true
  /** The package as it is there now. */
  findPackage(identity: PackageIdentity): Promise<ListItem | undefined>
  /** The package there that was made from a layer, as an operating system, or as a change to `below`. */
  findOsPackage?(diffId: Digest, below: PackageIdentity | undefined): PackageIdentity | undefined
  /** Of each draft in the order in which they would be written; nothing is written. Absent where it cannot be told. */
  foresee?(draft: PackageDraft): ForeseenPackage
  /**
   * Begins with the payload of a package that is to be written soon, beside the one that is being written, where that can
   * be done. `write` then takes what came of it; `settle` gives up what is left of it, and waits for its end.
   */
  begin?(draft: PackageDraft, options: WorkOptions): Promise<void>
  settle?(): Promise<void>
  /** The artifact tells the identity that the package has there, which may be another than the draft's. */
  write(draft: PackageDraft, options: WorkOptions): Promise<PackageArtifact>
  commit(options: WorkOptions): Promise<void>
  abort(): Promise<void>
}

export type Destination = ImageDestination | PackageDestination

export interface DestinationOptions extends WorkOptions, NetworkOptions {
  /** Overwrite what exists and differs; the rule is that of `shared/replacing.ts`. */
  readonly replace?: boolean
  /** Let packages build on another payload than the one that they were made on. */
  readonly acceptBaseMismatch?: boolean
  /**
   * What images are to be called in place of their own names; drafts have them already. Where the reference names the
   * image itself, another name is `BAD_OPTION`.
   */
  readonly names?: readonly string[]
  /** Layer compression; undefined = keep what a passed-on layer has, none for a new one. */
  readonly compression?: Extract<Compression, 'none' | 'gzip' | 'zstd'>
  readonly compressionLevel?: number
  readonly archiveFormat?: 'v1' | 'docker' | 'hybrid'
  readonly manifestFormat?: 'docker' | 'oci'
  readonly concurrency?: number
}

/** A way to name and reach images. One folder per transport, one line in `catalog.ts`. */
export interface Transport {
  readonly name: string
  /** One line for help texts: the grammar of its location. */
  readonly grammar: string
  /** It can be read only: what is converted from there cannot be converted back. */
  readonly isSourceOnly?: true
  /** Parses what follows `name:`. Throws `BAD_REFERENCE`. */
  parse(location: string): Reference
  /** The inverse of `parse`, with the transport's name in front. */
  format(reference: Reference): string
  /** True when the bare path looks like this transport by its content. Must not throw. */
  recognises(path: string): Promise<boolean>
  /**
   * Everything the place holds, in a stable order; the selector narrows it. What is there and cannot be told more of is
   * left out and told as a note: one bad item hides no other.
   */
  list(reference: Reference, options: ListOptions): Promise<readonly ListItem[]>
  /** Names that are taken at a place, without a look at what has them. Absent where a listing costs no more, or names are places. */
  names?(reference: Reference, options: ListOptions): Promise<readonly string[]>
  /** Opens the one image that the reference selects (`AMBIGUOUS_SELECTION`, `NOT_FOUND`). The caller closes it. */
  open(reference: Reference, options: OpenOptions): Promise<Image>
  /**
   * The index that the reference selects, and not an image in it; undefined where it selects none. The caller closes it.
   */
  openIndex?(reference: Reference, options: OpenOptions): Promise<ImageIndex | undefined>
  /** Opens the place for writing; nothing is touched before the first `write`. Throws `DESTINATION_EXISTS`. */
  create(reference: Reference, options: DestinationOptions): Promise<Destination>
  /**
   * Checks every digest, size, name, link, hive, dependency and rule, and gathers all faults: each byte that anything
   * refers to is read, and what is only named is told as a note `not-read`. Throws where the reference leads to nothing or
   * to no such thing (see `isNoSuchThing`); any other error of the input that it throws counts as a fault.
   */
  verify(reference: Reference, options: VerifyOptions): Promise<Verdict>
}
