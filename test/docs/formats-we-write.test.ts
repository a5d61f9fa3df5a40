import assert from 'node:assert/strict'
import {cpSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync, gzipSync} from 'node:zlib'
import {parsePlan} from '../../src/batch/parse-plan.js'
import {convert, inspect, TransshipError, verify} from '../../src/index.js'
import {PROJECT} from '../helpers/snapshot.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const PACKAGE = 'CN=contoso_shop_1.2.0.0'
const CHAIN = {layers: 'chain'} as const

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof TransshipError, 'it was accepted')
  return error.code
}

describe('version 1 of the formats that transship writes', () => {
  const folder = temporaryFolder()
  const at = (...names: readonly string[]) => path.join(folder.path, ...names)
  const inPackage = (repository: string, name: string) => at(repository, PACKAGE, ...name.split('/'))
  const page = readFileSync(path.join(PROJECT, 'docs', 'formats-we-write.md'), 'utf8')

  before(async () => {
    await convert('docker-archive:samples/shop.tar', `inbox:${at('repository')}`, CHAIN)
  })

  /** A copy of the repository in which one file of the top package was changed. */
  function changed(name: string, file: string, change: (bytes: Buffer) => string | Buffer): string {
    cpSync(at('repository'), at(name), {recursive: true, preserveTimestamps: true})
    const target = inPackage(name, file)
    writeFileSync(target, change(readFileSync(target)))
    return `inbox:${at(name)}:${PACKAGE}`
  }
  const withVersion = (version: number) => (bytes: Buffer) =>
    bytes.toString('utf8').replace(/("FormatVersion": ?)1/, `$1${String(version)}`)

  it('is stated where the page says', async () => {
    const marker = '"Format":"transship-repository","FormatVersion":1'
    assert.ok(readFileSync(at('repository', 'repository.json'), 'utf8').includes(marker))
    const metadata = JSON.parse(readFileSync(inPackage('repository', 'metadata.json'), 'utf8')) as {
      Package: {FormatVersion: number}
    }
    assert.equal(metadata.Package.FormatVersion, 1)
    const recipe = gunzipSync(readFileSync(inPackage('repository', 'docker/recipe-0.gz')))
    assert.equal(recipe.subarray(4).toString('latin1').split('\n')[0], 'transship recipe 1')
    await convert(`inbox:samples/repository:CN=Contoso_Shop_1.2.0.0`, `oci:${at('image')}:shop`, {})
    const {config} = await inspect(`oci:${at('image')}:shop`)
    const {Labels} = (config as {config: {Labels: Record<string, string>}}).config
    assert.equal((JSON.parse(Labels['io.transship.package'] ?? '') as {FormatVersion: number}).FormatVersion, 1)
    await convert(`inbox:${at('repository')}:WindowsServerCore`, `appx:${at('os.appx')}`, {
      compression: 'none',
    })
    const appx = readFileSync(at('os.appx')).toString('latin1')
    for (const text of ['urn:transship:package:1', 'ts:ContainerPackage FormatVersion="1"']) {
      assert.ok(appx.includes(text), text)
      assert.ok(page.includes(text), text)
    }
    for (const text of [marker, 'transship recipe 1', 'io.transship.package']) assert.ok(page.includes(text), text)
  })

  it('is refused by name where it is another', async () => {
    const out = `oci:${at('never')}`
    assert.equal(await codeOf(convert(changed('package-2', 'metadata.json', withVersion(2)), out)), 'METADATA_INVALID')
    const recipe = changed('recipe-2', 'docker/recipe-0.gz', (bytes) =>
      gzipSync(Buffer.from(gunzipSync(bytes).toString('latin1').replace('recipe 1', 'recipe 2'), 'latin1')),
    )
    const {faults} = await verify(recipe)
    assert.ok(
      faults.some(({code}) => code === 'RECIPE_CORRUPT'),
      JSON.stringify(faults),
    )
    assert.throws(
      () => parsePlan('version: 2\nitems: []\n', {name: 'plan.yaml', environment: {}}),
      (error) => error instanceof TransshipError && error.code === 'PLAN_INVALID',
    )
    for (const code of ['METADATA_INVALID', 'RECIPE_CORRUPT', 'PLAN_INVALID', 'label-malformed'])
      assert.ok(page.includes(`\`${code}\``), code)
  })

  it('has room for keys of later releases, which a copy keeps', async () => {
    const source = changed('later', 'metadata.json', (bytes) =>
      bytes.toString('utf8').replace('"FormatVersion"', '"FromLater": {"a": [1]}, "FormatVersion"'),
    )
    const before = readFileSync(inPackage('later', 'metadata.json'))
    assert.deepEqual((await verify(source)).faults, [])
    await convert(source, `inbox:${at('copied')}`, CHAIN)
    assert.deepEqual(readFileSync(inPackage('copied', 'metadata.json')), before)
    const {exact, artifacts} = await convert(source, `docker-archive:${at('back.tar')}`, {})
    assert.equal(exact, true)
    const original = await inspect('docker-archive:samples/shop.tar')
    assert.equal(artifacts[0]?.imageId, original.imageId)
  })
})
