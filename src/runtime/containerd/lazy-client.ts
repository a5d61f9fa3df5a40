import {existsSync} from 'node:fs'
import {asConnectionError} from '../../engine-api/connection-error.js'
import type {CallScope, ContainerdClient} from '../../engine-api/containerd/containerd-client.js'
import type {ContainerdCall, ContainerdCalls, decodeTaskMetrics} from '../../engine-api/containerd/services.js'
import {importOptional} from '../../model/optional-package.js'

/** A client that loads gRPC at its first call: it is an optional package, and slow to load. */
export class LazyContainerdClient {
  readonly endpoint: string
  readonly #path: string
  #client: Promise<ContainerdClient> | undefined

  /** `path`: Unix socket or Windows named pipe. */
  constructor(path: string) {
    this.#path = path
    this.endpoint = `${/^[/\\]{2}/.test(path) ? 'npipe' : 'unix'}://${path.replaceAll('\\', '/')}`
  }

  /** As `ContainerdClient.call`; throws `TOOL_MISSING` too, where containerd listens and gRPC is not installed. */
  async call<C extends ContainerdCall>(
    call: C,
    request: ContainerdCalls[C][0],
    scope: CallScope,
  ): Promise<ContainerdCalls[C][1]> {
    this.#client ??= this.#load()
    return (await this.#client).call(call, request, scope)
  }

  async metricsDecoder(): Promise<typeof decodeTaskMetrics> {
    return (await import('../../engine-api/containerd/services.js')).decodeTaskMetrics
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
      const load = () => import('../../engine-api/containerd/containerd-client.js')
      const {ContainerdClient} = await importOptional('Asking containerd for its containers', load)
      return new ContainerdClient(this.#path)
    } catch (error) {
      // Where no containerd listens, nobody misses the package.
      if (existsSync(this.#path)) throw error
      const missing = Object.assign(new Error(`connect ENOENT ${this.#path}`), {code: 'ENOENT'})
      throw asConnectionError(missing, {name: 'containerd', endpoint: this.endpoint})
    }
  }
}
