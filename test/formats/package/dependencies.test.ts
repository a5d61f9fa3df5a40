import assert from 'node:assert/strict'
import {resolveDependencies} from '../../../src/formats/package/dependencies.js'
import {absentContent, dependencyError} from '../../../src/formats/package/dependency-error.js'
import {dependentsOf} from '../../../src/formats/package/dependents.js'
import type {Repository, StoredPackage} from '../../../src/formats/package/repository.js'
import {InputError} from '../../../src/model/errors.js'
import type {Layer, PayloadMark} from '../../../src/model/image.js'
import {
  digest,
  identityOf,
  keyOfName,
  repositoryWith,
  storedOf,
  type StoredOptions,
} from '../../helpers/stored-packages.js'

const [A, B, C] = [digest('a'), digest('b'), digest('c')]

/** A package on another, of which it records the mark. */
const on = (text: string, below: string | undefined, mark: PayloadMark = {}, more: StoredOptions = {}): StoredPackage =>
  storedOf(text, {
    ...more,
    metadata: {...more.metadata, dependencies: below === undefined ? [] : [{...identityOf(below), ...mark}]},
  })

function resolved(repository: Repository, top: StoredPackage, acceptBaseMismatch = false) {
  const told: string[] = []
  const onMismatch = (message: string) => told.push(message)
  const {packages, missing} = resolveDependencies(repository, top, {acceptBaseMismatch, onMismatch})
  return {packages: packages.map(({entryName}) => entryName.replace('CN=Contoso_', '')), missing, told}
}

describe('what a package depends on', () => {
  it('comes base first', () => {
    const top = on('Shop', 'Web')
    const repository = repositoryWith([top, on('Web', 'Base'), on('Base', undefined)])
    assert.deepEqual(resolved(repository, top), {
      packages: ['Base_1.0.0.0', 'Web_1.0.0.0', 'Shop_1.0.0.0'],
      missing: undefined,
      told: [],
    })
  })

  it('is found in any case, and beside the repository', () => {
    const top = on('Shop', 'WEB')
    const repository = repositoryWith([top], {beside: [on('Web', undefined)]})
    assert.deepEqual(resolved(repository, top).packages, ['Web_1.0.0.0', 'Shop_1.0.0.0'])
  })

  it('is told by its record where it is missing, with who needs it', () => {
    const top = on('Shop', 'Web')
    const {packages, missing} = resolved(repositoryWith([top, on('Web', 'Base', {diffId: A})]), top)
    assert.deepEqual(packages, ['Web_1.0.0.0', 'Shop_1.0.0.0'])
    assert.deepEqual([missing?.code, missing?.identity], ['DEPENDENCY_MISSING', {...identityOf('Base'), diffId: A}])
    assert.match(missing?.why ?? '', /CN=Contoso_Shop_1\.0\.0\.0 -> CN=Contoso_Web_1\.0\.0\.0/)
  })

  it('is told with its other versions, the newest first, and no other packages', () => {
    const top = on('Shop', 'Base 5.0.0.0')
    const versions = ['1.9.0.0', '1.10.0.0', '1.10.0.3', '1.10.0.2', '0.99.0.0']
    const others = versions.map((version) => on(`Base ${version}`, undefined))
    const {missing} = resolved(repositoryWith([top, on('Basement 9.0.0.0', undefined), ...others]), top)
    assert.deepEqual(missing?.why.match(/Base_[0-9.]+[0-9]/g), [
      'Base_1.10.0.3',
      'Base_1.10.0.2',
      'Base_1.10.0.0',
      'Base_1.9.0.0',
      'Base_0.99.0.0',
    ])
    assert.ok(!missing.why.includes('Basement'))
    assert.match(missing.why, /--accept-base-mismatch/)
  })

  it('is told with why it cannot be read', () => {
    const top = on('Shop', 'Base')
    const unreadable = new Map([
      [keyOfName('CN=Contoso_Base_1.0.0.0'), new InputError('NOT_FOUND', {what: 'Half of it.'})],
    ])
    assert.match(resolved(repositoryWith([top], {unreadable}), top).missing?.why ?? '', /Half of it\./)
  })

  it('may be the newest of the other versions where that is accepted, which is told', () => {
    const top = on('Shop', 'Base 5.0.0.0', {diffId: A})
    const others = ['1.0.0.0', '6.0.0.0', '2.0.0.0'].map((version) =>
      on(`Base ${version}`, undefined, {}, {docker: {Layers: [{DiffID: B}]}}),
    )
    const {packages, missing, told} = resolved(repositoryWith([top, ...others]), top, true)
    assert.deepEqual([packages, missing], [['Base_6.0.0.0', 'Shop_1.0.0.0'], undefined])
    // That of another version has another payload goes without saying.
    assert.equal(told.length, 1)
    assert.match(told[0]!, /Base_6\.0\.0\.0.*Base_5\.0\.0\.0/)
  })

  it('is missing all the same where nothing of its name could be accepted', () => {
    const top = on('Shop', 'Base 5.0.0.0')
    assert.equal(resolved(repositoryWith([top]), top, true).missing?.code, 'DEPENDENCY_MISSING')
  })

  it('is no other payload than the one recorded, unless that is accepted', () => {
    const top = on('Shop', 'Base', {payloadDigest: A})
    const repository = repositoryWith([top, on('Base', undefined, {}, {payload: {Digest: B}})])
    const {packages, missing} = resolved(repository, top)
    assert.deepEqual([packages, missing?.code], [['Shop_1.0.0.0'], 'DEPENDENCY_MISMATCH'])
    assert.deepEqual(missing?.identity, {...identityOf('Base'), payloadDigest: A})
    assert.ok(missing.why.includes(A) && missing.why.includes(B))
    const accepted = resolved(repository, top, true)
    assert.deepEqual([accepted.packages, accepted.missing], [['Base_1.0.0.0', 'Shop_1.0.0.0'], undefined])
    assert.deepEqual(
      accepted.told.map((message) => [message.includes('Base_1.0.0.0'), message.includes(A)]),
      [[true, true]],
    )
  })

  for (const [note, mark, right, isTold] of [
    ['by its layer', {diffId: A}, {docker: {Layers: [{DiffID: A}]}}, true],
    ['by its payload', {payloadDigest: A}, {payload: {Digest: A}}, true],
    ['by both', {diffId: A, payloadDigest: C}, {payload: {Digest: C}, docker: {Layers: [{DiffID: A}]}}, true],
    ['not by a layer alone that is another', {diffId: A}, {docker: {Layers: [{DiffID: C}]}}, false],
    [
      'not by a payload of another layer',
      {diffId: A, payloadDigest: C},
      {payload: {Digest: C}, docker: {Layers: [{DiffID: B}]}},
      false,
    ],
    ['not by a payload where the layer is not known', {diffId: A, payloadDigest: C}, {payload: {Digest: C}}, false],
    ['not by what tells nothing', {payloadDigest: A}, {}, false],
  ] as const)
    it(`is told under which other name it is there: ${note}`, () => {
      const top = on('Shop', 'Base', mark)
      const wrong = on('Base', undefined, {}, {payload: {Digest: B}, docker: {Layers: [{DiffID: B}]}})
      for (const [packages, beside] of [
        [[top, wrong, on('Real', undefined, {}, right)], []],
        [[top, wrong], [on('Real', undefined, {}, right)]],
      ] as const) {
        const {missing} = resolved(repositoryWith(packages, {beside}), top)
        assert.equal(missing?.code, 'DEPENDENCY_MISMATCH')
        assert.equal(missing.why.includes('CN=Contoso_Real_1.0.0.0'), isTold, missing.why)
      }
    })

  it('does not go in a circle', () => {
    const top = on('One', 'Two')
    const repository = repositoryWith([top, on('Two', 'Three'), on('Three', 'Two')])
    assert.throws(
      () => resolved(repository, top),
      (error: InputError) => {
        assert.equal(error.code, 'DEPENDENCY_CYCLE')
        assert.match(error.why ?? '', /_One_.* -> .*_Two_.* -> .*_Three_.* -> .*_Two_/)
        return true
      },
    )
    const own = on('Own', 'Own')
    assert.throws(() => resolved(repositoryWith([own]), own), {code: 'DEPENDENCY_CYCLE'})
  })

  for (const [above, below, fits] of [
    ['x64', 'x64', true],
    ['x64', 'neutral', true],
    ['neutral', 'arm64', true],
    ['x64', 'arm64', false],
    ['x86', 'x64', false],
  ] as const)
    it(`is for the same architecture: ${above} on ${below}`, () => {
      const top = on('Shop', 'Base', {}, {metadata: {architecture: above}})
      const repository = repositoryWith([top, on('Base', undefined, {}, {metadata: {architecture: below}})])
      if (fits) assert.equal(resolved(repository, top).packages.length, 2)
      else
        assert.throws(
          () => resolved(repository, top),
          (error: InputError) =>
            error.code === 'DEPENDENCY_MISMATCH' && [above, below].every((each) => error.message.includes(each)),
        )
    })
})

describe('what was made on a package that goes', () => {
  const old = storedOf('Base', {payload: {Digest: A}, docker: {Layers: [{DiffID: A}]}})
  const next = (payload: object, layer?: string) =>
    storedOf('Base', {payload, ...(layer === undefined ? {} : {docker: {Layers: [{DiffID: layer}]}})})
  const unmarked = on('Unmarked', 'Base')
  const marked = on('Marked', 'base', {diffId: A})
  const other = on('Other', 'Else')
  const needed = (before: StoredPackage, after: StoredPackage, replaced: readonly string[] = []) =>
    dependentsOf({old: before, next: after}, [unmarked, marked, other], new Set(replaced)).map(
      (name) => name.split('_')[1],
    )

  for (const [note, after, expected] of [
    ['the same comes', next({Digest: A}, A), []],
    ['the same layer comes, whose payload is not known', next({}, A), ['Unmarked']],
    ['the same payload comes, whose layer is not known', next({Digest: A}), []],
    ['another layer comes', next({Digest: A}, B), ['Unmarked', 'Marked']],
    ['another payload of the same layer comes', next({Digest: B}, A), ['Unmarked']],
    [
      'another package takes its place',
      storedOf('Else', {payload: {Digest: A}, docker: {Layers: [{DiffID: A}]}}),
      ['Unmarked', 'Marked'],
    ],
  ] as const)
    it(`does not fit what comes: ${note}`, () => {
      assert.deepEqual(needed(old, after), expected)
    })

  it('is at rest where a stub goes, but for what was made on another payload', () => {
    const stub = storedOf('Base', {payload: {Kind: 'none'}})
    assert.deepEqual(needed(stub, next({Digest: B}, B)), ['Marked'])
    assert.deepEqual(needed(stub, next({Digest: A}, A)), [])
  })

  it('does not fit where neither tells what its payload is', () => {
    assert.deepEqual(needed(storedOf('Base'), next({})), ['Unmarked'])
  })

  it('fits the layer that was known alone', () => {
    const before = storedOf('Base', {docker: {Layers: [{DiffID: A}]}})
    assert.deepEqual(needed(before, next({Digest: B}, A)), [])
  })

  it('does not count what is replaced as well', () => {
    const key = keyOfName('CN=Contoso_Unmarked_1.0.0.0')
    assert.deepEqual(needed(old, next({Digest: B}, B), [key]), ['Marked'])
  })
})

describe('the error of what cannot be had', () => {
  it('is another for what is missing and for what something else lies in the place of', () => {
    for (const [isMismatch, code] of [
      [true, 'DEPENDENCY_MISMATCH'],
      [false, 'DEPENDENCY_MISSING'],
    ] as const) {
      const error = dependencyError('CN=a_Base_1.0.0.0', {isMismatch, why: 'Because.'})
      assert.deepEqual([error.code, error.at.path, error.why], [code, 'CN=a_Base_1.0.0.0', 'Because.'])
      assert.equal(
        error.suggestions.some((each) => each.includes('--accept-base-mismatch')),
        isMismatch,
      )
      assert.ok(error.suggestions.some((each) => each.includes('--base')))
    }
  })

  it('is that of a package or of a layer, with why it is absent', () => {
    const layer: Layer = {title: 'layer 2', hasContent: false, entries: () => assert.fail()}
    const known = storedOf('Base').metadata
    assert.deepEqual(
      [absentContent(layer).code, absentContent({...layer, package: known}).code],
      ['LAYER_MISSING', 'DEPENDENCY_MISSING'],
    )
    assert.equal(absentContent(layer).at.path, 'layer 2')
    assert.equal(absentContent({...layer, absence: 'It was taken out.'}).why, 'It was taken out.')
    const blob = (urls?: readonly string[]) =>
      ({
        ...layer,
        blob: {
          compression: 'gzip',
          open: () => assert.fail(),
          descriptor: {mediaType: 'a', digest: A, size: 1, ...(urls === undefined ? {} : {urls})},
        },
      }) as Layer
    assert.match(absentContent(blob(['https://a'])).why ?? '', /foreign/)
    assert.doesNotMatch(absentContent(blob()).why ?? '', /foreign/)
  })
})
