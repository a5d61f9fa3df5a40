import {
  Client,
  credentials,
  Metadata,
  status,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ServiceError,
} from '@grpc/grpc-js'
import {EnvironmentError, InputError, TransshipError} from '../../model/errors.js'
import {traceExchange} from '../../model/trace.js'
import {asConnectionError} from '../connection-error.js'
import {Exchange} from './exchange.js'
import {requireMethod, type ContainerdCall, type ContainerdCalls} from './services.js'
import type {StoreStreams} from './store-services.js'

/** Thousands of containers with long labels in one answer. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

/** In which namespace a call works, and on whose behalf. */
export interface CallScope {
  readonly namespace?: string
  /** What the call makes belongs to this lease. */
  readonly lease?: string
  readonly signal?: AbortSignal | undefined
}

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
   * `INTERRUPTED`; a bad or repeated request is `ENGINE_REFUSED`, a refused precondition `ENGINE_UNAVAILABLE`, with
   * containerd's own words. `refusalOf` tells which.
   */
  call<C extends ContainerdCall>(
    call: C,
    request: ContainerdCalls[C][0],
    scope: CallScope,
  ): Promise<ContainerdCalls[C][1]> {
    const {path, requestSerialize, responseDeserialize} = requireMethod(call)
    const {signal} = scope
    const exchange = (): Promise<ContainerdCalls[C][1]> =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(asConnectionError(signal.reason, this.#where, signal))
          return
        }
        const pending = this.#connected().makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          headersOf(scope),
          (error, answer) => {
            signal?.removeEventListener('abort', cancel)
            // The descriptor the answer was decoded with is the one this type describes.
            if (error === null && answer !== undefined) resolve(answer)
            else reject(this.#asError(error, call, signal))
          },
        )
        const cancel = () => {
          pending.cancel()
        }
        signal?.addEventListener('abort', cancel, {once: true})
      })
    return traceExchange(
      () => `${call} of containerd at ${this.endpoint}`,
      exchange,
      () => 'answered',
    )
  }

  /** A part of a blob, up to 1 MiB at a time; `sizeBytes` 0 = to its end. Throws as `call` does. */
  async *read(
    {
      digest,
      offsetBytes,
      sizeBytes,
    }: {readonly digest: string; readonly offsetBytes: number; readonly sizeBytes: number},
    scope: CallScope,
  ): AsyncGenerator<Uint8Array> {
    const call = 'containerd.services.content.v1.Content/Read'
    const {path, requestSerialize, responseDeserialize} = requireMethod(call)
    const request = {digest, offset: offsetBytes, size: sizeBytes}
    const stream = this.#connected().makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      headersOf(scope),
    ) as ClientReadableStream<StoreStreams[typeof call][1]>
    const cancel = () => {
      stream.cancel()
    }
    if (scope.signal?.aborted === true) cancel()
    scope.signal?.addEventListener('abort', cancel, {once: true})
    try {
      for await (const {data} of stream as AsyncIterable<StoreStreams[typeof call][1]>) yield data
    } catch (error) {
      throw this.#asError(error as ServiceError, call, scope.signal)
    } finally {
      scope.signal?.removeEventListener('abort', cancel)
      cancel()
    }
  }

  /** Begins to write a blob, message by message. */
  write(scope: CallScope): Exchange<StoreStreams['containerd.services.content.v1.Content/Write']> {
    const call = 'containerd.services.content.v1.Content/Write'
    const {path, requestSerialize, responseDeserialize} = requireMethod(call)
    const stream = this.#connected().makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      headersOf(scope),
    ) as ClientDuplexStream<StoreStreams[typeof call][0], StoreStreams[typeof call][1]>
    return new Exchange(stream, {
      signal: scope.signal,
      asError: (error) => this.#asError(error, call, scope.signal),
    })
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
      // containerd is on this machine: where it was started anew, it answers at once.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
    })
    return this.#client
  }

  #asError(
    error: ServiceError | null,
    call: ContainerdCall | keyof StoreStreams,
    signal: AbortSignal | undefined,
  ): TransshipError {
    if (signal?.aborted === true) return asConnectionError(error, this.#where, signal)
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
      case status.INVALID_ARGUMENT:
      case status.ALREADY_EXISTS:
      case status.OUT_OF_RANGE:
      case status.RESOURCE_EXHAUSTED:
        return new EnvironmentError('ENGINE_REFUSED', details)
      default:
        return new EnvironmentError('ENGINE_UNAVAILABLE', details)
    }
  }
}

/** Throws `ENGINE_UNAVAILABLE` for a name that no header can hold: containerd gave it, and cannot mean it. */
function headersOf({namespace, lease}: CallScope): Metadata {
  const metadata = new Metadata()
  for (const [key, value] of Object.entries({'containerd-namespace': namespace, 'containerd-lease': lease})) {
    if (value === undefined) continue
    if (!/^[\x20-\x7e]*$/.test(value)) {
      throw new EnvironmentError('ENGINE_UNAVAILABLE', {
        what: `containerd named ${key === 'containerd-lease' ? 'a lease' : 'a namespace'} that no request can name.`,
        why: `${JSON.stringify(value.slice(0, 100))} is not plain ASCII.`,
      })
    }
    metadata.set(key, value)
  }
  return metadata
}

function connectionFailure(error: ServiceError): Error {
  const code = /\b(E[A-Z]{3,})\b/.exec(error.details)?.[1]
  return Object.assign(new Error(error.details), code === undefined ? {} : {code}, {grpc: 'UNAVAILABLE'})
}

/** What containerd answered in place of doing what it was asked, in gRPC's words; undefined for any other failure. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof TransshipError) || typeof error.cause !== 'object' || error.cause === null) return undefined
  const {code, grpc} = error.cause as {readonly code?: unknown; readonly grpc?: unknown}
  if (typeof grpc === 'string') return grpc
  return typeof code === 'number' ? status[code] : undefined
}
