import assert from 'node:assert/strict'
import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {fittingPackages, platformOf, selectFitting} from '../../../src/formats/package/fitting-packages.js'
import {packageGrammar} from '../../../src/formats/package/reference.js'
import {distinct, findPackage, isFullName, isMissing, selectPackage} from '../../../src/formats/package/repository.js'
import {InputError, TransshipError} from '../../../src/model/errors.js'
import {formatFullName} from '../../../src/model/package-identity.js'
import {identityOf, keyOfName, repositoryWith, storedOf} from '../../helpers/stored-packages.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const OS = {metadata: {isOsImage: true}}
const BASE = storedOf('Base', OS)
const SHOP = storedOf('Shop 1.2.0.0', {metadata: {dependencies: [identityOf('base')]}})
const NEW_SHOP = storedOf('Shop 2.0.0.0', {metadata: {dependencies: [identityOf('Base')]}})
const WEB = storedOf('Web', {metadata: {dependencies: [identityOf('Base')]}})

function outcome(select: () => {entryName: string}): string {
  try {
    return select().entryName
  } catch (error) {
    assert.ok(error instanceof TransshipError)
    return error.code
  }
}

describe('the package that is selected', () => {
  for (const [note, packages, selector, expected] of [
    ['the only one', [BASE], undefined, BASE.entryName],
    ['the one that nothing depends on', [BASE, SHOP], undefined, SHOP.entryName],
    ['not the system beside it', [BASE, storedOf('Other', OS), SHOP], undefined, SHOP.entryName],
    ['one of two on top', [BASE, SHOP, WEB], undefined, 'AMBIGUOUS_SELECTION'],
    ['one of two systems', [BASE, storedOf('Other', OS)], undefined, 'AMBIGUOUS_SELECTION'],
    ['none', [], undefined, 'NOT_FOUND'],
    ['by its name', [BASE, SHOP], 'Base', BASE.entryName],
    ['by its name in another case', [BASE, SHOP], 'bASE', BASE.entryName],
    ['by its full name', [BASE, SHOP], 'CN=Contoso_Base_1.0.0.0', BASE.entryName],
    ['by its full name in another case', [BASE, SHOP], 'cn=contoso_BASE_1.0.0.0', BASE.entryName],
    ['by name and version', [BASE, SHOP, NEW_SHOP], 'shop_2.0.0.0', NEW_SHOP.entryName],
    ['by name and a short version', [BASE, SHOP, NEW_SHOP], 'Shop_1.2', SHOP.entryName],
    ['by a full name with a short version', [SHOP, NEW_SHOP], 'CN=contoso_Shop_2', NEW_SHOP.entryName],
    ['by a name of two', [SHOP, NEW_SHOP], 'Shop', 'AMBIGUOUS_SELECTION'],
    ['by another version', [SHOP, NEW_SHOP], 'Shop_1.3', 'NOT_FOUND'],
    ['by another name of that version', [SHOP, NEW_SHOP], 'Web_1.2', 'NOT_FOUND'],
    ['by another publisher', [SHOP], 'CN=Other_Shop_1.2', 'NOT_FOUND'],
    ['by what is no version', [SHOP], 'Shop_x', 'NOT_FOUND'],
    ['by a part of its name', [SHOP], 'Sho', 'NOT_FOUND'],
  ] as const)
    it(`is ${note}`, () => {
      assert.equal(
        outcome(() => selectPackage(repositoryWith(packages), selector)),
        expected,
      )
    })

  it('is asked for by references: of those that fit, or of all where none does', () => {
    const repository = repositoryWith([BASE, SHOP, NEW_SHOP])
    const names = (selector: string | undefined) => {
      try {
        return selectPackage(repository, selector)
      } catch (error) {
        assert.ok(error instanceof TransshipError)
        assert.equal(error.at.reference, 'inbox:/repository')
        return error.suggestions.filter((each) => each.startsWith('inbox:')).map((each) => each.split('_')[1])
      }
    }
    assert.deepEqual(names('Shop'), ['Shop', 'Shop'])
    assert.deepEqual(names('None'), ['Base', 'Shop', 'Shop'])
    const many = repositoryWith(Array.from({length: 25}, (_, index) => storedOf(`App${index}`)))
    assert.throws(
      () => selectPackage(many, undefined),
      (error: TransshipError) => error.suggestions.length === 21,
    )
  })

  const broken = new InputError('METADATA_INVALID', {what: 'Broken.'})
  const unreadable = new Map([[keyOfName('CN=Contoso_Lost_1.0.0.0'), broken]])
  for (const [note, packages, selector, expected] of [
    ['by its name', [BASE], 'Lost', 'METADATA_INVALID'],
    ['by its version', [BASE], 'lost_1', 'METADATA_INVALID'],
    ['without a name', [BASE], undefined, 'METADATA_INVALID'],
    ['by the name of one that can be read', [BASE], 'Base', BASE.entryName],
    ['by the name of another that is not there', [BASE], 'Other', 'NOT_FOUND'],
    ['by a name that another version has', [storedOf('Lost 2.0.0.0')], 'Lost', 'CN=Contoso_Lost_2.0.0.0'],
  ] as const)
    it(`may be one that cannot be read: ${note}`, () => {
      assert.equal(
        outcome(() => selectPackage(repositoryWith(packages, {unreadable}), selector)),
        expected,
      )
    })

  it('is one of just that identity, of the place before those beside it', () => {
    const [own, beside] = [storedOf('Base'), storedOf('Base')]
    assert.equal(findPackage({packages: [own], beside: [beside, WEB]}, identityOf('BASE')), own)
    assert.equal(findPackage({packages: [own], beside: [WEB]}, identityOf('Web')), WEB)
    assert.equal(findPackage({packages: [own]}, identityOf('Web')), undefined)
    assert.equal(findPackage({packages: [own]}, identityOf('Base 1.0.0.1')), undefined)
    assert.equal(findPackage({packages: [own, beside]}, identityOf('Base')), own)
  })
})

describe('packages of one identity', () => {
  it('are left out, each a fault, and closed; the others stay with what was found before', () => {
    const closed: string[] = []
    const twin = (entryName: string, name: string) =>
      storedOf(name, {more: {entryName, close: () => closed.push(entryName)}})
    const [one, other, third] = [twin('one', 'Base'), twin('other', 'BASE'), twin('third', 'Base')]
    const before = {code: 'NOT_FOUND', message: 'x', subject: 'lost'}
    const error = new InputError('NOT_FOUND', {what: 'x'})
    const found = distinct({
      packages: [one, SHOP, other, twin('alone', 'Web'), third],
      faults: [before],
      unreadable: new Map([['lost', error]]),
    })
    assert.deepEqual(
      found.packages.map(({entryName}) => entryName),
      [SHOP.entryName, 'alone'],
    )
    assert.deepEqual(
      found.faults.map(({code, subject}) => [code, subject]),
      [
        ['NOT_FOUND', 'lost'],
        ['IDENTITY_CLASH', 'one'],
        ['IDENTITY_CLASH', 'other'],
        ['IDENTITY_CLASH', 'third'],
      ],
    )
    assert.ok(found.faults[1]!.message.includes("'one' and 'other'"))
    assert.deepEqual([...found.unreadable.keys()], ['lost', keyOfName('CN=Contoso_Base_1.0.0.0')])
    assert.equal(found.unreadable.get(keyOfName('CN=Contoso_Base_1.0.0.0'))?.code, 'IDENTITY_CLASH')
    assert.deepEqual(found.clashing, [one, other, third])
    assert.deepEqual(closed, ['one', 'other', 'third'])
  })
})

describe('the platform of a package', () => {
  for (const [architecture, expected] of [
    ['x64', 'amd64'],
    ['x86', '386'],
    ['arm', 'arm'],
    ['arm64', 'arm64'],
    ['neutral', 'amd64'],
  ] as const)
    it(`is Windows on ${expected} for ${architecture}`, () => {
      assert.deepEqual(platformOf(storedOf('App', {metadata: {architecture}})), {os: 'windows', architecture: expected})
    })

  it('has the version and the features that are stated', () => {
    const metadata = {osVersion: '10.0.1.2', osFeatures: ['win32k']}
    assert.deepEqual(platformOf(storedOf('App', {metadata})), {os: 'windows', architecture: 'amd64', ...metadata})
  })

  const of = (name: string, architecture: string, osVersion?: string) =>
    storedOf(name, {metadata: {architecture, ...(osVersion === undefined ? {} : {osVersion})}})
  const ALL = [of('Old', 'x64', '10.0.14393.1'), of('Arm', 'arm64', '10.0.20348.1'), of('Any', 'neutral')]
  const fitting = (wanted: string | undefined) =>
    fittingPackages(repositoryWith(ALL), wanted).map(({entryName}) => entryName.split('_')[1])

  it('is one of those that are asked for', () => {
    assert.deepEqual(fitting(undefined), ['Old', 'Arm', 'Any'])
    assert.deepEqual(fitting('windows/amd64'), ['Old', 'Any'])
    assert.deepEqual(fitting('windows/arm64'), ['Arm', 'Any'])
    assert.deepEqual(fitting('windows(10.0.20348)/arm64'), ['Arm', 'Any'])
    assert.deepEqual(fittingPackages(repositoryWith([]), 'linux/amd64'), [])
    assert.throws(() => fitting('windows//'), {code: 'BAD_OPTION'})
  })

  it('is refused where none is for it, with all that there are', () => {
    assert.throws(
      () => fitting('linux/amd64'),
      (error: TransshipError) => {
        assert.deepEqual([error.code, error.at.reference], ['PLATFORM_UNSUPPORTED', 'inbox:/repository'])
        assert.deepEqual(error.suggestions, [
          `inbox:/repository:${ALL[0]!.entryName} (windows(10.0.14393.1)/amd64)`,
          `inbox:/repository:${ALL[1]!.entryName} (windows(10.0.20348.1)/arm64)`,
          `inbox:/repository:${ALL[2]!.entryName} (windows/amd64)`,
        ])
        return true
      },
    )
  })

  it('chooses among several where none is named, and is held against the one that is', () => {
    const repository = repositoryWith(ALL.slice(0, 2))
    const selected = (selector: string | undefined, wanted: string | undefined) =>
      outcome(() => selectFitting(repository, selector, wanted))
    assert.equal(selected(undefined, 'windows/arm64'), ALL[1]!.entryName)
    assert.equal(selected(undefined, undefined), 'AMBIGUOUS_SELECTION')
    assert.equal(selected('Arm', 'windows/arm64'), ALL[1]!.entryName)
    assert.equal(selected('Arm', 'windows/amd64'), 'PLATFORM_UNSUPPORTED')
    assert.equal(selected('Arm', undefined), ALL[1]!.entryName)
    assert.throws(() => selectFitting(repository, 'Arm', 'windows/amd64'), {
      at: {reference: `inbox:/repository:${ALL[1]!.entryName}`},
    })
    assert.equal(selectFitting(repositoryWith([ALL[2]!]), 'Any', 'windows/arm64'), ALL[2])
  })
})

describe('a reference to a package', () => {
  const {grammar, parse, format} = packageGrammar('inbox', 'REPOSITORY')
  it('is told by its grammar', () => {
    assert.equal(grammar, 'REPOSITORY[:PACKAGE]')
  })
  for (const [location, path_, selector] of [
    ['repo', 'repo', undefined],
    ['repo:App', 'repo', 'App'],
    ['a:b:CN=x_App_1.0.0.0', 'a:b', 'CN=x_App_1.0.0.0'],
    ['a:b/c', 'a:b/c', undefined],
    ['a:b\\c', 'a:b\\c', undefined],
    ['C:\\repo', 'C:\\repo', undefined],
    ['C:/repo:App', 'C:/repo', 'App'],
    ['c:', 'c:', undefined],
    ['C:App', 'C', 'App'],
    ['1:/x', '1:/x', undefined],
  ] as const)
    it(`is parsed and spelt again: ${location}`, () => {
      const reference = parse(location)
      assert.deepEqual(reference, {transport: 'inbox', path: path_, ...(selector === undefined ? {} : {selector})})
      assert.equal(format(reference), `inbox:${location}`)
    })
  for (const location of ['', ':App', 'repo:', ':', 'ab:'])
    it(`is refused: '${location}'`, () => {
      assert.throws(() => parse(location), {code: 'BAD_REFERENCE', suggestions: ['Write inbox:REPOSITORY[:PACKAGE].']})
    })

  it('may have a full name, and no other text is one', () => {
    assert.deepEqual(['CN=a_App_1.0.0.0', formatFullName(identityOf('App'))].map(isFullName), [true, true])
    assert.deepEqual(['App', 'CN=a_App', 'CN=a_App_1.0.0', 'a_App_1.0.0.0', ''].map(isFullName), Array(5).fill(false))
  })
})

describe('a place of packages', () => {
  const folder = temporaryFolder()
  it('is missing only where nothing is there', async () => {
    mkdirSync(path.join(folder.path, 'there'))
    writeFileSync(path.join(folder.path, 'file'), '')
    assert.equal(await isMissing(path.join(folder.path, 'there')), false)
    assert.equal(await isMissing(path.join(folder.path, 'none', 'below')), true)
    const file = path.join(folder.path, 'file')
    await assert.rejects(isMissing(file), {code: 'NOT_FOUND', at: {path: file}})
  })
})
