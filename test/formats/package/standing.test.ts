import assert from 'node:assert/strict'
import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {identityClash, requireUnneeded} from '../../../src/formats/package/identity-clash.js'
import {encodeDocument} from '../../../src/formats/package/metadata.js'
import {draftBeside, identityTaken, isBeside, saysOther, standingOf} from '../../../src/formats/package/standing.js'
import type {DockerJson, PayloadJson} from '../../../src/formats/package/schema.js'
import {isSameAsStored, type WrittenPackage} from '../../../src/formats/package/write-package.js'
import {FolderFiles} from '../../../src/formats/transport-layout/folder-files.js'
import {digestOf} from '../../../src/model/digest.js'
import type {InputError} from '../../../src/model/errors.js'
import type {Layer, PackageDependency} from '../../../src/model/image.js'
import type {PackageDraft} from '../../../src/model/transport.js'
import {contentOf} from '../../../src/model/content.js'
import {digest, identityOf, storedOf} from '../../helpers/stored-packages.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const [A, B] = [digest('a'), digest('b')]
const CONFIG = {mediaType: 'c', bytes: Buffer.from('{}')}
const CONFIG_DIGEST = digestOf(CONFIG.bytes)
const MANIFEST = {mediaType: 'm', bytes: Buffer.from('[]')}
const PIN = {
  descriptor: {mediaType: 'p', digest: digest('f'), size: 1},
  compression: 'gzip',
  open: () => contentOf(Buffer.from('p')).open(),
} as const
const DOCUMENT = {mediaType: 'd', digest: digest('d'), bytes: Buffer.from('d')}
const COMPANIONS = {content: {documents: [DOCUMENT], blobs: [], absent: []}, referrers: [], lacking: []}

const layer: Layer = {title: 'layer', hasContent: true, diffId: A, entries: () => assert.fail()}
const draftOf = (more: Partial<PackageDraft> = {}, dependencies: readonly PackageDependency[] = []): PackageDraft => ({
  metadata: storedOf('App', {metadata: {dependencies}}).metadata,
  form: 'delta',
  keepRecipe: true,
  layer,
  ...more,
})
interface There {
  readonly payload?: Partial<PayloadJson>
  readonly docker?: DockerJson
  readonly dependencies?: readonly PackageDependency[]
}
const RECIPE = {DiffID: A, Recipe: 'docker/recipe-0.gz'}
const WHOLE: DockerJson = {ConfigDigest: CONFIG_DIGEST, Layers: [RECIPE]}
const there = ({payload = {Digest: A}, docker = WHOLE, dependencies = []}: There = {}) =>
  storedOf('App', {payload, docker, metadata: {dependencies}})
/** What was written of the draft: a payload of that digest, made of a layer. */
const written = (payloadDigest: typeof A | undefined = A, docker: DockerJson = {Layers: [RECIPE]}): WrittenPackage => ({
  folder: '/work/App',
  stored: storedOf('App', {payload: {Digest: payloadDigest}, docker}),
  payload: {form: 'delta', entries: 1, bytes: 1, digest: payloadDigest},
  bytesWritten: 1,
})

describe('a package that was written, and the one of its identity', () => {
  const image = {names: [], config: CONFIG}
  const on = (mark: object) => [{...identityOf('Base'), ...mark}]
  for (const [note, draft, made, found, expected] of [
    ['the same', draftOf(), written(), there(), 'same'],
    ['the same image', draftOf({image}), written(), there(), 'same'],
    ['names alone, without a configuration', draftOf({image: {names: ['a']}}), written(), there(), 'same'],
    ['another payload', draftOf(), written(B), there(), 'other'],
    ['the same payload of another layer', draftOf(), written(A, {Layers: [{DiffID: B}]}), there(), 'other'],
    [
      'the same payload, whose layer is not known there',
      draftOf(),
      written(),
      there({docker: {ConfigDigest: CONFIG_DIGEST}}),
      'same',
    ],
    ['the same payload, whose layer was not known', draftOf(), written(A, {}), there(), 'same'],
    [
      'another image',
      draftOf({image: {names: [], config: {...CONFIG, bytes: Buffer.from('[]')}}}),
      written(),
      there(),
      'other',
    ],
    ['an image where there was none', draftOf({image}), written(), there({docker: {Layers: [RECIPE]}}), 'supplement'],
    [
      'an image where there was none, of another payload',
      draftOf({image}),
      written(B),
      there({docker: {Layers: [RECIPE]}}),
      'other',
    ],
    ['an image of what never was one', draftOf({image}), written(), storedOf('App', {payload: {Digest: A}}), 'other'],
    ['the same on the same', draftOf({}, on({diffId: A})), written(), there({dependencies: on({diffId: A})}), 'same'],
    ['the same on another', draftOf({}, on({diffId: A})), written(), there({dependencies: on({diffId: B})}), 'other'],
    [
      'the same on another package',
      draftOf({}, on({})),
      written(),
      there({dependencies: [identityOf('Else')]}),
      'other',
    ],
    ['the same on nothing', draftOf({}, on({})), written(), there(), 'other'],
    ['a form more', draftOf({layer: {...layer, pins: [PIN]}, pins: 'keep'}), written(), there(), 'supplement'],
    ['a form more that is not to be kept', draftOf({layer: {...layer, pins: [PIN]}}), written(), there(), 'same'],
    ['a companion more', draftOf({image: {names: [], companions: COMPANIONS}}), written(), there(), 'supplement'],
    [
      'a manifest where there was none',
      draftOf({image: {...image, manifest: MANIFEST}}),
      written(),
      there(),
      'supplement',
    ],
    [
      'another manifest of the same image, with forms and companions more',
      draftOf({
        image: {...image, manifest: MANIFEST, companions: COMPANIONS},
        layer: {...layer, pins: [PIN]},
        pins: 'keep',
      }),
      written(),
      there({docker: {...WHOLE, ManifestDigest: B}}),
      'same',
    ],
    [
      'a companion more, without the recipe there',
      draftOf({image: {names: [], companions: COMPANIONS}}),
      written(),
      there({docker: {ConfigDigest: CONFIG_DIGEST, Layers: [{DiffID: A}]}}),
      'other',
    ],
    [
      'a form more, on another',
      draftOf({layer: {...layer, pins: [PIN]}, pins: 'keep'}, on({diffId: A})),
      written(),
      there({dependencies: on({diffId: B})}),
      'other',
    ],
    [
      'what a stub stands for',
      draftOf(),
      written(),
      there({payload: {Kind: 'none'}, docker: {Layers: [{DiffID: A}]}}),
      'supplement',
    ],
    [
      'another than what a stub stands for',
      draftOf(),
      written(),
      there({payload: {Kind: 'none'}, docker: {Layers: [{DiffID: B}]}}),
      'other',
    ],
    [
      'anything for a stub of nothing',
      draftOf(),
      written(),
      there({payload: {Kind: 'none'}, docker: {}}),
      'supplement',
    ],
    ['a stub', draftOf({layer: undefined as never}), {...written(), payload: undefined}, there(), 'other'],
  ] as const)
    it(`stand so to each other: ${note}, ${expected}`, () => {
      assert.equal(standingOf(draft, made, found), expected)
    })
})

describe('a package with the same content', () => {
  const image = {names: [], config: CONFIG, manifest: MANIFEST}
  const document = {mediaType: 'd', bytes: Buffer.from('{}')}
  const {metadata} = draftOf()
  const own = (more: object = {}) => draftOf({isLast: true, metadata: {...metadata, document, ...more}})
  const attached = (text: string) => ({attachments: {'notes.txt': Buffer.from(text)}})
  const folder = temporaryFolder()
  let made = 0
  const holding = (text?: string) => () => {
    const root = path.join(folder.path, String(made++))
    mkdirSync(root)
    if (text !== undefined) writeFileSync(path.join(root, 'notes.txt'), text)
    return {...there(), files: new FolderFiles(root, 'App')}
  }
  for (const [note, draft, found, expected] of [
    ['a draft without words and image', draftOf(), () => there(), false],
    [
      'the same manifest',
      draftOf({image}),
      () => there({docker: {...WHOLE, ManifestDigest: digestOf(MANIFEST.bytes)}}),
      false,
    ],
    ['no manifest there', draftOf({image}), () => there(), false],
    ['another manifest', draftOf({image}), () => there({docker: {...WHOLE, ManifestDigest: B}}), true],
    [
      'another manifest, without the recipe',
      draftOf({image}),
      () => there({docker: {ConfigDigest: CONFIG_DIGEST, ManifestDigest: B, Layers: [{DiffID: A}]}}),
      false,
    ],
    ['the same words', own(), holding(), false],
    ['another friendly name', own({friendlyName: 'Other'}), holding(), true],
    ['another time', own({createdTime: '2020-01-01T00:00:00.0000000Z'}), holding(), true],
    ['deleted', own({isDeleted: true}), holding(), true],
    ['not deleted, and nothing said of it', own({isDeleted: false}), holding(), false],
    ['other words of what it lies on', {...own({friendlyName: 'Other'}), isLast: false}, () => there(), false],
    [
      'other words of an image, which no document said',
      draftOf({isLast: true, metadata: {...metadata, friendlyName: 'O'}}),
      () => there(),
      false,
    ],
    ['a file beside the payload', own(attached('n')), holding(), true],
    ['that file with other bytes', own(attached('n')), holding('m'), true],
    ['that file', own(attached('n')), holding('n'), false],
    ['a file there alone', own(), holding('n'), false],
  ] as const)
    it(`says ${expected ? 'other things' : 'the same'}: ${note}`, () => {
      assert.equal(saysOther(draft, found()), expected)
    })
})

describe('a package that is there already, as far as can be told without its layer', () => {
  const {diffId: _, ...unnamed} = layer
  for (const [note, draft, found, expected] of [
    ['the same layer', draftOf(), there(), true],
    ['another layer', draftOf({layer: {...layer, diffId: B}}), there(), false],
    ['another form', draftOf({form: 'base'}), there(), false],
    ['a stub there', draftOf(), there({payload: {Kind: 'none'}}), false],
    ['no layer known there', draftOf(), there({docker: {ConfigDigest: CONFIG_DIGEST}}), false],
    ['another image', draftOf({image: {names: [], config: {...CONFIG, bytes: Buffer.from('[]')}}}), there(), false],
    ['another base', draftOf({}, [{...identityOf('Base')}]), there(), false],
    ['a form more', draftOf({layer: {...layer, pins: [PIN]}, pins: 'keep'}), there(), false],
    [
      'a form that is kept there',
      draftOf({layer: {...layer, pins: [PIN]}, pins: 'keep'}),
      there({
        docker: {
          ...WHOLE,
          Layers: [
            {...RECIPE, Pins: [{MediaType: 'p', Digest: digest('f'), Size: 1, Compression: 'gzip', File: 'docker/f'}]},
          ],
        },
      }),
      true,
    ],
    ['a companion more', draftOf({image: {names: [], companions: COMPANIONS}}), there(), false],
    ['a payload of that digest', draftOf({layer: {...unnamed, payloadDigest: A}}), there(), true],
    ['a payload of another digest', draftOf({layer: {...unnamed, payloadDigest: B}}), there(), false],
    ['a payload of no digest', draftOf({layer: unnamed}), there({payload: {}}), false],
    ['a stub of that layer', draftOf({layer: undefined as never, stubOf: A}), there(), true],
    ['a stub of another layer', draftOf({layer: undefined as never, stubOf: B}), there(), false],
    ['a stub of nothing', draftOf({layer: undefined as never}), there(), true],
  ] as const)
    it(`is ${expected ? 'that' : 'not that'}: ${note}`, () => {
      assert.equal(isSameAsStored(draft, found), expected)
    })
})

describe('the name of a package beside another', () => {
  it('ends in the first digits of its own digest, and the draft keeps all but its document', () => {
    const draft = draftOf({mayBeRenamed: true})
    const extensions = {'vendor/1': {a: 1}}
    const bytes = encodeDocument({...draft.metadata, extensions}, undefined, {References: ['app:1']})
    const document = {mediaType: 'a', bytes}
    const beside = draftBeside(
      {...draft, metadata: {...draft.metadata, document}},
      `sha256:0123456789${'a'.repeat(54)}`,
    )
    assert.deepEqual(beside, {
      ...draft,
      mayBeRenamed: false,
      metadata: {...draft.metadata, extensions, identity: identityOf('App-01234567')},
    })
  })

  it('is cut to the longest that a name may be', () => {
    const named = (length: number) =>
      draftBeside(draftOf({metadata: {...draftOf().metadata, identity: identityOf('n'.repeat(length))}}), A).metadata
        .identity.name
    assert.equal(named(41), `${'n'.repeat(41)}-aaaaaaaa`)
    assert.equal(named(42), `${'n'.repeat(41)}-aaaaaaaa`)
  })

  for (const [candidate, name, expected] of [
    ['App-01234567', 'App', true],
    ['APP-01234567', 'App', true],
    ['App-0123456', 'App', false],
    ['App-0123456g', 'App', false],
    ['App01234567', 'App', false],
    ['Other-01234567', 'App', false],
    [`${'n'.repeat(41)}-01234567`, 'n'.repeat(50), true],
  ] as const)
    it(`is known again: ${candidate} ${expected ? 'is' : 'is not'} beside ${name}`, () => {
      assert.equal(isBeside(identityOf(candidate), identityOf(name)), expected)
      assert.equal(isBeside(identityOf(`${candidate} 2.0.0.0`), identityOf(name)), false)
    })

  it('is told as a note on the name that was taken', () => {
    const event = identityTaken(identityOf('App'), identityOf('App-01234567'))
    assert.ok(event.kind === 'note')
    assert.deepEqual(
      [event.code, event.subject, event.message.includes('CN=Contoso_App-01234567_1.0.0.0')],
      ['identity-taken', 'CN=Contoso_App_1.0.0.0', true],
    )
  })
})

describe('the error for an identity that another package has', () => {
  const clash = {
    written: written(B),
    there: there(),
    isOwn: false,
    reference: 'inbox:a',
    neededBy: [] as readonly string[],
  }
  it('names both payloads and the image, and how to replace it', () => {
    const error = identityClash(clash)
    assert.deepEqual([error.code, error.at.reference], ['IDENTITY_CLASH', 'inbox:a'])
    for (const each of [A, B, CONFIG_DIGEST]) assert.ok(error.why?.includes(each), each)
    assert.ok(error.suggestions.some((each) => each.includes('--name')))
    assert.ok(error.suggestions.some((each) => each.includes('--replace')))
    assert.ok(!identityClash({...clash, there: there({docker: {}})}).why?.includes('image'))
  })
  it('does not advise to replace what others need, nor what the same work wrote', () => {
    const advises = (error: InputError) => error.suggestions.some((each) => each.includes('--replace'))
    const needed = identityClash({...clash, neededBy: ['CN=a_Needing_1.0.0.0']})
    assert.deepEqual([advises(needed), needed.why?.includes('CN=a_Needing_1.0.0.0')], [false, true])
    const own = identityClash({...clash, isOwn: true, neededBy: ['CN=a_Needing_1.0.0.0']})
    assert.deepEqual([advises(own), own.why?.includes('CN=a_Needing_1.0.0.0')], [false, false])
  })
  it('is thrown for a package only where others need it', () => {
    requireUnneeded(there(), [], 'inbox:a')
    assert.throws(
      () => {
        requireUnneeded(there(), ['CN=a_Needing_1.0.0.0'], 'inbox:a')
      },
      (error: InputError) =>
        error.code === 'IDENTITY_CLASH' &&
        error.at.reference === 'inbox:a' &&
        error.why?.includes('CN=a_Needing_1.0.0.0') === true,
    )
  })
})
