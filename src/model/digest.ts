import {createHash, hash as hashOnce, type Hash} from 'node:crypto'
import {InputError} from './errors.js'

declare const digestBrand: unique symbol
/** `sha256:<64 lower-case hex>` or `sha512:<128>`; made only by `parseDigest`, `digestOf` and `Digester`. */
export type Digest = string & {readonly [digestBrand]: true}

const HEX_LENGTHS: Readonly<Record<string, number>> = {sha256: 64, sha512: 128}

export function findDigest(text: string): Digest | undefined {
  const colon = text.indexOf(':')
  const hexLength = HEX_LENGTHS[text.slice(0, colon)]
  const hex = text.slice(colon + 1)
  if (hexLength === undefined || hex.length !== hexLength || !/^[0-9a-f]*$/.test(hex)) return undefined
  return text as Digest
}

/** Parses `algorithm:hex`. Throws `MANIFEST_INVALID` on anything but a sha256 or sha512 of the right length in lower case. */
export function parseDigest(text: string): Digest {
  const digest = findDigest(text)
  if (digest === undefined) {
    throw new InputError('MANIFEST_INVALID', {
      what: `'${text.slice(0, 200)}' is not a digest.`,
      why: 'Expected sha256:<64 lower-case hex digits> (or sha512:<128>).',
    })
  }
  return digest
}

/** The algorithm in front of the colon: `sha256` or `sha512`. */
export function digestAlgorithm(digest: Digest): string {
  return digest.slice(0, digest.indexOf(':'))
}

/** The hex digits behind the colon. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1)
}

/** Digest of bytes at hand: SHA-256 unless another algorithm is given. */
export function digestOf(bytes: Uint8Array, algorithm = 'sha256'): Digest {
  return `${algorithm}:${hashOnce(algorithm, bytes, 'hex')}` as Digest
}

/** Digest and size of bytes that pass by in pieces. */
export class Digester {
  readonly #algorithm: string
  readonly #hash: Hash
  #sizeBytes = 0

  constructor(algorithm = 'sha256') {
    this.#algorithm = algorithm
    this.#hash = createHash(algorithm)
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk)
    this.#sizeBytes += chunk.byteLength
  }

  /** Bytes seen so far. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** The digest of all bytes seen; may be called once. */
  digest(): Digest {
    return `${this.#algorithm}:${this.#hash.digest('hex')}` as Digest
  }
}

/** The OCI chain ID of a stack of diffIDs, base first. Source: image-spec config.md, "Layer ChainID". */
export function chainIdOf(diffIds: readonly Digest[]): Digest | undefined {
  let chain: Digest | undefined
  for (const diffId of diffIds) chain = chain === undefined ? diffId : digestOf(Buffer.from(`${chain} ${diffId}`))
  return chain
}
