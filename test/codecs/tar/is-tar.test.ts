import assert from 'node:assert/strict'
import {isTarStart} from '../../../src/codecs/tar/is-tar.js'
import {encodeTarHeader} from '../../../src/codecs/tar/tar-header.js'
import {RAW_END, rawHeader} from '../../helpers/raw-tar.js'

const V7 = rawHeader({name: 'b', format: 'v7'})

/** The block with a checksum of these characters. */
function summed(block: Buffer, text: string): Buffer {
  const copy = Buffer.from(block)
  copy.fill(0, 148, 156)
  copy.write(text, 148, 'latin1')
  return copy
}

/** The sum of all bytes, its own eight taken as spaces. */
function sumOf(block: Buffer, isSigned = false): number {
  const copy = Buffer.from(block).fill(' ', 148, 156)
  return copy.reduce((sum, byte) => sum + (isSigned && byte > 127 ? byte - 256 : byte), 0)
}

const octal = (value: number) => value.toString(8)
const high = Buffer.from(V7).fill(0x80, 0, 1).fill(0x7f, 1, 2)

describe('the first block of a file', () => {
  for (const [note, block] of [
    ['of ustar', rawHeader({name: 'a'})],
    ['of GNU', rawHeader({name: 'a', format: 'gnu'})],
    ['of star', rawHeader({name: 'a', format: 'star'})],
    ['of version 7, by its checksum', V7],
    ['as transship writes it', encodeTarHeader({name: 'a', typeflag: '0', mode: 0, size: 0, mtime: 0n})],
    ['of an empty tar', RAW_END],
    ['cut behind its magic', rawHeader({name: 'a'}).subarray(0, 263)],
    ['with its magic and a wrong checksum', rawHeader({name: 'a'}).fill('x', 0, 1)],
    ['with more behind it', Buffer.concat([V7, Buffer.alloc(100, 1)]).subarray(0, 512)],
    ['whose checksum is that of signed bytes', summed(high, octal(sumOf(high, true)))],
    ['whose checksum is that of bytes', summed(high, octal(sumOf(high)))],
    ['whose checksum has spaces in front', summed(V7, `  ${octal(sumOf(V7))}\0`)],
    ['whose checksum has spaces behind', summed(V7, `${octal(sumOf(V7))}  \0`)],
    ['whose checksum has seven digits', summed(V7, octal(sumOf(V7)).padStart(7, '0'))],
  ] as const)
    it(`is that of a tar: ${note}`, () => {
      assert.equal(isTarStart(block), true)
    })

  for (const [note, block] of [
    ['nothing', Buffer.alloc(0)],
    ['zeros that are no whole block', Buffer.alloc(511)],
    ['a magic that is cut', rawHeader({name: 'a'}).subarray(0, 262)],
    ['no magic and no whole block', V7.subarray(0, 511)],
    ['another magic', Buffer.from(V7).fill('ustaR', 257, 262)],
    ['a checksum that is one more', summed(V7, octal(sumOf(V7) + 1))],
    ['a checksum that is one less', summed(V7, octal(sumOf(V7) - 1))],
    ['a checksum that is no number', summed(V7, '98')],
    ['a checksum with letters behind', summed(V7, `${octal(sumOf(V7))}x`)],
    ['a checksum of eight digits', summed(V7, octal(sumOf(V7)).padStart(8, '0'))],
    ['no checksum', summed(V7, '')],
    ['text', Buffer.alloc(512, 'some text ')],
  ] as const)
    it(`is not that of a tar: ${note}`, () => {
      assert.equal(isTarStart(block), false)
    })
})
