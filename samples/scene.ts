import {readFileSync} from 'node:fs'
import path from 'node:path'
import {encodeReparsePoint} from '../src/codecs/reparse-point/encode-reparse-point.js'
import {encodeHive} from '../src/codecs/registry-hive/encode-hive.js'
import {keyOf, valueOf, valueTombstone, type HiveKey} from '../src/codecs/registry-hive/hive-key.js'
import {contentOf} from '../src/model/content.js'
import type {AlternateStream, LayerEntry} from '../src/model/layer-entry.js'
import {parseLayerPath} from '../src/model/layer-path.js'
import {FileAttribute, type ExtendedAttribute, type WindowsMetadata} from '../src/model/windows-metadata.js'

/* What the samples hold: an OS, a web server on it, and a shop on that; each with something that bridges get wrong. */

/** 2016-10-12T08:30:00.1234567Z and on: each entry a little later than the one before. */
const START = 131_207_202_001_234_567n

/** O:BAG:SYD:(A;;FA;;;BA)(A;;FA;;;SY)(A;;0x1200a9;;;BU), as BuildKit gives files. Source: transport layout page, 4.6. */
const FILE_DESCRIPTOR = Buffer.from(
  'AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgBMAAMAAAAAABgA/wEfAAECAAAAAAAFIAAAACACAAAAABQA/wEfAAEBAAAAAAAFEgAAAAAAGACpABIAAQIAAAAAAAUgAAAAIQIAAA==',
  'base64',
)

const payload = (name: string) => readFileSync(path.join('samples', 'payload', name))

/** Makes entries whose times follow from their order alone. */
class Scene {
  readonly entries: LayerEntry[] = []
  #tick: bigint

  constructor(start: bigint) {
    this.#tick = start
  }

  #meta(attributes: number, more: Partial<WindowsMetadata> = {}, isSecured = true): WindowsMetadata {
    this.#tick += 10_000_019n
    const tick = this.#tick
    return {
      attributes,
      times: {creation: tick, lastAccess: tick + 30n, lastWrite: tick + 10n, change: tick + 20n},
      ...(isSecured ? {securityDescriptor: FILE_DESCRIPTOR} : {}),
      ...more,
    }
  }

  folder(name: string, isSecured = true): this {
    this.entries.push({
      kind: 'directory',
      path: parseLayerPath(name),
      meta: this.#meta(FileAttribute.directory, {}, isSecured),
    })
    return this
  }

  /** A folder and all above it. */
  folders(name: string): this {
    const parts = name.split('/')
    parts.forEach((_, index) => {
      const above = parts.slice(0, index + 1).join('/')
      if (!this.entries.some((entry) => entry.kind === 'directory' && entry.path === above))
        this.folder(above, index > 0)
    })
    return this
  }

  file(
    name: string,
    bytes: Uint8Array,
    more: {
      attributes?: number
      streams?: Record<string, string>
      attributesExtended?: readonly ExtendedAttribute[]
    } = {},
  ): this {
    const {streams, attributesExtended} = more
    this.entries.push({
      kind: 'file',
      path: parseLayerPath(name),
      meta: this.#meta(
        more.attributes ?? FileAttribute.archive,
        attributesExtended === undefined ? {} : {extendedAttributes: attributesExtended},
        !name.startsWith('Hives/'),
      ),
      content: contentOf(bytes),
      ...(streams === undefined ? {} : {streams: streamsOf(streams)}),
    })
    return this
  }

  junction(name: string, target: string): this {
    const attributes = FileAttribute.directory | FileAttribute.reparsePoint
    const reparsePoint = encodeReparsePoint({kind: 'junction', target})
    this.entries.push({kind: 'directory', path: parseLayerPath(name), meta: this.#meta(attributes, {reparsePoint})})
    return this
  }

  hardLink(name: string, target: string): this {
    const entry = this.entries.find((candidate) => candidate.kind === 'file' && candidate.path === target)
    const meta = entry?.kind === 'file' ? entry.meta : this.#meta(FileAttribute.archive)
    this.entries.push({kind: 'hard-link', path: parseLayerPath(name), target: parseLayerPath(target), meta})
    return this
  }

  deletion(name: string): this {
    this.entries.push({kind: 'tombstone', path: parseLayerPath(name)})
    return this
  }

  deltas(deltas: Readonly<Record<string, HiveKey>>): this {
    this.folder('Hives', false)
    for (const name of ['DefaultUser', 'Sam', 'Security', 'Software', 'System'])
      this.file(
        `Hives/${name}_Delta`,
        encodeHive(deltas[name] ?? keyOf({name: ''}), {minorVersion: 6, isLayered: true}),
      )
    return this
  }
}

// eslint-disable-next-line @typescript-eslint/require-await
async function* streamsOf(streams: Record<string, string>): AsyncGenerator<AlternateStream> {
  for (const [name, text] of Object.entries(streams)) yield {name, content: contentOf(Buffer.from(text))}
}

const text = (value: string) => Buffer.from(`${value}\0`, 'utf16le')

/** A key by its path below the root, with these values. */
function keyAt(names: readonly string[], facts: Parameters<typeof keyOf>[0]): HiveKey {
  return names.reduceRight<HiveKey>(
    (below, name) => keyOf({name, subkeys: [below], lastWrite: START}),
    keyOf({lastWrite: START, ...facts}),
  )
}

/** A small base layer: whole hives, a system folder, the files of a utility VM. */
export function osLayer(): LayerEntry[] {
  const config = 'Files/Windows/System32/config'
  return new Scene(START)
    .folder('Files')
    .folders(config)
    .file(`${config}/DEFAULT`, payload('DEFAULT.hiv'))
    .file(`${config}/SAM`, payload('SAM.hiv'))
    .file(`${config}/SECURITY`, payload('SECURITY.hiv'))
    .file(`${config}/SOFTWARE`, payload('SOFTWARE.hiv'))
    .file(`${config}/SYSTEM`, payload('SYSTEM.hiv'))
    .file('Files/Windows/System32/greet.exe', payload('greet.exe'))
    .hardLink('Files/Windows/greet.exe', 'Files/Windows/System32/greet.exe')
    .file('Files/Windows/old-driver.sys', Buffer.from('a driver that a later layer removes\r\n'))
    .folder('Files/Users')
    .folder('Files/Users/Public')
    .junction('Files/Users/All Users', 'C:\\ProgramData')
    .folder('Files/ProgramData')
    .folder('UtilityVM')
    .folders('UtilityVM/Files/EFI/Microsoft/Boot')
    .file('UtilityVM/Files/EFI/Microsoft/Boot/BCD', payload('SYSTEM.hiv')).entries
}

/** A web server: a delta with registry changes, a deletion and a mark of the web. */
export function webLayer(): LayerEntry[] {
  return new Scene(START + 10n ** 13n)
    .folder('Files')
    .folder('Files/Windows')
    .deletion('Files/Windows/old-driver.sys')
    .folder('Files/inetpub')
    .folder('Files/inetpub/wwwroot')
    .file('Files/inetpub/wwwroot/iisstart.htm', Buffer.from('<!doctype html>\r\n<title>It runs</title>\r\n'), {
      streams: {'Zone.Identifier': '[ZoneTransfer]\r\nZoneId=3\r\n'},
    })
    .deltas({
      Software: keyAt(['', 'Microsoft', 'InetStp'], {
        name: 'Configuration',
        values: [valueOf('MaxWebConfigFileSizeInKB', 4, Buffer.from([0, 1, 0, 0]))],
      }),
      System: keyAt(['', 'ControlSet001', 'Services'], {
        name: 'W3SVC',
        values: [valueOf('ImagePath', 2, text('%windir%\\system32\\svchost.exe -k iissvcs'))],
      }),
    }).entries
}

/** The shop: Unicode and long names, sparse attributes, extended attributes, hidden and read-only files, a deleted value. */
export function shopLayer(): LayerEntry[] {
  const deep = `Files/Shop/${Array.from({length: 6}, (_, index) => `${index + 1}-${'level'.repeat(9)}`).join('/')}`
  return new Scene(START + 2n * 10n ** 13n)
    .folder('Files')
    .folder('Files/Shop')
    .folders(deep)
    .file(`${deep}/a file behind more than 260 characters.txt`, Buffer.from('found\r\n'))
    .file('Files/Shop/shop.exe', payload('greet.exe'), {
      attributes: FileAttribute.archive | FileAttribute.readOnly,
      attributesExtended: [{name: '$KERNEL.PURGE.ESBCACHE', flags: 0, value: Buffer.from([1, 2, 3, 4])}],
    })
    .hardLink('Files/Shop/shop-copy.exe', 'Files/Shop/shop.exe')
    .file('Files/Shop/Grüße 日本語 😀.txt', Buffer.from('Unicode names\r\n'))
    .file('Files/Shop/settings.json', Buffer.from('{"currency":"EUR"}\r\n'), {
      attributes: FileAttribute.archive | FileAttribute.hidden,
      streams: {checksum: 'none', 'second stream': 'text'},
    })
    .file('Files/Shop/empty.log', Buffer.alloc(0))
    .deltas({
      Software: keyAt([''], {
        name: 'Contoso',
        subkeys: [keyOf({name: 'Shop', lastWrite: START, values: [valueOf('Currency', 1, text('EUR'))]})],
      }),
      System: keyAt(['', 'ControlSet001', 'Services', 'Tcpip'], {
        name: 'Parameters',
        values: [valueTombstone('EnableICMPRedirect')],
      }),
    }).entries
}
