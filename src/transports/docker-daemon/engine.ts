import {requireAnswer} from '../../engine-api/answers.js'
import {isAbsent, withTimeLimit} from '../../engine-api/connection-error.js'
import {formatEngineEndpoint, type EngineEndpoint} from '../../engine-api/endpoint.js'
import {EngineClient} from '../../engine-api/engine-client.js'
import {engineCandidates, type EngineCandidate} from '../../engine-api/engine-candidates.js'
import {apiNumber, askVersion, isPodman, negotiateApi, type EngineVersion} from '../../engine-api/engine-version.js'
import type {EngineUpload} from '../../engine-api/engine-upload.js'
import {findDigest, type Digest} from '../../model/digest.js'
import {EnvironmentError, InputError, TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {NetworkOptions} from '../../model/transport.js'
import {isEngineInfo, isImageDetails, isImageList, type ImageDetails, type ImageSummary} from './schema.js'

/** An engine that does not even tell its version in this time hangs. */
const VERSION_MS = 30_000

/** One image is looked up and named at once; to take it away, an engine deletes its files. */
const ACT_MS = 120_000

interface EngineFacts {
  readonly api: string
  readonly os: string
  readonly isPodman: boolean
  readonly signal: AbortSignal | undefined
}

/** An engine that has answered, with what it is. All requests are made in the version that both sides speak. */
export class Engine {
  readonly #client: EngineClient
  readonly #facts: EngineFacts
  #usesContainerd: Promise<boolean> | undefined

  private constructor(client: EngineClient, facts: EngineFacts) {
    this.#client = client
    this.#facts = facts
  }

  /**
   * The engine that is given, or the first one that listens. Throws `ENGINE_UNAVAILABLE`, `ENGINE_UNSUPPORTED`,
   * `NO_ACCESS`, `TIMED_OUT`, `BAD_OPTION`.
   */
  static async connect({engine, dockerConfig, tlsVerify, signal}: WorkOptions & NetworkOptions): Promise<Engine> {
    const candidates = await engineCandidates(engine ?? {}, dockerConfig)
    let refused: TransshipError | undefined
    for (const {name, endpoint} of candidates) {
      const client = new EngineClient(tlsVerify === false ? unverified(endpoint) : endpoint, name)
      try {
        const version = await withTimeLimit(VERSION_MS, signal, (limited) => askVersion(client, limited))
        return Engine.#of(client, version, signal)
      } catch (error) {
        // Who may not use the Docker of all users may still have a Podman of their own.
        if (error instanceof TransshipError && error.code === 'NO_ACCESS') refused ??= error
        else if (candidates.length === 1 || !isAbsent(error)) throw error
      }
    }
    throw refused ?? noEngine(candidates)
  }

  static #of({endpoint, name}: EngineClient, version: EngineVersion, signal: AbortSignal | undefined): Engine {
    const ofPodman = isPodman(version)
    return new Engine(new EngineClient(endpoint, ofPodman ? 'podman' : name), {
      api: negotiateApi(version, formatEngineEndpoint(endpoint)),
      os: version.Os ?? '',
      isPodman: ofPodman,
      signal,
    })
  }

  /** `docker` or `podman`. */
  get name(): string {
    return this.#client.name
  }

  get endpoint(): string {
    return formatEngineEndpoint(this.#client.endpoint)
  }

  /** Operating system of its containers, in Go's words; empty when it does not say. */
  get os(): string {
    return this.#facts.os
  }

  /** True where images of any operating system are kept, as Podman does: Docker's engine takes those that it can run. */
  get keepsAnyOs(): boolean {
    return this.#facts.isPodman
  }

  /** True when the negotiated version of the API is this one or a later one. */
  speaks(api: string): boolean {
    return apiNumber(this.#facts.api) >= apiNumber(api)
  }

  /** True where ids are digests of manifests: Docker on containerd's store of images. */
  usesContainerd(): Promise<boolean> {
    this.#usesContainerd ??= (async () => {
      const info = requireAnswer(isEngineInfo, await this.#get('/info'), '/info')
      return (info.DriverStatus ?? []).some(([, value]) => value?.startsWith('io.containerd.snapshotter') === true)
    })()
    return this.#usesContainerd
  }

  /** All images, tagged or not. */
  async images(): Promise<readonly ImageSummary[]> {
    return requireAnswer(isImageList, await this.#get('/images/json'), '/images/json')
  }

  /** The image of this name or id; undefined when there is none. */
  async find(name: string): Promise<ImageDetails | undefined> {
    const path = this.#path(`/images/${name}/json`)
    const {status, body} = await withTimeLimit(ACT_MS, this.#facts.signal, (limited) =>
      this.#client.request('GET', path, limited),
    )
    if (status === 404) return undefined
    if (status !== 200) throw this.#client.refusal(status, body, `GET ${path}`)
    return requireAnswer(isImageDetails, body, path)
  }

  /** What `docker save` would write. */
  save(name: string, platform: Readonly<Record<string, string>> | undefined): AsyncIterable<Uint8Array> {
    const query = platform === undefined ? '' : `?platform=${encodeURIComponent(JSON.stringify(platform))}`
    return this.#client.stream(this.#path(`/images/${name}/get${query}`), this.#facts.signal)
  }

  /** Takes what `docker load` would take. */
  load(): EngineUpload {
    return this.#client.upload(this.#path('/images/load?quiet=1'), 'application/x-tar', this.#facts.signal)
  }

  /** Gives an image a name, which is taken from the image that has it. */
  async tag(id: string, {repository, tag}: {readonly repository: string; readonly tag: string}): Promise<void> {
    const query = `repo=${encodeURIComponent(repository)}&tag=${encodeURIComponent(tag)}`
    // Also asked for when an interrupt is to be undone: that must not be interrupted itself.
    await this.#act('POST', `/images/${id}/tag?${query}`)
  }

  /** Takes a name away, and the image with its last name; by id, the image. One that is gone already is fine. */
  async remove(name: string): Promise<void> {
    await this.#act('DELETE', `/images/${name}`)
  }

  async #act(method: 'POST' | 'DELETE', relative: string): Promise<void> {
    const path = this.#path(relative)
    const {status, body} = await withTimeLimit(ACT_MS, undefined, (limited) =>
      this.#client.request(method, path, limited),
    )
    if (status < 300 || (method === 'DELETE' && status === 404)) return
    throw this.#client.refusal(status, body, `${method} ${path}`)
  }

  #get(path: string): Promise<unknown> {
    return this.#client.get(this.#path(path), this.#facts.signal)
  }

  #path(path: string): string {
    return `/v${this.#facts.api}${path}`
  }

  /** The same engine without the interrupt, for what must be undone after one. */
  get uninterrupted(): Engine {
    return new Engine(this.#client, {...this.#facts, signal: undefined})
  }
}

function unverified(endpoint: EngineEndpoint): EngineEndpoint {
  if (endpoint.kind === 'socket' || endpoint.tls === undefined) return endpoint
  return {...endpoint, tls: {...endpoint.tls, rejectUnauthorized: false}}
}

function noEngine(candidates: readonly EngineCandidate[]): EnvironmentError {
  return new EnvironmentError('ENGINE_UNAVAILABLE', {
    what: 'No container engine is running.',
    why: `Nothing listens at ${candidates.map(({endpoint}) => formatEngineEndpoint(endpoint)).join(', ')}.`,
    suggestions: ['Start Docker or Podman (`podman system service`).', 'Pass --engine URL, or set DOCKER_HOST.'],
  })
}

/** The digest that an engine's id is. Throws `MANIFEST_INVALID`. */
export function idDigest(id: string): Digest {
  // Podman leaves the algorithm out in some answers.
  const digest = findDigest(id.includes(':') ? id : `sha256:${id}`)
  if (digest !== undefined) return digest
  throw new InputError('MANIFEST_INVALID', {
    what: `The engine returned '${id.slice(0, 100)}', which is not a valid image id.`,
  })
}
