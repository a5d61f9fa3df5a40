import {Client, credentials, Metadata, status, type ServiceError} from '@grpc/grpc-js'
import {EnvironmentError, InputError, type TransshipError} from '../../model/errors.js'
import {asConnectionError} from '../../engine-api/connection-error.js'
import {traceExchange} from '../../model/trace.js'
import {requireMethod, type ContainerdCall, type ContainerdCalls} from './services.js'

/** Thousands of containers with long labels in one answer. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

/** gRPC to one containerd. Connects at the first call; `close` ends the connection. */
export class ContainerdClient {
  readonly endpoint: string
  #client: Client | undefined

  /** `path`: Unix socket or Windows named pipe. */
  constructor(path: string) {
    this.endpoint = `${/^[/\\]{2}/.test(path) ? 'npipe' : 'unix'}://${path.replaceAll('\\', '/')}`
  }

  /**
   * One call, in a namespace or in none. Throws `NOT_FOUND`, `NO_ACCESS`, `ENGINE_UNAVAILABLE`, `TIMED_OUT`,
   * `INTERRUPTED`; a refused precondition is `ENGINE_UNAVAILABLE` with containerd's own words.
   */
  call<C extends ContainerdCall>(
    call: C,
    request: ContainerdCalls[C][0],
    options: {readonly namespace?: string; readonly signal: AbortSignal},
  ): Promise<ContainerdCalls[C][1]> {
    const {path, requestSerialize, responseDeserialize} = requireMethod(call)
    const metadata = new Metadata()
    if (options.namespace !== undefined) metadata.set('containerd-namespace', options.namespace)
    const exchange = () =>
      new Promise<ContainerdCalls[C][1]>((resolve, reject) => {
        if (options.signal.aborted) {
          reject(asConnectionError(options.signal.reason, this.#where, options.signal))
          return
        }
        const pending = this.#connected().makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadata,
          (error, answer) => {
            options.signal.removeEventListener('abort', cancel)
            // The descriptor the answer was decoded with is the one this type describes.
            if (error === null && answer !== undefined) resolve(answer)
            else reject(this.#asError(error, call, options.signal))
          },
        )
        const cancel = () => {
          pending.cancel()
        }
        options.signal.addEventListener('abort', cancel, {once: true})
      })
    return traceExchange(
      () => `${call} of containerd at ${this.endpoint}`,
      exchange,
      () => 'answered',
    )
  }

  close(): void {
    this.#client?.close()
    this.#client = undefined
  }

  get #where() {
    return {name: 'containerd', endpoint: this.endpoint}
  }

  #connected(): Client {
    // A pipe is a path to Node as well. With backslashes, else the library takes its beginning for a host.
    const path = this.endpoint
      .replace(/^unix:\/\//, '')
      .replace(/^npipe:\/\/(.*)$/, (_, pipe: string) => pipe.replaceAll('/', '\\'))
    this.#client ??= new Client(`unix:${path}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
      'grpc.enable_retries': 0,
    })
    return this.#client
  }

  #asError(error: ServiceError | null, call: ContainerdCall, signal: AbortSignal): TransshipError {
    if (signal.aborted) return asConnectionError(error, this.#where, signal)
    const details = {
      what: `containerd refused '${call}'.`,
      why: error === null ? 'It sent no answer.' : `It answered ${status[error.code]}: ${error.details}`,
      at: {reference: this.endpoint},
      cause: error,
    }
    switch (error?.code) {
      case status.NOT_FOUND:
        return new InputError('NOT_FOUND', details)
      case status.PERMISSION_DENIED:
      case status.UNAUTHENTICATED:
        return new EnvironmentError('NO_ACCESS', details)
      case status.UNAVAILABLE:
        // The library tells the connection's own failure in words only.
        return asConnectionError(connectionFailure(error), this.#where)
      default:
        return new EnvironmentError('ENGINE_UNAVAILABLE', details)
    }
  }
}

function connectionFailure(error: ServiceError): Error {
  const code = /\b(E[A-Z]{3,})\b/.exec(error.details)?.[1]
  return Object.assign(new Error(error.details), code === undefined ? {} : {code})
}
