import type {WimBlob} from '../../codecs/wim/blob-table.js'
import {findDamage} from '../../codecs/wim/integrity-table.js'
import {InputError, TransshipError, UnsupportedError} from '../../model/errors.js'
import {parseLayerPath} from '../../model/layer-path.js'
import type {Reference} from '../../model/reference.js'
import {checkingHives} from '../../formats/layer-blob/verify-hives.js'
import type {Fault, LayerVerdict, OpenOptions, Verdict} from '../../model/transport.js'
import {matching} from './select-image.js'
import {WimFile} from './wim-file.js'
import {readWimLayer} from './wim-layer.js'

/**
 * Checks the integrity table, the SHA-1 of every content and of the metadata of every image, and the files, names, streams,
 * links and hives of the images that the reference selects. Gathers all faults.
 */
export async function verifyWim(reference: Reference, options: OpenOptions): Promise<Verdict> {
  let wim
  try {
    wim = await WimFile.open(reference.path)
  } catch (error) {
    if (!isOfInput(error) || error.code === 'NOT_FOUND' || error.code === 'FORMAT_UNSUPPORTED') throw error
    return {faults: [faultOf(error, reference.path)], layers: [], bytes: 0}
  }
  try {
    return await new WimCheck(wim, options).run(reference)
  } finally {
    await wim.close()
  }
}

const FILES = parseLayerPath('Files')

class WimCheck {
  readonly #wim: WimFile
  readonly #options: OpenOptions
  readonly #faults: Fault[] = []
  readonly #layers: LayerVerdict[] = []
  #bytes = 0

  constructor(wim: WimFile, options: OpenOptions) {
    this.#wim = wim
    this.#options = options
  }

  async run(reference: Reference): Promise<Verdict> {
    this.#checkHeader()
    await this.#checkIntegrity()
    await this.#checkBlobs()
    const chosen = matching(this.#wim, reference)
    if (chosen.length === 0 && reference.selector !== undefined)
      this.#add({
        code: 'NOT_FOUND',
        message: `The file does not contain the image '${reference.selector}'.`,
        subject: reference.path,
      })
    for (const description of this.#wim.descriptions)
      if (chosen.includes(description)) await this.#checkImage(description.index)
    return {faults: this.#faults, layers: this.#layers, bytes: this.#bytes}
  }

  #checkHeader(): void {
    const {header, table, isDescribed, path} = this.#wim
    const fault = (message: string) => {
      this.#add({code: 'ARCHIVE_CONTRADICTORY', message, subject: path})
    }
    if (!isDescribed) fault('The XML does not match the images in the file.')
    for (const {header: other, path: part} of this.#wim.parts)
      if (other.imageCount !== header.imageCount) fault(`Part '${part}' claims to have ${other.imageCount} images.`)
    if (header.bootIndex === 0) return
    const boot = table.images[header.bootIndex - 1]?.header
    const {offset, size, originalSize} = header.bootMetadata
    if (boot?.offset !== offset || boot.size !== size || boot.originalSize !== originalSize)
      fault(`The header gives the wrong location for the metadata of the boot image ${header.bootIndex}.`)
  }

  async #checkIntegrity(): Promise<void> {
    for (const {file, header, path} of this.#wim.parts) {
      await this.#gather(path, async () => {
        for await (const {offset, sizeBytes} of findDamage(file, header, this.#options.signal)) {
          this.#add({
            code: 'DIGEST_MISMATCH',
            message: `The ${sizeBytes} bytes from offset ${offset} do not match the integrity table.`,
            subject: path,
          })
        }
      })
    }
  }

  /** Each once, in the order in which they lie in the file. */
  async #checkBlobs(): Promise<void> {
    const {table} = this.#wim
    const blobs = [...table.images, ...table.blobs.values()].sort(byPlace)
    const owners = await this.#owners()
    for (const blob of blobs) {
      const title = owners.get(blob.hash) ?? `SHA-1 ${blob.hash}`
      await this.#gather(title, async () => {
        for await (const piece of this.#wim.read(blob, title, this.#options)) this.#bytes += piece.byteLength
      })
    }
  }

  /** SHA-1 -> the first path that has the content. Images whose metadata cannot be read are told of by their own check. */
  async #owners(): Promise<Map<string, string>> {
    const owners = new Map<string, string>()
    const add = (hash: string | undefined, path: string) => {
      if (hash !== undefined && hash !== '' && !owners.has(hash)) owners.set(hash, path)
    }
    for (const {index} of this.#wim.descriptions) {
      add(this.#wim.table.images[index - 1]?.hash, `the metadata of image ${index}`)
      try {
        const tree = await this.#wim.tree(index)
        for (const {path, entry} of tree.walk(FILES, {onFault: () => undefined})) {
          add(entry.data, path)
          add(entry.reparse?.hash, path)
          for (const {name, hash} of entry.streams) add(hash, `${path}:${name}`)
        }
      } catch (error) {
        if (!isOfInput(error)) throw error
      }
    }
    return owners
  }

  async #checkImage(index: number): Promise<void> {
    const title = `image ${index}`
    let entries = 0
    const onFault = (error: TransshipError) => {
      const {path} = error.at
      this.#add(faultOf(error, path === undefined ? title : `${title}: ${path}`))
    }
    await this.#gather(title, async () => {
      const layer = readWimLayer(
        this.#wim,
        {files: index},
        {
          ...this.#options,
          onFault,
          onEvent: (event) => {
            if (event.kind === 'loss' && event.code === 'descriptor-missing')
              this.#add({code: 'DESCRIPTOR_CORRUPT', message: event.message, subject: `${title}: ${event.subject}`})
          },
        },
      )
      const keep = (fault: Fault) => {
        this.#add({...fault, subject: `${title}: ${fault.subject}`})
      }
      for await (const _entry of checkingHives(layer, keep)) entries++
    })
    this.#layers.push({title, entries})
  }

  async #gather(subject: string, step: () => Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      // A compression that is not read is no fault of the file.
      if (!isOfInput(error) || error.code === 'FORMAT_UNSUPPORTED') throw error
      this.#add(faultOf(error, subject))
    }
  }

  #add(fault: Fault): void {
    const isKnown = this.#faults.some(({code, message}) => code === fault.code && message === fault.message)
    if (!isKnown) this.#faults.push(fault)
  }
}

function byPlace(left: WimBlob, right: WimBlob): number {
  const isSolid = (blob: WimBlob) => (blob.run === undefined ? 0 : 1)
  return left.part - right.part || isSolid(left) - isSolid(right) || left.header.offset - right.header.offset
}

function isOfInput(error: unknown): error is InputError | UnsupportedError {
  return error instanceof InputError || error instanceof UnsupportedError
}

function faultOf(error: TransshipError, subject: string): Fault {
  return {code: error.code, message: error.message, subject}
}
