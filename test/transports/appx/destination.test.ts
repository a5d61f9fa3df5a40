import assert from 'node:assert/strict'
import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, inspect, list, planConversion, TransshipError, verify} from '../../../src/index.js'
import {lookAt} from '../../helpers/refusals.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const SHOP = 'inbox:samples/repository:Shop'
const OS = 'CN=Microsoft_WindowsServerCore_10.0.14393.206'
const WEB = 'CN=Contoso_WebServer_1.0.0.0'
const TOP = 'CN=Contoso_Shop_1.2.0.0'

const isCode = (code: string) => (error: unknown) => error instanceof TransshipError && error.code === code

describe('the transport appx', () => {
  const folder = temporaryFolder()
  let count = 0
  const fresh = () => {
    const made = path.join(folder.path, String(count++))
    mkdirSync(made)
    return made
  }

  it('writes a file of each package into a folder, and nothing else', async () => {
    const place = fresh()
    const {artifacts} = await convert(SHOP, `appx:${place}/deep/x`)
    assert.deepEqual(readdirSync(`${place}/deep/x`), [`${TOP}.appx`, `${WEB}.appx`, `${OS}.appx`])
    assert.deepEqual(
      artifacts.map(({reference}) => reference),
      [OS, WEB, TOP].map((name) => `appx:${place}/deep/x:${name}`),
    )
  })

  it('writes the package on top into a file, and tells what is left out as a loss', async () => {
    const place = fresh()
    const report = await convert(SHOP, `appx:${place}/shop.appx`)
    assert.deepEqual(readdirSync(place), ['shop.appx'])
    assert.deepEqual(
      report.losses.map(({code, subject}) => [code, subject]),
      [OS, WEB].map((name) => ['dependency-left-out', name]),
    )
    const {layers} = await inspect(`appx:${place}/shop`)
    assert.deepEqual(
      layers.map(({title, hasContent}) => `${title} ${hasContent}`),
      [`${WEB} false`, `${TOP} true`],
    )
    await assert.rejects(convert(SHOP, `appx:${place}/strict.appx`, {strict: true}), isCode('LOSS_REFUSED'))
    assert.deepEqual(readdirSync(place), ['shop.appx'])
    const plan = await planConversion(SHOP, `appx:${place}/plan.appx`)
    assert.deepEqual(
      plan.steps.map(({title}) => title),
      [TOP],
    )
  })

  it('refuses a second package for one file', async () => {
    const place = fresh()
    await assert.rejects(
      convert('inbox:samples/repository', `appx:${place}/all.appx`, {all: true}),
      (error) =>
        error instanceof TransshipError && error.code === 'BAD_OPTION' && error.message.includes('one package'),
    )
    assert.deepEqual(readdirSync(place), [])
  })

  it('finds what a file depends on beside it, by name or by content, or with --base', async () => {
    const place = fresh()
    await convert(SHOP, `appx:${place}`)
    const layersOf = async (reference: string) =>
      (await inspect(reference)).layers.map(({title, hasContent}) => `${title} ${hasContent}`)
    const all = [OS, WEB, TOP].map((name) => `${name} true`)
    assert.deepEqual(await layersOf(`appx:${place}/${TOP}.appx`), all)
    renameSync(`${place}/${WEB}.appx`, `${place}/web.appx`)
    assert.deepEqual(await layersOf(`${place}/${TOP}.appx`), all)
    const alone = fresh()
    cpSync(`${place}/${TOP}.appx`, `${alone}/shop.appx`)
    assert.deepEqual(await layersOf(`appx:${alone}/shop.appx`), [`${WEB} false`, `${TOP} true`])
    const back = await convert(`appx:${alone}/shop.appx`, `docker-archive:${alone}/back.tar`, {
      bases: [SHOP, `appx:${place}:WebServer`],
    })
    assert.equal(back.artifacts[0]!.layers.length, 3)
  })

  it('leaves a package that is there already', async () => {
    const place = fresh()
    await convert('docker-archive:samples/shop.tar', `appx:${place}`, {layers: 'chain'})
    const before = lookAt(place)
    const again = await convert('docker-archive:samples/shop.tar', `appx:${place}`, {layers: 'chain'})
    assert.deepEqual(
      again.artifacts.map(({unchanged}) => unchanged),
      [true, true, true],
    )
    assert.deepEqual(lookAt(place), before)
    const file = fresh()
    await convert(SHOP, `appx:${file}/shop.appx`)
    const one = lookAt(file)
    await convert(SHOP, `appx:${file}/shop.appx`)
    assert.deepEqual(lookAt(file), one)
  })

  it('refuses another package of that identity, and replaces it in its place when that is asked for', async () => {
    const place = fresh()
    await convert(SHOP, `appx:${place}`)
    renameSync(`${place}/${TOP}.appx`, `${place}/shop.appx`)
    const before = lookAt(place)
    const named = {publisher: 'CN=Contoso', name: 'Shop', packageVersion: '1.2.0.0', withoutBase: true}
    const source = 'docker-archive:samples/shop.tar'
    await assert.rejects(convert(source, `appx:${place}`, named), isCode('IDENTITY_CLASH'))
    assert.deepEqual(lookAt(place), before)
    await convert(source, `appx:${place}`, {...named, replace: true})
    assert.deepEqual(readdirSync(place).sort(), [`${OS}.appx`, `${WEB}.appx`, 'shop.appx'].sort())
    assert.notDeepEqual(lookAt(place), before)
    assert.deepEqual((await verify(`appx:${place}`)).faults, [])
  })

  it('refuses to overwrite what is another package or none, unless that is asked for', async () => {
    const place = fresh()
    writeFileSync(`${place}/notes.appx`, 'no package')
    mkdirSync(`${place}/x`)
    writeFileSync(`${place}/x/${TOP}.appx`, 'no package')
    const before = lookAt(place)
    await assert.rejects(convert(SHOP, `appx:${place}/notes.appx`), isCode('DESTINATION_EXISTS'))
    await assert.rejects(convert(SHOP, `appx:${place}/x`), isCode('DESTINATION_EXISTS'))
    assert.deepEqual(lookAt(place), before)
    await convert(SHOP, `appx:${place}/notes.appx`, {replace: true})
    await convert(SHOP, `appx:${place}/x`, {replace: true})
    assert.deepEqual((await verify(`appx:${place}/x`)).faults, [])
    assert.equal((await inspect(`appx:${place}/notes.appx`)).names[0], TOP)
  })

  it('cleans up what a writer that was killed has left, and no more', async () => {
    const place = fresh()
    await convert(SHOP, `appx:${place}`)
    mkdirSync(`${place}/.appx-tmp-0123456789ab/replaced`, {recursive: true})
    renameSync(`${place}/${WEB}.appx`, `${place}/.appx-tmp-0123456789ab/replaced/${WEB}.appx`)
    mkdirSync(`${place}/.tmp-of-others`)
    await convert(SHOP, `appx:${place}`)
    assert.deepEqual(readdirSync(place).sort(), ['.tmp-of-others', `${OS}.appx`, `${WEB}.appx`, `${TOP}.appx`].sort())
  })

  it('selects as a repository does, and recognises bare paths', async () => {
    const place = fresh()
    await convert(SHOP, `appx:${place}`)
    for (const selector of ['Shop', 'Shop_1.2', TOP, TOP.toLowerCase()])
      assert.equal((await inspect(`appx:${place}:${selector}`)).names[0], TOP)
    assert.equal((await list(place)).items.length, 3)
    assert.equal((await list(`${place}/${TOP}.appx`)).items[0]!.reference, `appx:${place}/${TOP}.appx`)
    await assert.rejects(inspect(`appx:${place}:Other`), isCode('NOT_FOUND'))
  })

  it('stores parts when no compression is wanted, and takes no zstd', async () => {
    const place = fresh()
    await convert(SHOP, `appx:${place}/stored`, {compression: 'none'})
    await convert(SHOP, `appx:${place}/small`, {compressionLevel: 9})
    const sizeOf = (name: string) => readFileSync(`${place}/${name}/${TOP}.appx`).length
    assert.ok(sizeOf('stored') > sizeOf('small'))
    assert.deepEqual((await verify(`appx:${place}/stored`)).faults, [])
    await assert.rejects(convert(SHOP, `appx:${place}/zstd`, {compression: 'zstd'}), isCode('BAD_OPTION'))
    assert.ok(!existsSync(`${place}/zstd`))
  })

  it('tells of a dependency that is gone', async () => {
    const place = fresh()
    await convert(SHOP, `appx:${place}`)
    rmSync(`${place}/${WEB}.appx`)
    const faults = (await verify(`appx:${place}`)).faults.map(({code}) => code)
    assert.deepEqual(faults, ['DEPENDENCY_MISSING'])
  })
})
