import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {copyFileSync, existsSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../../src/convert/convert.js'
import {compare} from '../../../src/convert/diff.js'
import {inspect} from '../../../src/convert/inspect.js'
import {list} from '../../../src/convert/list.js'
import {verify} from '../../../src/convert/verify.js'
import {WimFile} from '../../../src/transports/wim/wim-file.js'
import {readWimLayer} from '../../../src/transports/wim/wim-layer.js'
import {collect} from '../../helpers/bytes.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {wimVector} from '../../helpers/wim-files.js'

describe('Windows image files, converted', () => {
  const folder = temporaryFolder()
  const inFolder = (name: string) => path.join(folder.path, name)

  // Their names do not collide, and of `handmade` and `unix-data` no hive is none.
  for (const name of ['handmade', 'unix-data', 'two-images'])
    it(`${name} becomes the same package and the same layer on every way`, async () => {
      const source = `wim:${wimVector(name)}`
      const [repository, archive] = [`inbox:${inFolder(`${name}-a`)}`, `docker-archive:${inFolder(`${name}-a.tar`)}`]
      const [repositoryBack, archiveBack] = [
        `inbox:${inFolder(`${name}-b`)}`,
        `docker-archive:${inFolder(`${name}-b.tar`)}`,
      ]
      const given = {name: 'Gold', publisher: 'CN=Test', packageVersion: '1.0.0.0', tags: ['gold:1']}
      const first = await convert(source, repository, given)
      await convert(source, archive, given)
      await convert(repository, archiveBack, {tags: ['gold:1']})
      await convert(archive, repositoryBack, given)
      const payload = async (place: string) => (await list(place)).items.map((item) => item.payloadDigest)
      const layer = async (place: string) => (await inspect(place)).layers.map((each) => each.diffId)
      assert.ok((await payload(repository))[0] !== undefined)
      assert.deepEqual(await payload(repositoryBack), await payload(repository))
      assert.deepEqual(await layer(archiveBack), await layer(archive))
      assert.equal(first.exact, false)
      assert.ok(first.inexact.some(({code}) => code === 'source-only'))
      if (name === 'two-images') return
      assert.deepEqual((await compare(source, repository, {parts: ['files']})).files, [])
      assert.equal((await verify(archiveBack)).ok, true)
    })

  it('the configuration of a base image states version, features and how it was made', async () => {
    const archive = `docker-archive:${inFolder('two.tar')}`
    await convert(`wim:${wimVector('two-images')}:NanoServer`, archive)
    const {config, names, platform} = await inspect(archive)
    assert.deepEqual(names, ['nanoserver:10.0.14300.1000'])
    assert.equal(platform.osVersion, '10.0.14300.1000')
    const {history, created, ...rest} = config as {history: {created_by: string}[]; created: string; config: object}
    assert.deepEqual(
      history.map((item) => item.created_by),
      ['Apply image 10.0.14300.1000'],
    )
    assert.match(created, /^2026-11-26T\d\d:\d\d:\d\dZ$/)
    assert.deepEqual(rest.config, {
      Labels: {
        'io.transship.wim.name': 'NanoServer',
        'io.transship.wim.description': 'Container OS',
        'io.transship.wim.edition': 'ServerDatacenterNano',
        'io.transship.wim.installation-type': 'Nano Server',
        'io.transship.wim.product': 'Microsoft Windows Operating System',
        'io.transship.wim.version': '10.0.14300.1000',
        'io.transship.wim.languages': 'en-US',
        'io.transship.wim.default-language': 'en-US',
      },
    })
  })

  it('a bare path is recognised by its content', async () => {
    const file = inFolder('image.bin')
    copyFileSync(wimVector('handmade'), file)
    assert.equal((await inspect(file)).reference, `wim:${file}`)
  })

  it('tells what a container needs and the file has not', async () => {
    const {warnings} = await inspect(`wim:${wimVector('unix-data')}`)
    assert.deepEqual(
      warnings.map(({code}) => code),
      ['no-windows'],
    )
    const vm = await inspect(`wim:${wimVector('two-images')}:2`)
    assert.equal(vm.platform.osVersion, undefined)
  })

  it('refuses the data of a file that is encrypted, and lists it all the same', async () => {
    const file = inFolder('encrypted.wim')
    const bytes = readFileSync(wimVector('none'))
    const table = bytes.subarray(Number(bytes.readBigUInt64LE(56)))
    const metadataEntry = [...Array(50).keys()]
      .map((index) => table.subarray(50 * index))
      .find((each) => (each.readUInt8(7) & 2) !== 0)
    assert.ok(metadataEntry !== undefined)
    const start = Number(metadataEntry.readBigUInt64LE(8))
    const metadata = bytes.subarray(start, start + metadataEntry.readUIntLE(0, 6))
    const name = metadata.indexOf(Buffer.from('copy-of-hello.txt', 'utf16le'))
    metadata.writeUInt32LE(0x4020, name - 0x66 + 0x08)
    createHash('sha1').update(metadata).digest().copy(metadataEntry, 30)
    writeFileSync(file, bytes)
    const wim = await WimFile.open(file)
    let met = 0
    for await (const entry of readWimLayer(wim, {files: 1}, {onFault: () => undefined})) {
      if (entry.kind !== 'file' || entry.path !== 'Files/copy-of-hello.txt') continue
      met++
      assert.ok(entry.content !== undefined && entry.content.size > 0)
      await assert.rejects(collect(entry.content.open()), {code: 'FORMAT_UNSUPPORTED', message: /EFS/})
    }
    await wim.close()
    assert.equal(met, 1)
  })

  it('refuses to be a destination, and leaves nothing there', async () => {
    const file = inFolder('new.wim')
    await assert.rejects(convert(`wim:${wimVector('handmade')}`, `wim:${file}`), {code: 'BAD_REFERENCE'})
    assert.equal(existsSync(file), false)
  })

  for (const {reference, code} of [
    {reference: '', code: 'BAD_REFERENCE'},
    {reference: 'x.wim:', code: 'BAD_REFERENCE'},
    {reference: `${wimVector('two-images')}:3`, code: 'NOT_FOUND'},
    {reference: `${wimVector('two-images')}:Nano`, code: 'NOT_FOUND'},
    {reference: 'test/vectors/wim/README.md', code: 'UNRECOGNISED_FORMAT'},
    {reference: 'test/vectors/wim/none.none', code: 'NOT_FOUND'},
  ])
    it(`wim:${reference} is ${code}`, async () => {
      await assert.rejects(inspect(`wim:${reference}`), {code})
    })
})
