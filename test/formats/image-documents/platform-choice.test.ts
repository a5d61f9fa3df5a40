import assert from 'node:assert/strict'
import {
  fitsPlatform,
  formatPlatform,
  formatStated,
  isWantedPlatform,
  listPlatforms,
  parsePlatform,
  platformUnsupported,
  requirePlatform,
  statedPlatform,
  type OfferedPlatform,
} from '../../../src/formats/image-documents/platform-choice.js'
import {assertThrows, assertTold} from '../../helpers/told.js'

const AMD = {os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348.1'}

describe('a platform as it is asked for', () => {
  for (const [text, expected] of [
    ['linux', {os: 'linux'}],
    ['linux/amd64', {os: 'linux', architecture: 'amd64'}],
    ['linux/arm64/v8', {os: 'linux', architecture: 'arm64', variant: 'v8'}],
    ['linux/arm/7', {os: 'linux', architecture: 'arm', variant: '7'}],
    ['linux/x86_64', {os: 'linux', architecture: 'x86_64'}],
    ['windows(10.0.1)', {os: 'windows', osVersion: '10.0.1'}],
    ['windows(10.0.1)/amd64', {os: 'windows', osVersion: '10.0.1', architecture: 'amd64'}],
    ['windows/amd64:10.0.2', {os: 'windows', osVersion: '10.0.2', architecture: 'amd64'}],
    ['windows:10', {os: 'windows', osVersion: '10'}],
    ['windows(1)/amd64:2', {os: 'windows', osVersion: '1', architecture: 'amd64'}],
  ] as const)
    it(`is read: ${text}`, () => {
      assert.deepEqual(parsePlatform(text), expected)
    })

  for (const text of [
    '',
    '/amd64',
    'Windows',
    'linux/',
    'linux/amd64/',
    'windows()/amd64',
    'windows(x)',
    'a b',
    'linux/a/b/c',
  ])
    it(`is refused: '${text}'`, () => {
      assertThrows(() => parsePlatform(text), {code: 'BAD_OPTION', says: [`'${text}'`], advises: true})
    })

  it('is told up to 100 characters', () => {
    assert.throws(
      () => parsePlatform('A'.repeat(200)),
      ({message}: Error) => message.includes('A'.repeat(100)) && !message.includes('A'.repeat(101)),
    )
  })
})

describe('a platform that is stated fits one that is asked for', () => {
  const rows = [
    ['the same', AMD, 'windows(10.0.20348.1)/amd64', true, true],
    ['another system', AMD, 'linux', false, false],
    ['another architecture', AMD, 'windows/arm64', false, false],
    ['the start of its version', AMD, 'windows(10.0.20348)', true, true],
    ['the start with a dot', AMD, 'windows(10.0.20348.)', true, true],
    ['half a number of its version', AMD, 'windows(10.0.203)', false, false],
    ['a longer version', AMD, 'windows(10.0.20348.1.1)', false, false],
    ['no version stated', {os: 'windows'}, 'windows(10.0.1)', true, false],
    ['an empty version stated', {os: 'windows', 'os.version': ''}, 'windows(10.0.1)', true, false],
    ['no architecture stated', {os: 'linux'}, 'linux/amd64', true, false],
    ['an empty architecture stated', {os: 'linux', architecture: ''}, 'linux/amd64', true, false],
    ['no system stated', {architecture: 'amd64'}, 'linux/amd64', true, false],
    ['a variant where none is stated', {os: 'linux', architecture: 'arm64'}, 'linux/arm64/v8', true, true],
    [
      'a variant where an empty one is',
      {os: 'linux', architecture: 'arm64', variant: ''},
      'linux/arm64/v8',
      true,
      true,
    ],
    ['another variant', {os: 'linux', architecture: 'arm', variant: 'v6'}, 'linux/arm/v7', false, false],
    ['any variant', {os: 'linux', architecture: 'arm', variant: 'v6'}, 'linux/arm', true, true],
  ] as const
  for (const [note, stated, asked, maybe, surely] of rows)
    it(`${note}: ${maybe}, and with all that is asked for stated: ${surely}`, () => {
      assert.equal(fitsPlatform(stated, parsePlatform(asked), false), maybe)
      assert.equal(fitsPlatform(stated, parsePlatform(asked), true), surely)
    })

  it('of an image: what it does not state does not fit', () => {
    const platform = {os: 'windows', architecture: 'amd64'}
    assert.equal(isWantedPlatform(platform, parsePlatform('windows/amd64')), true)
    assert.equal(isWantedPlatform(platform, parsePlatform('windows(10.0.1)')), false)
    assert.equal(isWantedPlatform({...platform, osVersion: '10.0.1.5'}, parsePlatform('windows(10.0.1)')), true)
  })
})

describe('a place with one platform', () => {
  const reference = 'oci:x'
  it('is right where none is asked for, or one that fits', () => {
    requirePlatform(AMD, {reference, wanted: undefined})
    requirePlatform(AMD, {reference, wanted: 'windows/amd64'})
    requirePlatform({}, {reference, wanted: 'windows/amd64'})
  })

  it('is refused where another is asked for, with what is there', () => {
    assertThrows(
      () => {
        requirePlatform(AMD, {reference, wanted: 'linux/amd64'})
      },
      {
        code: 'PLATFORM_UNSUPPORTED',
        at: {reference},
        says: ["'oci:x'", 'linux/amd64', 'windows(10.0.20348.1)/amd64'],
        advises: true,
      },
    )
  })

  it('is refused for a platform that is none', () => {
    assertThrows(
      () => {
        requirePlatform(AMD, {reference, wanted: '/'})
      },
      {code: 'BAD_OPTION'},
    )
  })
})

describe('platforms that are offered', () => {
  const numbered = (count: number): OfferedPlatform[] =>
    Array.from({length: count}, (_, index) => ({platform: {os: 'linux', architecture: `a${10 + index}`}}))

  it('are listed once each, in order', () => {
    const offered = [{platform: AMD}, {platform: {os: 'linux', architecture: 'arm64'}}, {platform: AMD}, {}]
    assert.equal(listPlatforms(offered, 20), 'linux/arm64, unknown/unknown, windows(10.0.20348.1)/amd64')
    assert.equal(listPlatforms([], 20), '')
  })

  it('are listed up to a number, and then it is told that there are more', () => {
    assert.equal(listPlatforms(numbered(3), 3), 'linux/a10, linux/a11, linux/a12')
    assert.equal(listPlatforms(numbered(4), 3), 'linux/a10, linux/a11, linux/a12, …')
  })

  it('are offered by what selects them, 20 at most', () => {
    const error = platformUnsupported('darwin', {
      reference: 'docker://host/app',
      offered: [
        {platform: AMD},
        {reference: 'docker://host/app:2', platform: {os: 'linux', architecture: 'amd64'}},
        {},
      ],
    })
    assertTold(error, {code: 'PLATFORM_UNSUPPORTED', at: {reference: 'docker://host/app'}, says: ['darwin']})
    assert.deepEqual(error.suggestions, [
      "--platform 'windows(10.0.20348.1)/amd64'",
      'docker://host/app:2 (linux/amd64)',
      "--platform 'unknown/unknown'",
    ])
    assert.equal(platformUnsupported('darwin', {reference: 'x', offered: numbered(20)}).suggestions.length, 20)
    const many = platformUnsupported('darwin', {reference: 'x', offered: numbered(21)})
    assert.equal(many.suggestions.length, 20)
    assert.ok(many.message.includes('a29, …') && !many.message.includes('a30'))
  })

  for (const [platform, text] of [
    [{}, 'unknown/unknown'],
    [{os: '', architecture: '', variant: '', 'os.version': ''}, 'unknown/unknown'],
    [{os: 'linux', architecture: 'arm64'}, 'linux/arm64'],
    [{os: 'linux', architecture: 'arm64', variant: 'v8'}, 'linux/arm64/v8'],
    [AMD, 'windows(10.0.20348.1)/amd64'],
  ] as const)
    it(`are spelt as they are asked for: ${text}`, () => {
      assert.equal(formatStated(platform), text)
    })

  it('of the model are spelt alike', () => {
    const platform = {os: 'windows', architecture: 'amd64', osVersion: '10.0.20348.1', osFeatures: ['win32k']}
    assert.equal(formatPlatform(platform), 'windows(10.0.20348.1)/amd64')
    assert.equal(formatPlatform({os: 'linux', architecture: 'arm64'}), 'linux/arm64')
    assert.deepEqual(statedPlatform(platform), AMD)
    assert.deepEqual(statedPlatform({os: 'linux', architecture: 'arm64'}), {os: 'linux', architecture: 'arm64'})
  })
})
