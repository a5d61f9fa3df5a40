import assert from 'node:assert/strict'
import {cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../src/index.js'
import {classicMembers, partsOf, tarOf} from '../helpers/archives.js'
import {fileOf, layerTarOf, withParents} from '../helpers/layer-archives.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const WEB = 'CN=Contoso_WebServer_1.0.0.0'

describe('what a package says of itself', () => {
  const folder = temporaryFolder()
  let made = 0
  const fresh = (name: string) => path.join(folder.path, `${made++}-${name}`)
  /** A repository whose package has another document; gives its bytes. */
  function withDocument(change: (text: string) => string) {
    const root = fresh('repository')
    cpSync('samples/repository', root, {recursive: true, preserveTimestamps: true})
    const file = path.join(root, WEB, 'metadata.json')
    const bytes = Buffer.from(change(readFileSync(file, 'utf8')))
    writeFileSync(file, bytes)
    return {root, bytes}
  }
  const saying = (extensions: string) => (text: string) =>
    text.replace('"Package":{', `"Package":{"Extensions":${extensions},`)
  const codesOf = ({inexact}: {readonly inexact: readonly {readonly code: string}[]}) => inexact.map(({code}) => code)

  for (const [title, change, isBack] of [
    ['another order of keys', (text: string) => text.replace(/^\{("Name":"[^"]*"),(.*)\}/, '{$2,$1}'), true],
    ['a mark of the byte order', (text: string) => `\ufeff${text}`, true],
    ['an extension of others', saying('{"vendor/1":{"a":"\u00e9"}}'), true],
    ['half of a surrogate pair', saying('{"vendor/1":{"a":"\\ud800"}}'), false],
    [
      'a second that no clock shows',
      (text: string) => text.replace(/"CreatedTime":"[^"]*"/, '"CreatedTime":"2016-12-31T23:59:60Z"'),
      false,
    ],
  ] as const)
    it(`comes back from an image, or the image is not exact: ${title}`, async () => {
      const {root, bytes} = withDocument(change)
      const image = await convert(`inbox:${root}:WebServer`, `oci:${fresh('image')}`)
      assert.deepEqual(
        [image.exact, new Set(codesOf(image))],
        [isBack, new Set(isBack ? [] : ['package-not-labelled'])],
      )
      const back = fresh('back')
      await convert(image.artifacts[0]!.reference, `inbox:${back}`)
      const found = readdirSync(back).includes(WEB) ? readFileSync(path.join(back, WEB, 'metadata.json')) : undefined
      assert.equal(found?.equals(bytes) ?? false, isBack)
    })

  it('keeps what others put into it when it gets another name', async () => {
    const {root} = withDocument(saying('{"vendor/1":{"a":1}}'))
    const back = fresh('back')
    await convert(`inbox:${root}:WebServer`, `inbox:${back}`, {name: 'Other'})
    const text = readFileSync(path.join(back, 'CN=Contoso_Other_1.0.0.0', 'metadata.json'), 'utf8')
    assert.match(text, /"Extensions":\{"vendor\/1":\{"a":1\}\}/)
  })

  it('is not taken for said where a package with the same payload says something else', async () => {
    const there = `inbox:${fresh('there')}`
    await convert('inbox:samples/repository:WebServer', there)
    assert.equal((await convert('inbox:samples/repository:WebServer', there)).exact, true)
    const {root} = withDocument((text) => text.replace(/"FriendlyName":"[^"]*"/, '"FriendlyName":"Another"'))
    const renamed = await convert(`inbox:${root}:WebServer`, there)
    const noted = async (note: string) => {
      const {root: more} = withDocument((text) => text)
      writeFileSync(path.join(more, WEB, 'notes.txt'), note)
      return convert(`inbox:${more}:WebServer`, there)
    }
    for (const report of [renamed, await noted('n'), await noted('')]) {
      assert.equal(report.artifacts.at(-1)?.unchanged, true)
      assert.deepEqual([codesOf(report), report.exact], [['metadata-not-written'], false])
    }
  })

  it('is replaced where that is asked for, once, with the files beside the payload', async () => {
    const there = fresh('there')
    const {root: more} = withDocument((text) => text)
    writeFileSync(path.join(more, WEB, 'notes.txt'), 'n')
    await convert(`inbox:${more}:WebServer`, `inbox:${there}`)
    const {root, bytes} = withDocument((text) => text.replace(/"FriendlyName":"[^"]*"/, '"FriendlyName":"Another"'))
    for (const unchanged of [false, true]) {
      const report = await convert(`inbox:${root}:WebServer`, `inbox:${there}`, {replace: true})
      assert.deepEqual([report.artifacts.at(-1)?.unchanged ?? false, report.exact], [unchanged, true])
      assert.deepEqual(readFileSync(path.join(there, WEB, 'metadata.json')), bytes)
      assert.ok(!readdirSync(path.join(there, WEB)).includes('notes.txt'))
    }
  })

  it('is told as lost where it lies beside the payload and nothing can carry it', async () => {
    const {root} = withDocument((text) => text)
    const place = path.join(root, WEB)
    writeFileSync(path.join(place, 'small.txt'), 's')
    writeFileSync(path.join(place, 'disk.vhdx'), 'v')
    const lossesOf = async (destination: string) =>
      (await convert(`inbox:${root}:WebServer`, destination)).losses.filter(({code}) => code === 'not-payload')
    assert.deepEqual(await lossesOf(`inbox:${fresh('packages')}`), [])
    writeFileSync(path.join(place, 'large.bin'), Buffer.alloc(64 * 1024 + 1))
    mkdirSync(path.join(place, 'docs'))
    for (const destination of [`inbox:${fresh('packages')}`, `oci:${fresh('image')}`]) {
      const [loss, ...others] = await lossesOf(destination)
      assert.deepEqual([loss?.subject, others.length], [WEB, 0])
      assert.match(loss!.message, /^'docs' and 1 more were left out: /)
    }
  })

  it('is made of any text that an image has for its name or architecture', async () => {
    const parts = (architecture: string) => async () =>
      partsOf([await layerTarOf(withParents([fileOf('Files/a', 'a')]))], {architecture})
    for (const [architecture, name] of [
      ['constructor', 'app'],
      ['__proto__', 'app'],
      ['amd64', 'x\\ud800y'],
      ['amd64', `${'a/'.repeat(127)}b\\ud83d\\ude00c`],
    ] as const) {
      const file = fresh('source.tar')
      writeFileSync(file, await tarOf(classicMembers(await parts(architecture)())))
      const image = fresh('image')
      await convert(`docker-archive:${file}`, `oci:${image}:NAME`)
      const index = path.join(image, 'index.json')
      writeFileSync(index, readFileSync(index, 'utf8').replaceAll('NAME', name))
      const options = {publisher: 'Contoso', name: 'App', packageVersion: '1.0.0.0'}
      const {artifacts} = await convert(`oci:${image}`, `inbox:${fresh('packages')}`, options)
      assert.equal(artifacts.at(-1)?.identity, 'CN=Contoso_App_1.0.0.0')
    }
  })
})
