/** Sees the bytes of a layer while its entries are read: what is seen need not be read again. Bytes are lent, not given. */
export interface LayerTap {
  /** The next bytes of the layer as it is stored. */
  stored(bytes: Uint8Array): void
  /** The next bytes of the tar that they are unpacked to; what is stored comes first. Of a tar that is stored itself, none. */
  text(bytes: Uint8Array): void
}

/** A tap that is made before it is known who listens: what passes while nobody does is not kept. */
export class TapRelay implements LayerTap {
  #listener: LayerTap | undefined

  /** Undefined: nobody listens any more. */
  listen(listener: LayerTap | undefined): void {
    this.#listener = listener
  }

  stored(bytes: Uint8Array): void {
    this.#listener?.stored(bytes)
  }

  text(bytes: Uint8Array): void {
    this.#listener?.text(bytes)
  }
}

/** Passes bytes on, and shows each to `see` first. */
export async function* shown(
  source: AsyncIterable<Uint8Array>,
  see: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    see(chunk)
    yield chunk
  }
}
