import assert from 'node:assert/strict'
import {parseCompression, parseLayers, parseOsLayers, parseSize} from '../../src/convert/option-text.js'
import {formatRange} from '../../src/terminal/convert-text.js'

describe('flags of convert', () => {
  for (const [text, bytes] of [
    ['0', 0],
    ['1048576', 2 ** 20],
    ['17B', 17],
    ['64KiB', 64 * 2 ** 10],
    ['64k', 64 * 2 ** 10],
    ['64GiB', 64 * 2 ** 30],
    ['64 GB', 64e9],
    ['1.5g', 1.5 * 2 ** 30],
    ['2TB', 2e12],
  ] as const) {
    it(`takes --max-unpacked ${text}`, () => {
      assert.equal(parseSize(text), bytes)
    })
  }

  for (const text of ['', 'GiB', '-1', '1e9', '1 PiB', '1i', '0x10', '99999999999TiB', '1..5']) {
    it(`refuses --max-unpacked '${text}' as a usage error`, () => {
      assert.throws(() => parseSize(text), {code: 'BAD_OPTION', exitCode: 2})
    })
  }

  for (const {text, expected} of [
    {text: 'none', expected: {compression: 'none'}},
    {text: 'gzip', expected: {compression: 'gzip'}},
    {text: 'gzip:9', expected: {compression: 'gzip', compressionLevel: 9}},
    {text: 'zstd:19', expected: {compression: 'zstd', compressionLevel: 19}},
  ]) {
    it(`takes --compression ${text}`, () => {
      assert.deepEqual(parseCompression(text), expected)
    })
  }

  for (const text of [
    '',
    'lzma',
    'none:1',
    'gzip:',
    'gzip:0',
    'gzip:10',
    'gzip:1:2',
    'zstd:23',
    'zstd:-1',
    'gzip:1.5',
  ]) {
    it(`refuses --compression '${text}' as a usage error`, () => {
      assert.throws(() => parseCompression(text), {code: 'BAD_OPTION', exitCode: 2})
    })
  }

  for (const {text, expected} of [
    {text: 'chain', expected: {layers: 'chain'}},
    {text: 'squash', expected: {layers: 'squash'}},
    {text: 'squash:2..5', expected: {layers: 'squash', squashRange: {from: 2, to: 5}}},
    {text: 'squash:0..0', expected: {layers: 'squash', squashRange: {from: 0, to: 0}}},
  ]) {
    it(`takes --layers ${text}`, () => {
      assert.deepEqual(parseLayers(text), expected)
    })
  }

  for (const text of ['', 'flat', 'squash:', 'squash:1', 'squash:5..2', 'squash:-1..2', 'squash:1..x', 'chain:1..2']) {
    it(`refuses --layers '${text}' as a usage error`, () => {
      assert.throws(() => parseLayers(text), {code: 'BAD_OPTION', exitCode: 2})
    })
  }

  it('takes auto or a number for --os-layers', () => {
    assert.equal(parseOsLayers('auto'), 'auto')
    assert.equal(parseOsLayers('2'), 2)
    for (const text of ['', '-1', '1.5', 'two'])
      assert.throws(() => parseOsLayers(text), {code: 'BAD_OPTION', exitCode: 2})
  })

  it('writes runs of layers as ranges', () => {
    assert.equal(formatRange([0, 1, 2, 4, 6, 7]), '0-2,4,6-7')
  })
})
