import {existsSync} from 'node:fs'
import {importOptional} from '../../model/optional-package.js'
import {asConnectionError} from '../../engine-api/connection-error.js'
import type {ContainerdClient, ContainerdPlace} from './containerd-client.js'
import type {ContainerdCall, ContainerdCalls, decodeTaskMetrics} from './services.js'

/** A client that loads gRPC at its first call: it is an optional package, and slow to load. */
export class LazyContainerdClient {
  readonly endpoint: string
  readonly #place: ContainerdPlace
  #client: Promise<ContainerdClient> | undefined

  /** `path`: Unix socket or Windows named pipe. */
  constructor(path: string) {
    const isPipe = /^[/\\]{2}/.test(path)
    const slashed = path.replaceAll('\\', '/')
    this.endpoint = `${isPipe ? 'npipe' : 'unix'}://${slashed}`
    this.#place = {endpoint: this.endpoint, path: isPipe ? slashed.replaceAll('/', '\\') : slashed}
  }

  /** As `ContainerdClient.call`; throws `TOOL_MISSING` too, where containerd listens and gRPC is not installed. */
  async call<C extends ContainerdCall>(
    call: C,
    request: ContainerdCalls[C][0],
    options: {readonly namespace?: string; readonly signal: AbortSignal},
  ): Promise<ContainerdCalls[C][1]> {
    this.#client ??= this.#load()
    return (await this.#client).call(call, request, options)
  }

  async metricsDecoder(): Promise<typeof decodeTaskMetrics> {
    return (await import('./services.js')).decodeTaskMetrics
  }

  close(): void {
    this.#client?.then(
      (client) => {
        client.close()
      },
      () => undefined,
    )
    this.#client = undefined
  }

  async #load(): Promise<ContainerdClient> {
    try {
      const load = () => import('./containerd-client.js')
      const {ContainerdClient} = await importOptional('Asking containerd for its containers', load)
      return new ContainerdClient(this.#place)
    } catch (error) {
      // Where no containerd listens, nobody misses the package.
      if (existsSync(this.#place.path)) throw error
      const missing = Object.assign(new Error(`connect ENOENT ${this.#place.path}`), {code: 'ENOENT'})
      throw asConnectionError(missing, {name: 'containerd', endpoint: this.endpoint})
    }
  }
}
