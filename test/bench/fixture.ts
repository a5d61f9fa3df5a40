import {createCipheriv, createHash} from 'node:crypto'
import {makeImageConfig} from '../../src/convert/image-config.js'
import type {Digest} from '../../src/model/digest.js'
import {contentOf} from '../../src/model/content.js'
import type {Layer} from '../../src/model/image.js'
import type {AlternateStream, LayerEntry} from '../../src/model/layer-entry.js'
import {keyOf, valueOf} from '../../src/codecs/registry-hive/hive-key.js'
import {deltaOf, descriptorOf} from '../helpers/hives.js'
import {parseLayerPath} from '../../src/model/layer-path.js'
import {FileAttribute, type WindowsMetadata} from '../../src/model/windows-metadata.js'
import {dockerArchive} from '../../src/transports/docker-archive/docker-archive.js'

export interface FixtureSize {
  readonly files: number
  readonly bytes: number
  readonly layers: number
  /** Compresses by two as programs do, rather than by forty: where compressed bytes are what counts. */
  readonly isDense?: boolean
  /** Alternate streams, hard links and hives among the files, as real layers have them. */
  readonly isMixed?: boolean
  /** All files are of the average size. */
  readonly isEven?: boolean
}

/** O:BAG:SYD:(A;;FA;;;BA)(A;;FA;;;SY)(A;;0x1200a9;;;BU). Source: transport layout page, section 4.6. */
const DESCRIPTOR = Buffer.from(
  'AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgBMAAMAAAAAABgA/wEfAAECAAAAAAAFIAAAACACAAAAABQA/wEfAAEBAAAAAAAFEgAAAAAAGACpABIAAQIAAAAAAAUgAAAAIQIAAA==',
  'base64',
)

const START = 131_207_202_001_234_567n

function meta(attributes: number, tick: number, isSecured = true): WindowsMetadata {
  const time = START + BigInt(tick) * 10_000_019n
  return {
    attributes,
    times: {creation: time, lastAccess: time + 1n, lastWrite: time + 2n, change: time + 3n},
    ...(isSecured ? {securityDescriptor: DESCRIPTOR} : {}),
  }
}

/** Sizes as Windows layers have them: many small files, few large ones that hold most of the bytes. */
function sizeOf(index: number, average: number): number {
  if (index % 50 === 0) return Math.floor(average * 30)
  if (index % 5 === 0) return Math.floor(average * 1.5)
  return Math.floor(average * 0.12)
}

/** Half noise, half text; no two blocks of the noise are alike. */
function denseContentOfFile(index: number, size: number): Buffer {
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, String(index)), Buffer.alloc(16)).update(
    Buffer.alloc(size),
  )
  const bytes = Buffer.alloc(size, 'text of a program, again and again. ')
  for (let at = 0; at < size; at += 8192) noise.copy(bytes, at, at, at + 4096)
  return bytes
}

/** Half noise, half text, the noise of a file much alike. */
function contentOfFile(index: number, size: number): Buffer {
  const block = createHash('sha512').update(String(index)).digest()
  const bytes = Buffer.alloc(size, 'text of a program, again and again. ')
  for (let at = 0, count = 0; at < size; at += 128, count++) {
    block.writeUInt32LE(count, 0)
    block.copy(bytes, at)
  }
  return bytes
}

// eslint-disable-next-line @typescript-eslint/require-await
async function* entriesOf(layer: number, files: number, size: FixtureSize): AsyncGenerator<LayerEntry> {
  const average = size.bytes / size.files
  const content = size.isDense === true ? denseContentOfFile : contentOfFile
  const directory = (path: string, isSecured: boolean): LayerEntry => ({
    kind: 'directory',
    path: parseLayerPath(path),
    meta: meta(FileAttribute.directory, layer, isSecured),
  })
  yield directory('Files', false)
  yield directory(`Files/layer${layer}`, true)
  for (let index = 0; index < files; index++) {
    const folder = `Files/layer${layer}/folder${Math.floor(index / 100)}`
    if (index % 100 === 0) yield directory(folder, true)
    const path = parseLayerPath(`${folder}/file${index}.dll`)
    const bytes = size.isEven === true ? Math.floor(average) : sizeOf(index, average)
    const hasStream = size.isMixed === true && index % 20 === 3
    yield {
      kind: 'file',
      path,
      meta: meta(FileAttribute.archive, index),
      content: contentOf(content(layer * files + index, bytes)),
      ...(hasStream ? {streams: zoneOf(index)} : {}),
    }
    if (size.isMixed === true && index % 25 === 7) {
      const link = parseLayerPath(`${folder}/link${index}.dll`)
      yield {kind: 'hard-link', path: link, target: path, meta: meta(FileAttribute.archive, index)}
    }
  }
  yield directory('Hives', false)
  if (size.isMixed !== true || layer === 0) return
  yield {
    kind: 'file',
    path: parseLayerPath('Hives/Software_Delta'),
    meta: meta(FileAttribute.archive, layer, false),
    content: contentOf(hiveDelta()),
  }
}

// eslint-disable-next-line @typescript-eslint/require-await
async function* zoneOf(index: number): AsyncGenerator<AlternateStream> {
  yield {name: 'Zone.Identifier', content: contentOf(Buffer.from(`[ZoneTransfer]\r\nZoneId=${index % 4}\r\n`))}
}

/** A delta of 2,000 keys, about 300 KB. */
function hiveDelta(): Buffer {
  const security = descriptorOf(18)
  const subkeys = Array.from({length: 2000}, (_, at) =>
    keyOf({name: `Key${String(at).padStart(4, '0')}`, security, values: [valueOf('', 3, Buffer.alloc(8, at))]}),
  )
  return deltaOf(keyOf({name: 'ROOT', security, subkeys}))
}

/** Writes a Docker archive of about the size asked for; the same bytes each time. */
export async function writeFixture(file: string, size: FixtureSize): Promise<void> {
  const perLayer = Math.floor(size.files / size.layers)
  const layers: Layer[] = Array.from({length: size.layers}, (_, index) => ({
    title: `layer ${index}`,
    hasContent: true,
    entries: () => entriesOf(index, perLayer, size),
  }))
  const platform = {os: 'windows', architecture: 'amd64', osVersion: '10.0.14393.206'}
  const created = '2016-10-12T10:00:00Z'
  const history = layers.map((_, index) => ({
    created,
    created_by: index === 0 ? 'Apply image 10.0.14393.206' : `layer ${index}`,
  }))
  const config = (diffIds: readonly Digest[]) => makeImageConfig({platform, created, labels: {}, diffIds, history})
  const destination = await dockerArchive.create(dockerArchive.parse(file), {replace: true})
  if (destination.holds !== 'images') throw new TypeError('an archive holds images')
  await destination.write({names: ['bench/image:1.0'], platform, layers, config}, {})
  await destination.commit({})
}
