import type {ClientDuplexStream, ServiceError} from '@grpc/grpc-js'
import type {TransshipError} from '../../model/errors.js'

interface Options {
  readonly signal?: AbortSignal | undefined
  readonly asError: (error: ServiceError | null) => TransshipError
}

/** A stream in both directions on which each message gets one answer, and the next is sent only then. */
export class Exchange<Messages extends readonly [request: object, answer: object]> {
  readonly #stream: ClientDuplexStream<Messages[0], Messages[1]>
  readonly #asError: Options['asError']
  readonly #stop: () => void
  #waiting: {resolve(answer: Messages[1]): void; reject(error: Error): void} | undefined
  #failure: TransshipError | undefined

  constructor(stream: ClientDuplexStream<Messages[0], Messages[1]>, {signal, asError}: Options) {
    this.#stream = stream
    this.#asError = asError
    const cancel = () => {
      stream.cancel()
    }
    this.#stop = () => signal?.removeEventListener('abort', cancel)
    stream.on('data', (answer: Messages[1]) => {
      this.#settle()?.resolve(answer)
    })
    stream.on('error', (error: ServiceError) => {
      this.#fail(error)
    })
    stream.on('end', () => {
      this.#fail(null)
    })
    if (signal?.aborted === true) cancel()
    else signal?.addEventListener('abort', cancel, {once: true})
  }

  /** Sends one message and gives its answer. Throws what a call throws; the stream is then over. */
  send(message: Messages[0]): Promise<Messages[1]> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      this.#waiting = {resolve, reject}
      this.#stream.write(message)
    })
  }

  /** Ends it; what containerd has of a blob stays there. */
  close(): void {
    this.#stop()
    this.#stream.cancel()
  }

  #settle() {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }

  #fail(error: ServiceError | null): void {
    this.#failure ??= this.#asError(error)
    this.#settle()?.reject(this.#failure)
  }
}
