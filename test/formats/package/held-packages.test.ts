import assert from 'node:assert/strict'
import {foreseePackage} from '../../../src/formats/package/foresee-package.js'
import {HeldPackages} from '../../../src/formats/package/held-packages.js'
import type {Repository, StoredPackage} from '../../../src/formats/package/repository.js'
import {EnvironmentError, InputError, type TransshipError} from '../../../src/model/errors.js'
import type {Layer, PackageDependency, PayloadMark} from '../../../src/model/image.js'
import type {PackageDraft} from '../../../src/model/transport.js'
import {digest, identityOf, keyOfName, repositoryWith, storedOf} from '../../helpers/stored-packages.js'

const [A, B, C] = [digest('a'), digest('b'), digest('c')]
const layerWith = (mark: PayloadMark): Layer => ({
  title: 'layer',
  hasContent: true,
  entries: () => assert.fail(),
  ...mark,
})

/** A draft of a package with a layer of that mark. */
function draftOf(
  text: string,
  mark: PayloadMark | undefined,
  more: Partial<PackageDraft> = {},
  dependencies: readonly PackageDependency[] = [],
): PackageDraft {
  const {metadata} = storedOf(text, {metadata: {dependencies}})
  return {metadata, form: 'delta', keepRecipe: true, ...(mark === undefined ? {} : {layer: layerWith(mark)}), ...more}
}
/** A package that was made from a layer. */
const madeOf = (
  text: string,
  diffId: string | undefined,
  dependencies: readonly PackageDependency[] = [],
  Kind: 'delta' | 'none' = 'delta',
) =>
  storedOf(text, {
    payload: {Kind},
    metadata: {dependencies, isOsImage: dependencies.length === 0},
    ...(diffId === undefined ? {} : {docker: {Layers: [{DiffID: diffId}]}}),
  })

function held(
  packages: readonly StoredPackage[],
  {
    begun = [],
    accept = false,
    more = {},
  }: {begun?: readonly StoredPackage[]; accept?: boolean; more?: Partial<Repository>} = {},
) {
  const repository = repositoryWith(packages, more)
  const pending = new Map(begun.map((stored) => [keyOfName(stored.entryName), {stored}]))
  return {repository, all: new HeldPackages(() => repository, pending, {acceptBaseMismatch: accept})}
}

describe('packages that a work finds or has begun', () => {
  it('are there already where the layer is the same, without a look into it', () => {
    const there = madeOf('App', A)
    const {all} = held([there])
    assert.equal(all.findSame(draftOf('app', {diffId: A})), there)
    assert.equal(all.findSame(draftOf('App', {diffId: B})), undefined)
    assert.equal(all.findSame(draftOf('App 2.0.0.0', {diffId: A})), undefined)
  })

  it('are those begun before those there', () => {
    const begun = madeOf('App', B)
    const {all} = held([madeOf('App', A)], {begun: [begun]})
    assert.equal(all.findSame(draftOf('App', {diffId: B})), begun)
    assert.equal(all.findSame(draftOf('App', {diffId: A})), undefined)
  })

  it('may lie under the name that a package gets beside another', () => {
    const beside = madeOf('App-aaaaaaaa', A)
    const {all} = held([madeOf('App', B), beside])
    assert.equal(all.findSame(draftOf('App', {diffId: A}, {mayBeRenamed: true})), beside)
    assert.equal(all.findSame(draftOf('App', {diffId: A})), undefined)
    const other = held([madeOf('App', B), madeOf('Other-aaaaaaaa', A)]).all
    assert.equal(other.findSame(draftOf('App', {diffId: A}, {mayBeRenamed: true})), undefined)
    const begun = held([madeOf('App', B)], {begun: [beside]}).all
    assert.equal(begun.findSame(draftOf('App', {diffId: A}, {mayBeRenamed: true})), beside)
  })

  it('are refused where several have the identity, or the disk fails, and only then', () => {
    for (const [error, isThrown] of [
      [new InputError('IDENTITY_CLASH', {what: 'Two.'}), true],
      [new EnvironmentError('NO_ACCESS', {what: 'Denied.'}), true],
      [new InputError('METADATA_INVALID', {what: 'Broken.'}), false],
    ] as const satisfies readonly (readonly [TransshipError, boolean])[]) {
      const {all} = held([], {more: {unreadable: new Map([[keyOfName('CN=Contoso_App_1.0.0.0'), error]])}})
      if (isThrown) assert.throws(() => all.existing(identityOf('App')), error)
      else assert.equal(all.existing(identityOf('App')), undefined)
      assert.equal(all.existing(identityOf('Other')), undefined)
    }
  })

  it('are found by the layer of an operating system, or of a change to another package', () => {
    const os = madeOf('Core', A)
    const change = madeOf('Change', B, [identityOf('Core')])
    const {all} = held([os, change])
    assert.deepEqual(all.findOs(A, undefined), os.metadata.identity)
    assert.equal(all.findOs(B, undefined), undefined)
    assert.deepEqual(all.findOs(B, identityOf('CORE')), change.metadata.identity)
    assert.equal(all.findOs(A, identityOf('Core')), undefined)
    assert.equal(all.findOs(B, identityOf('Other')), undefined)
    // What is to be replaced is not found any more.
    assert.equal(held([os], {begun: [madeOf('Core', C)]}).all.findOs(A, undefined), undefined)
    assert.deepEqual(held([os], {begun: [madeOf('Core', C)]}).all.findOs(C, undefined), os.metadata.identity)
  })

  it('are met where the work wrote them or has found them to be the same', () => {
    const [begun, there] = [madeOf('Begun', A), madeOf('There', B)]
    const {all} = held([there], {begun: [begun]})
    assert.deepEqual([all.isMet(begun), all.isMet(there)], [true, false])
    all.meet(there)
    assert.equal(all.isMet(there), true)
  })

  it('are below a draft, the nearest first, also as the work leaves them', () => {
    const [os, web] = [madeOf('Core', A), madeOf('Web', B, [identityOf('Core')])]
    const begun = madeOf('Web', C, [identityOf('Core')])
    const draft = draftOf('App', {}, {}, [identityOf('Web')])
    assert.deepEqual(held([os, web]).all.lower(draft), [web, os])
    assert.deepEqual(held([os, web], {begun: [begun]}).all.lower(draft), [begun, os])
    assert.deepEqual(held([web]).all.lower(draft), [web])
    assert.deepEqual(held([os]).all.lower(draft), [])
    assert.deepEqual(held([], {more: {beside: [web, os]}}).all.lower(draft), [web, os])
    assert.equal(
      held([madeOf('Own', A, [identityOf('Own')])]).all.lower(draftOf('App', {}, {}, [identityOf('Own')])).length,
      1000,
    )
  })
})

describe('what is recorded of a dependency', () => {
  const recordedOf = (given: ReturnType<typeof held>, dependency: PackageDependency) =>
    given.all.recorded(draftOf('App', {}, {}, [dependency])).metadata.dependencies[0]

  it('is as the draft says where it is not there', () => {
    assert.deepEqual(recordedOf(held([]), {...identityOf('Core'), diffId: A}), {...identityOf('Core'), diffId: A})
  })

  it('is what is there where the draft says no other', () => {
    assert.deepEqual(recordedOf(held([madeOf('Core', A)]), identityOf('Core')), {...identityOf('Core'), diffId: A})
    const more = {...identityOf('Core'), diffId: A, payloadDigest: C}
    assert.deepEqual(recordedOf(held([madeOf('Core', A)]), more), more)
  })

  it('is what the work wrote or found, whatever the draft says', () => {
    const os = madeOf('Core', B)
    assert.deepEqual(recordedOf(held([], {begun: [os]}), {...identityOf('Core'), diffId: A}), {
      ...identityOf('Core'),
      diffId: B,
    })
    const met = held([os])
    met.all.meet(os)
    assert.deepEqual(recordedOf(met, {...identityOf('Core'), diffId: A}), {...identityOf('Core'), diffId: B})
  })

  it('is what a stub stands for, and what the draft says of it besides', () => {
    const stub = madeOf('Core', undefined, [], 'none')
    assert.deepEqual(recordedOf(held([], {begun: [stub]}), {...identityOf('Core'), diffId: A}), {
      ...identityOf('Core'),
      diffId: A,
    })
    const known = madeOf('Core', B, [], 'none')
    const wanted = {...identityOf('Core'), payloadDigest: C}
    assert.deepEqual(recordedOf(held([], {begun: [known]}), wanted), {...wanted, diffId: B})
  })

  it('is refused where something else is there, unless that is accepted', () => {
    const dependency = {...identityOf('Core'), diffId: A}
    assert.throws(
      () => recordedOf(held([madeOf('Core', B)]), dependency),
      (error: InputError) => {
        assert.deepEqual(
          [error.code, error.at.path],
          ['DEPENDENCY_MISMATCH', 'inbox:/repository:CN=Contoso_Core_1.0.0.0'],
        )
        return [A, B, 'CN=Contoso_App_1.0.0.0'].every((each) => error.why?.includes(each))
      },
    )
    assert.deepEqual(recordedOf(held([madeOf('Core', B)], {accept: true}), dependency), dependency)
  })

  it('keeps all else of the draft', () => {
    const draft = draftOf('App', {diffId: A}, {mayBeRenamed: true}, [identityOf('Core')])
    const recorded = held([madeOf('Core', B)]).all.recorded(draft)
    assert.deepEqual(
      {...recorded, metadata: {...recorded.metadata, dependencies: []}},
      {...draft, metadata: {...draft.metadata, dependencies: []}},
    )
  })
})

describe('what a package would find in its place', () => {
  const foreseen = (packages: readonly StoredPackage[], draft: PackageDraft, more: Parameters<typeof held>[1] = {}) => {
    const {all, repository} = held(packages, more)
    return foreseePackage(draft, all, repository)
  }
  const onApp = (mark: PayloadMark) => [{...identityOf('App'), ...mark}]

  for (const [note, packages, draft, expected] of [
    ['nothing', [madeOf('Other', A)], draftOf('App', {diffId: A}), 'none'],
    ['the same layer', [madeOf('App', A)], draftOf('App', {diffId: A}), 'same'],
    ['another layer', [madeOf('App', B)], draftOf('App', {diffId: A}), 'other'],
    [
      'another layer, beside which it will lie',
      [madeOf('App', B)],
      draftOf('App', {diffId: A}, {mayBeRenamed: true}),
      'none',
    ],
    ['what tells no layer', [madeOf('App', undefined)], draftOf('App', {diffId: A}), 'unknown'],
    ['a stub', [madeOf('App', undefined, [], 'none')], draftOf('App', {diffId: A}), 'none'],
    ['a stub of another layer', [madeOf('App', B, [], 'none')], draftOf('App', {diffId: A}), 'other'],
    ['what a stub stands for', [madeOf('App', A)], draftOf('App', undefined, {stubOf: A}), 'same'],
    ['another one than what a stub stands for', [madeOf('App', B)], draftOf('App', undefined, {stubOf: A}), 'other'],
    ['anything at all, for a stub of nothing', [madeOf('App', B)], draftOf('App', undefined), 'same'],
    [
      'what was made on another base',
      [madeOf('App', undefined, [{...identityOf('Core'), diffId: B}])],
      draftOf('App', {diffId: A}, {}, [{...identityOf('Core'), diffId: A}]),
      'other',
    ],
    [
      'what was made on this base',
      [madeOf('App', undefined, [{...identityOf('CORE'), diffId: A}])],
      draftOf('App', {diffId: A}, {}, [{...identityOf('Core'), diffId: A}]),
      'unknown',
    ],
    [
      'what was made on another package',
      [madeOf('App', undefined, [{...identityOf('Else'), diffId: B}])],
      draftOf('App', {diffId: A}, {}, [{...identityOf('Core'), diffId: A}]),
      'unknown',
    ],
  ] as const satisfies readonly (readonly [string, readonly StoredPackage[], PackageDraft, string])[])
    it(`is ${note}: ${expected}`, () => {
      assert.deepEqual(foreseen(packages, draft), {there: expected, neededBy: []})
    })

  it('is needed by what was made on it, and says nothing of what fits', () => {
    const made = [
      madeOf('OnOther', C, onApp({diffId: B})),
      madeOf('OnThis', C, onApp({diffId: A})),
      madeOf('Unmarked', C, onApp({})),
      madeOf('Free', C),
    ]
    const {there, neededBy} = foreseen([madeOf('App', B), ...made], draftOf('App', {diffId: A}))
    assert.deepEqual([there, neededBy], ['other', ['CN=Contoso_OnOther_1.0.0.0', 'CN=Contoso_Unmarked_1.0.0.0']])
    const clashing = [madeOf('Twin', C, onApp({diffId: B}))]
    assert.deepEqual(foreseen([madeOf('App', B)], draftOf('App', {diffId: A}), {more: {clashing}}).neededBy, [
      'CN=Contoso_Twin_1.0.0.0',
    ])
  })

  it('is met from then on where it is the same, and not by a stub that asks for nothing', () => {
    const there = madeOf('App', A)
    for (const [draft, isMet] of [
      [draftOf('App', {diffId: A}), true],
      [draftOf('App', undefined, {stubOf: A}), true],
      [draftOf('App', undefined), false],
    ] as const) {
      const {all, repository} = held([there])
      assert.equal(foreseePackage(draft, all, repository).there, 'same')
      assert.equal(all.isMet(there), isMet)
    }
  })

  it('is told also where its base is another payload now, which is found out when it is written', () => {
    const draft = draftOf('App', {diffId: A}, {}, [{...identityOf('Core'), diffId: A}])
    assert.deepEqual(foreseen([madeOf('Core', B)], draft), {there: 'none', neededBy: []})
  })
})
