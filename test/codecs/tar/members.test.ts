import assert from 'node:assert/strict'
import {findTarNumber} from '../../../src/codecs/tar/tar-header.js'
import {readTar} from '../../../src/codecs/tar/tar-reader.js'
import {LIMITS} from '../../../src/model/limits.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {paxMember, rawHeader, RAW_END, rawMember} from '../../helpers/raw-tar.js'

interface Found {
  readonly name: string
  readonly isIllFormed: boolean
  readonly body: string
}

async function membersOf(...parts: readonly Buffer[]): Promise<Found[]> {
  const found: Found[] = []
  for await (const item of readTar(chunked(Buffer.concat([...parts, RAW_END])), {title: 'it'})) {
    if (item.kind !== 'member') continue
    const {name, isIllFormed, content} = item
    found.push({name, isIllFormed, body: (await collect(content.open())).toString('latin1')})
  }
  return found
}

describe('numbers in base 256', () => {
  for (const [bytes, value, note] of [
    [[0x80, 0, 0, 5], 5, 'the top bit alone'],
    [[0x81, 0], 256, 'a bit of the first byte counts'],
    [[0xbf, 0xff], 0x3fff, 'every bit below the sign'],
    [[0xff, 0xff, 0xff], -1, 'below zero'],
    [[0xff, 0xfe], -2, 'below zero, the last byte counts'],
    [[0xc0, 0], -0x4000, 'the sign alone'],
    [[0x80, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 2 ** 53 - 1, 'the largest that a number holds'],
    [[0x80, 0x20, 0, 0, 0, 0, 0, 0], undefined, 'one more'],
  ] as const)
    it(`give ${String(value)}: ${note}`, () => {
      assert.equal(findTarNumber(Uint8Array.from(bytes)), value)
    })
})

describe('members of a tar', () => {
  const ill = Buffer.from([0x61, 0xff])
  for (const [title, header, expected] of [
    ['a name', {name: ill, type: '0'}, true],
    ['the name of a link alone', {name: 'a', type: '2', linkname: ill}, true],
    ['neither', {name: 'ü', type: '2', linkname: 'é'}, false],
  ] as const)
    it(`tell ill-formed UTF-8: ${title}`, async () => {
      assert.deepEqual(
        (await membersOf(rawMember(header as Parameters<typeof rawMember>[0]))).map(({isIllFormed}) => isIllFormed),
        [expected],
      )
    })

  it('may have an extended header of just the limit, and none that is larger', async () => {
    const limit = LIMITS.extension.value
    // A record of seven digits: its length, a space, the key, an equals sign and a line break.
    const text = 'x'.repeat(limit - '1048576 comment=\n'.length)
    const header = paxMember([['comment', text]])
    assert.equal(header.byteLength, 512 + limit)
    assert.deepEqual(
      (await membersOf(header, rawMember({name: 'a'}, 'b'))).map(({name}) => name),
      ['a'],
    )
    const larger = paxMember([['comment', `${text}x`]])
    await assert.rejects(membersOf(larger, rawMember({name: 'a'}, 'b')), /larger than 1 MiB/)
  })

  it('have old sparse maps whose numbers fill their fields, without an end', async () => {
    const number = (value: number) => value.toString(8).padStart(12, '0')
    const map = [number(0), number(3), number(5), number(2)].join('')
    const header = rawHeader({
      name: 's',
      type: 'S',
      format: 'gnu',
      size: 5,
      patch: {386: Buffer.from(map), 482: Buffer.of(0), 483: Buffer.from(number(7))},
    })
    const [member] = await membersOf(header, Buffer.from('abcde'.padEnd(512, '\0')))
    assert.equal(member?.body, 'abc\0\0de')
  })

  it('are refused behind an extended header that nothing follows', async () => {
    await assert.rejects(membersOf(paxMember([['path', 'a']])), /ends after an extended header/)
  })
})
