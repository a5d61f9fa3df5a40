import type {EngineUpload, UploadAnswer} from '../../engine-api/engine-upload.js'
import {END_BLOCKS, paddingOf} from '../../codecs/tar/tar-header.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {SpoolFile} from '../../disk/spool-file.js'
import type {ArchiveTar} from '../../formats/image-archive/archive-form.js'
import type {LayerBody, LayerFacts} from '../../formats/layer-blob/layer-body.js'
import {blobPath} from '../../formats/oci-layout/content-store.js'
import {headerBlock, type MemberHeader, type OpenMember} from '../../formats/archive-file/tar-file.js'

/**
 * A tar on its way to an engine. A layer that is passed on as it is goes straight through, since its digest and size are
 * known before; any other is made in a temporary file first, one at a time: a tar tells the size before the bytes.
 */
export class LoadStream implements ArchiveTar {
  readonly #upload: EngineUpload
  readonly #sent = new Set<string>()
  #size = 0

  constructor(upload: EngineUpload) {
    this.#upload = upload
  }

  /** Bytes sent so far. */
  get size(): number {
    return this.#size
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#upload.write(bytes)
    this.#size += bytes.byteLength
  }

  async add(header: Omit<MemberHeader, 'size'>, body: Uint8Array = new Uint8Array()): Promise<void> {
    await this.#append(headerBlock({...header, size: body.byteLength}))
    await this.#append(body)
    await this.#append(END_BLOCKS.subarray(0, paddingOf(body.byteLength)))
  }

  /** Sends a layer under the name of its digest, once. Throws what its check throws, and `SIZE_MISMATCH`. */
  async addLayer(
    body: LayerBody,
    options: WorkOptions,
  ): Promise<{readonly member: OpenMember; readonly facts: LayerFacts}> {
    const offset = this.#size
    const {bytes, stated} = body
    // The documents name layers by SHA-256, whatever the source states.
    if (stated?.digest.startsWith('sha256:') === true) {
      await this.#addBlob(bytes, stated, options)
      return {member: {offset, size: stated.size}, facts: body.facts()}
    }
    const spool = await SpoolFile.create()
    try {
      for await (const chunk of bytes) {
        options.signal?.throwIfAborted()
        await spool.write(chunk)
      }
      const made = body.facts()
      if (!this.#sent.has(made.digest)) {
        const kept = spool.handle.createReadStream({start: 0, autoClose: false, highWaterMark: 256 * 1024})
        await this.#addBlob(kept as AsyncIterable<Uint8Array>, made, options)
      }
      return {member: {offset, size: made.size}, facts: made}
    } finally {
      await spool.close()
    }
  }

  async #addBlob(
    bytes: AsyncIterable<Uint8Array>,
    {digest, size}: Pick<LayerFacts, 'digest' | 'size'>,
    {signal}: WorkOptions,
  ): Promise<void> {
    await this.#append(headerBlock({name: blobPath(digest), typeflag: '0', mode: 0o444, size}))
    const begin = this.#size
    for await (const chunk of bytes) {
      signal?.throwIfAborted()
      await this.#append(chunk)
    }
    const sent = this.#size - begin
    if (sent !== size) {
      throw new InputError('SIZE_MISMATCH', {
        what: `The layer ${digest} does not have its stated size.`,
        why: `Expected ${size} bytes, found ${sent}.`,
      })
    }
    await this.#append(END_BLOCKS.subarray(0, paddingOf(size)))
    this.#sent.add(digest)
  }

  async name(): Promise<void> {
    // Every layer was sent under its name.
  }

  /** Ends the tar and gives the engine's answer. */
  async end(): Promise<UploadAnswer> {
    await this.#append(END_BLOCKS)
    return this.#upload.finish()
  }

  /** Breaks the connection; of a tar without its end an engine keeps nothing. */
  abort(): void {
    this.#upload.abort()
  }
}
