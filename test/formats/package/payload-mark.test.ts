import assert from 'node:assert/strict'
import {requireStorable} from '../../../src/formats/package/metadata.js'
import {figuresOf} from '../../../src/formats/package/payload-figures.js'
import {differenceOf, isMarked, markOf, onlyMark} from '../../../src/formats/package/payload-mark.js'
import {decodeFacts, encodeFacts} from '../../../src/formats/package/package-facts.js'
import {digest, storedOf} from '../../helpers/stored-packages.js'

const [A, B] = [digest('a'), digest('b')]

describe('the mark of a payload', () => {
  for (const [note, payload, docker, expected] of [
    ['nothing', {}, undefined, {}],
    ['its digest', {Digest: A}, undefined, {payloadDigest: A}],
    ['its layer', {}, {Layers: [{DiffID: B}]}, {diffId: B}],
    ['both', {Digest: A}, {Layers: [{DiffID: B}]}, {payloadDigest: A, diffId: B}],
    ['an image without layers', {Digest: A}, {Layers: []}, {payloadDigest: A}],
    ['the first of its layers', {}, {Layers: [{DiffID: B}, {DiffID: A}]}, {diffId: B}],
    ['digests that are none', {Digest: 'x'}, {Layers: [{DiffID: 'y'}]}, {}],
  ] as const)
    it(`is what the metadata state: ${note}`, () => {
      assert.deepEqual(markOf(storedOf('App', {payload, ...(docker === undefined ? {} : {docker})})), expected)
    })

  it('is taken out of what has other things besides', () => {
    const more = {publisher: 'CN=a', name: 'b'}
    assert.deepEqual(onlyMark({...more, payloadDigest: A}), {payloadDigest: A})
    assert.deepEqual(onlyMark({...more, diffId: B}), {diffId: B})
    assert.deepEqual(onlyMark({...more, payloadDigest: A, diffId: B}), {payloadDigest: A, diffId: B})
    assert.deepEqual(onlyMark(more as object), {})
  })

  it('tells something with either digest', () => {
    assert.deepEqual([{}, {diffId: A}, {payloadDigest: A}, {diffId: A, payloadDigest: B}].map(isMarked), [
      false,
      true,
      true,
      true,
    ])
  })

  for (const [note, recorded, found, expected] of [
    ['nothing on either side', {}, {}, undefined],
    ['nothing that is recorded', {}, {diffId: A, payloadDigest: B}, undefined],
    ['nothing that is found', {diffId: A, payloadDigest: B}, {}, undefined],
    ['other facts on each side', {diffId: A}, {payloadDigest: B}, undefined],
    ['the same', {diffId: A, payloadDigest: B}, {diffId: A, payloadDigest: B}, undefined],
    ['another layer', {diffId: A}, {diffId: B}, [/layer/, A, B]],
    ['another payload', {payloadDigest: A}, {payloadDigest: B}, [/payload/, A, B]],
    [
      'another payload of the same layer',
      {diffId: A, payloadDigest: A},
      {diffId: A, payloadDigest: B},
      [/payload/, A, B],
    ],
    [
      'another layer of the same payload',
      {diffId: A, payloadDigest: A},
      {diffId: B, payloadDigest: A},
      [/layer/, A, B],
    ],
  ] as const)
    it(`differs by a single fact that both tell: ${note}`, () => {
      const difference = differenceOf(recorded, found)
      if (expected === undefined) {
        assert.equal(difference, undefined)
        return
      }
      const [what, before, after] = expected
      assert.match(difference ?? '', what)
      assert.ok((difference ?? '').indexOf(before) < (difference ?? '').indexOf(after), 'the one recorded comes first')
    })
})

describe('the figures of a payload', () => {
  it('are none without a digest', () => {
    assert.equal(figuresOf(storedOf('App', {payload: {Bytes: 3, Entries: 4}})), undefined)
  })
  it('are zero where they are not stated', () => {
    assert.deepEqual(figuresOf(storedOf('App', {payload: {Digest: A}})), {digest: A, bytes: 0, entries: 0})
    const payload = {Digest: A, Bytes: 3, Entries: 4}
    assert.deepEqual(figuresOf(storedOf('App', {payload})), {digest: A, bytes: 3, entries: 4})
  })
})

describe('what a package says of itself', () => {
  const least = {architecture: 'arm64', isOsImage: true}
  const whole = {
    friendlyName: 'Shop',
    description: 'A shop',
    architecture: 'x64',
    osVersion: '10.0.1.2',
    osFeatures: ['win32k'],
    isOsImage: false,
    isDeleted: true,
  }
  it('is spelt with all that is stated, in one order', () => {
    assert.equal(
      JSON.stringify(encodeFacts(whole)),
      '{"FriendlyName":"Shop","Description":"A shop","Architecture":"x64","OSVersion":"10.0.1.2",' +
        '"OSFeatures":["win32k"],"IsOSImage":false,"IsDeleted":true}',
    )
    assert.equal(JSON.stringify(encodeFacts(least)), '{"Architecture":"arm64","IsOSImage":true}')
  })
  it('comes back, and what is not stated stays absent', () => {
    assert.deepEqual(decodeFacts(encodeFacts(whole)), whole)
    assert.deepEqual(decodeFacts(encodeFacts(least)), least)
    assert.deepEqual(decodeFacts(encodeFacts({...least, isDeleted: false})), {...least, isDeleted: false})
  })

  it('is refused before it is written where it could not be read again', () => {
    const {metadata} = storedOf('App')
    requireStorable(metadata)
    // What it came with is not what is written.
    requireStorable({...metadata, document: {mediaType: 'a', bytes: Buffer.from('no json')}})
    for (const [change, code] of [
      [{createdTime: '2024-13-01T00:00:00Z'}, 'METADATA_INVALID'],
      [{createdTime: 'today'}, 'METADATA_INVALID'],
      [{friendlyName: ''}, 'METADATA_INVALID'],
      [{identity: {...metadata.identity, version: '70000.0.0.0'}}, 'IDENTITY_INVALID'],
    ] as const)
      assert.throws(
        () => {
          requireStorable({...metadata, ...change})
        },
        {code},
      )
  })
})
