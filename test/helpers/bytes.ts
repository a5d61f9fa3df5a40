/** All chunks as one buffer. Chunks are copied as they come, since they need not outlive their turn. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(Uint8Array.from(chunk))
  return Buffer.concat(parts)
}

/**
 * The bytes cut into chunks of at most `size`. They are lent, as all chunks are: each is overwritten as soon as the next
 * is asked for, so that who holds on to one without a copy gets other bytes.
 */
// eslint-disable-next-line @typescript-eslint/require-await
export async function* chunked(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) {
    const chunk = Uint8Array.from(bytes.subarray(at, at + size))
    try {
      yield chunk
    } finally {
      chunk.fill(0xee)
    }
  }
}

/** The same value as plain arrays of numbers where it has bytes: a Buffer and a Uint8Array of the same bytes are then equal. */
export function withPlainBytes(value: unknown): unknown {
  // Not the replacer's own argument: what a Buffer makes of itself for JSON comes before it.
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key, each: unknown) {
    const own = this[key]
    return own instanceof Uint8Array ? [...own] : each
  })
  return JSON.parse(text)
}
