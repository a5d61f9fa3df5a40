import assert from 'node:assert/strict'
import {
  COSIGN_SUFFIXES,
  cosignTags,
  findDigestTag,
  referrersTag,
} from '../../../src/formats/image-documents/digest-tags.js'
import {parseDigest} from '../../../src/model/digest.js'

const HEX = '0123456789abcdef'.repeat(4)
const SHA256 = parseDigest(`sha256:${HEX}`)
const SHA512 = parseDigest(`sha512:${HEX}${'f'.repeat(64)}`)

describe('tags that are made from a digest', () => {
  it('are its algorithm and its first 64 digits', () => {
    assert.equal(referrersTag(SHA256), `sha256-${HEX}`)
    assert.equal(referrersTag(SHA512), `sha512-${HEX}`)
  })

  it('have three more of cosign', () => {
    assert.deepEqual(COSIGN_SUFFIXES, ['.sig', '.att', '.sbom'])
    assert.deepEqual(cosignTags(SHA256), [`sha256-${HEX}.sig`, `sha256-${HEX}.att`, `sha256-${HEX}.sbom`])
  })

  for (const [tag, suffix] of [
    [`sha256-${HEX}`, undefined],
    [`sha256-${HEX}.sig`, '.sig'],
    [`sha256-${HEX}.att`, '.att'],
    [`sha256-${HEX}.sbom`, '.sbom'],
  ] as const)
    it(`are known again: with ${String(suffix)}`, () => {
      assert.deepEqual(findDigestTag(tag), {subject: SHA256, suffix})
    })

  for (const tag of [
    '',
    'latest',
    `sha256:${HEX}`,
    `sha256-${HEX.slice(1)}`,
    `sha256-${HEX}0`,
    `sha256-${HEX.toUpperCase()}`,
    `sha512-${HEX}`,
    `xsha256-${HEX}`,
    `sha256-${HEX}.txt`,
    `sha256-${HEX}.sig.sig`,
    `sha256-${HEX}.`,
  ])
    it(`are not: '${tag.slice(0, 12)}… of ${tag.length}'`, () => {
      assert.equal(findDigestTag(tag), undefined)
    })
})
