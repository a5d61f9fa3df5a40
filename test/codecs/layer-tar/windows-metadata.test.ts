import assert from 'node:assert/strict'
import {cpSync, mkdtempSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {pack} from 'tar-stream'
import {convert} from '../../../src/convert/convert.js'
import {verify} from '../../../src/convert/verify.js'
import {hybridMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {collect} from '../../helpers/bytes.js'
import {assertRefusal} from '../../helpers/refusals.js'
import {SECURITY_DESCRIPTORS} from '../../helpers/security-descriptors.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const WEB = 'CN=Contoso_WebServer_1.0.0.0'
const SOUND = SECURITY_DESCRIPTORS[0]!.bytes
const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64')
/** {A.B = 01 02}. Source: section 7.5 of the transport layout page. */
const ATTRIBUTES = Buffer.from('0000000000030200412e4200010200 00'.replaceAll(' ', ''), 'hex')
const with0 = (at: number, value: number) => {
  const bytes = Buffer.from(ATTRIBUTES)
  bytes[at] = value
  return bytes
}

describe('security descriptors and extended attributes that are no such thing', () => {
  const folder = temporaryFolder()

  async function imageWith(pax: Readonly<Record<string, string>>): Promise<string> {
    const tar = pack()
    tar.entry({name: 'Files', type: 'directory'})
    tar.entry({name: 'Files/odd.txt', pax: {'MSWINDOWS.fileattr': '32', ...pax}}, 'content')
    tar.finalize()
    const file = path.join(mkdtempSync(path.join(folder.path, 'image-')), 'image.tar')
    writeFileSync(file, await tarOf(hybridMembers(partsOf([await collect(tar as AsyncIterable<Uint8Array>)], {}))))
    return `docker-archive:${file}`
  }

  for (const {title, pax, code} of [
    {title: 'text', pax: {'MSWINDOWS.rawsd': base64('O:BAG:SYD:')}, code: 'DESCRIPTOR_CORRUPT'},
    {title: 'one that is cut', pax: {'MSWINDOWS.rawsd': base64(SOUND.subarray(0, 40))}, code: 'DESCRIPTOR_CORRUPT'},
    {title: 'zeros', pax: {'MSWINDOWS.rawsd': base64(Buffer.alloc(64))}, code: 'DESCRIPTOR_CORRUPT'},
    {title: 'no base64', pax: {'MSWINDOWS.rawsd': '%%%'}, code: 'DESCRIPTOR_CORRUPT'},
    {title: 'a value that is no base64', pax: {'MSWINDOWS.xattr.A': '%%%'}, code: 'ATTRIBUTES_CORRUPT'},
    {title: 'no name', pax: {'MSWINDOWS.xattr.': 'AQI='}, code: 'ATTRIBUTES_CORRUPT'},
    {title: 'a name too long', pax: {[`MSWINDOWS.xattr.${'x'.repeat(256)}`]: 'AQI='}, code: 'ATTRIBUTES_CORRUPT'},
    {title: 'a value too long', pax: {'MSWINDOWS.xattr.A': base64(Buffer.alloc(65536))}, code: 'ATTRIBUTES_CORRUPT'},
  ])
    it(`are refused in a layer tar as ${code}, by verify and towards packages: ${title}`, async () => {
      const image = await imageWith(pax)
      const {faults} = await verify(image)
      assert.deepEqual(
        faults.map((fault) => fault.code),
        [code],
      )
      for (const target of ['inbox:r', 'layout:l', 'appx:a'])
        await assert.rejects(convert(image, target.replace(':', `:${path.dirname(image.slice(15))}/`), {}), (error) => {
          assertRefusal(error, {code, names: ['Files/odd.txt']})
          return true
        })
    })

  it('are not these, which come back', async () => {
    const image = await imageWith({
      'MSWINDOWS.rawsd': base64(SOUND),
      'MSWINDOWS.xattr.A.B': 'AQI=',
      [`MSWINDOWS.xattr.${'y'.repeat(255)}`]: base64(Buffer.alloc(3000)),
    })
    assert.deepEqual((await verify(image)).faults, [])
    const report = await convert(image, `inbox:${folder.path}/sound`, {layers: 'chain'})
    assert.equal(report.exact, true)
  })

  const stream = (id: number, payload: Uint8Array) => {
    const head = Buffer.alloc(20)
    head.writeUInt32LE(id, 0)
    head.writeUInt32LE(payload.byteLength, 8)
    return Buffer.concat([Buffer.from([0x20, 0, 0, 0]), head, payload])
  }
  for (const {title, carrier, code} of [
    {title: 'text', carrier: stream(3, Buffer.from('D:P(A;;FA;;;BA)       ')), code: 'DESCRIPTOR_CORRUPT'},
    {title: 'one that is cut', carrier: stream(3, SOUND.subarray(0, 50)), code: 'DESCRIPTOR_CORRUPT'},
    {title: 'one byte', carrier: stream(3, Buffer.of(1)), code: 'DESCRIPTOR_CORRUPT'},
    {title: 'a list that is cut', carrier: stream(2, ATTRIBUTES.subarray(0, 12)), code: 'ATTRIBUTES_CORRUPT'},
    {title: 'a name without its end', carrier: stream(2, with0(11, 0x43)), code: 'ATTRIBUTES_CORRUPT'},
    {title: 'a name with a NUL in it', carrier: stream(2, with0(9, 0)), code: 'ATTRIBUTES_CORRUPT'},
    {title: 'a record inside the one before', carrier: stream(2, with0(0, 12)), code: 'ATTRIBUTES_CORRUPT'},
  ])
    it(`are refused in a repository and a layout as ${code}, by verify and towards images: ${title}`, async () => {
      const root = mkdtempSync(path.join(folder.path, 'repository-'))
      cpSync('samples/repository', root, {recursive: true})
      const odd = path.join(root, WEB, 'Files', 'odd.txt')
      writeFileSync(odd, carrier)
      const layout = mkdtempSync(path.join(folder.path, 'layout-'))
      for (const name of ['Files', 'Hives', 'Files.$wcidirs$', 'Hives.$wcidirs$', 'tombstones.txt'])
        cpSync(path.join(root, WEB, name), path.join(layout, name), {recursive: true})
      for (const source of [`inbox:${root}`, `layout:${layout}`]) {
        const {faults} = await verify(source)
        assert.ok(faults.some((fault) => fault.code === code), JSON.stringify(faults)) // prettier-ignore
      }
      for (const source of [`inbox:${root}:WebServer`, `layout:${layout}`])
        await assert.rejects(convert(source, `docker-archive:${root}/image.tar`, {}), (error) => {
          assertRefusal(error, {code, names: ['odd.txt']})
          return true
        })
    })

  for (const {title, line, code} of [
    {title: 'a descriptor', line: {sd: base64('D:')}, code: 'DESCRIPTOR_CORRUPT'},
    {title: 'an attribute without a name', line: {ea: [['', 0, 'AQI=']]}, code: 'ATTRIBUTES_CORRUPT'},
    {title: 'an attribute with flags beyond a byte', line: {ea: [['A', 256, 'AQI=']]}, code: 'ATTRIBUTES_CORRUPT'},
  ])
    it(`are refused in the index of a layout as ${code}: ${title}`, async () => {
      const root = path.join(mkdtempSync(path.join(folder.path, 'index-')), 'layout')
      for (const name of ['Files', 'Hives', 'Files.$wcidirs$', 'Hives.$wcidirs$', 'tombstones.txt'])
        cpSync(path.join('samples/repository', WEB, name), path.join(root, name), {recursive: true})
      writeFileSync(`${root}.payload-index.jsonl`, `${JSON.stringify({p: 'Hives/Sam_Delta', ...line})}\n`)
      assert.deepEqual((await verify(`layout:${root}`)).faults.map((fault) => fault.code), [code]) // prettier-ignore
      await assert.rejects(convert(`layout:${root}`, `docker-archive:${root}.tar`, {}), {code})
      assert.ok(readFileSync(`${root}.payload-index.jsonl`).byteLength > 0)
    })
})
