import {digestAlgorithm, Digester, type Digest} from '../../model/digest.js'
import {InputError} from '../../model/errors.js'

export interface Expected {
  /** For messages: what the bytes are. */
  readonly title: string
  readonly digest?: Digest | undefined
  /** Bytes. */
  readonly size?: number | undefined
}

/**
 * Passes a stream on and checks its size and digest at its end: `SIZE_MISMATCH`, `DIGEST_MISMATCH`. Whoever reads must
 * treat nothing as final before the end. Stops at once when the stream is longer than it should be.
 */
export async function* verified(body: AsyncIterable<Uint8Array>, want: Expected): AsyncGenerator<Uint8Array> {
  const digester = new Digester(want.digest === undefined ? 'sha256' : digestAlgorithm(want.digest))
  for await (const chunk of body) {
    digester.update(chunk)
    if (want.size !== undefined && digester.sizeBytes > want.size) throw sizeMismatch(want, 'more')
    yield chunk
  }
  if (want.size !== undefined && digester.sizeBytes !== want.size) {
    throw sizeMismatch(want, String(digester.sizeBytes))
  }
  const found = digester.digest()
  if (want.digest !== undefined && found !== want.digest) throw digestMismatch(want, found)
}

function sizeMismatch(want: Expected, found: string): InputError {
  return new InputError('SIZE_MISMATCH', {
    what: `${capitalised(want.title)} is damaged.`,
    why: `Expected ${String(want.size)} bytes, found ${found}.`,
    suggestions: ['Save or download the image again, then retry.'],
    at: {path: want.title},
  })
}

/** The fault of bytes whose digest is not the stated one. */
export function digestMismatch(want: Expected, found: Digest): InputError {
  return new InputError('DIGEST_MISMATCH', {
    what: `${capitalised(want.title)} is damaged.`,
    why: `Expected ${want.digest ?? 'another digest'}, found ${found}.`,
    suggestions: ['Save or download the image again, then retry.'],
    at: {path: want.title},
  })
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
