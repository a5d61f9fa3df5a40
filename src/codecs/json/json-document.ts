import {errorsText, type Validator} from './validator.js'
import {InputError, type ErrorCode} from '../../model/errors.js'

/** Largest JSON document of an image that is read; containerd has the same bound. */
export const MAX_DOCUMENT_BYTES = 20 * 2 ** 20

export interface ParseOptions<T> {
  /** For messages: which document this is. */
  readonly title: string
  readonly validate: Validator<T>
  /** `MANIFEST_INVALID` or the like. */
  readonly code: ErrorCode
  /** Go takes keys in any case: keys of this list are read so, in objects at any depth. */
  readonly keysInAnyCase?: readonly string[]
  /** What the parser says of a document quotes it: with secrets inside, it stays untold. */
  readonly isSecret?: boolean
}

/** Parses and validates a JSON document from outside; a key `__proto__` is dropped, so that no merge can be poisoned. */
export function parseDocument<T>(bytes: Uint8Array, options: ParseOptions<T>): T {
  const {title, validate, code} = options
  requireDocumentSize(bytes.byteLength, title)
  let json: unknown
  try {
    const text = new TextDecoder('utf-8', {fatal: true}).decode(bytes)
    json = JSON.parse(text, reviver(options.keysInAnyCase ?? []))
  } catch (cause) {
    throw new InputError(code, {
      what: `${title} is not JSON.`,
      at: {path: title},
      ...(options.isSecret === true ? {} : {cause}),
    })
  }
  if (validate(json)) return json
  throw new InputError(code, {
    what: `${title} is malformed.`,
    why: errorsText(validate, 'it'),
    at: {path: title},
  })
}

/** Refuses a document that is too large to be one, before it is read. Throws `LIMIT_EXCEEDED`. */
export function requireDocumentSize(size: number, title: string): void {
  if (size <= MAX_DOCUMENT_BYTES) return
  throw new InputError('LIMIT_EXCEEDED', {
    what: `${title} is too large.`,
    why: `It has ${size} bytes; the limit is ${MAX_DOCUMENT_BYTES}.`,
    at: {path: title},
  })
}

/** JSON from outside that is validated elsewhere; a key `__proto__` is dropped here too. Throws as `JSON.parse`. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, reviver([]))
}

function reviver(keysInAnyCase: readonly string[]): (key: string, value: unknown) => unknown {
  const spellings = new Map(keysInAnyCase.map((key) => [key.toLowerCase(), key]))
  return (key, value) => {
    if (key === '__proto__') return undefined
    if (spellings.size === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([own, item]) => [spellings.get(own.toLowerCase()) ?? own, item]),
    )
  }
}
