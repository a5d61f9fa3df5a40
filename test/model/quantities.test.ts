import assert from 'node:assert/strict'
import {formatBytes, formatProgress, formatSeconds} from '../../src/model/quantities.js'

describe('quantities', () => {
  for (const [bytes, expected] of [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [2 ** 20 - 1, '1.0 MiB'],
    [2 ** 30, '1.0 GiB'],
    [2 ** 53 - 1, '8.0 PiB'],
  ] as const) {
    it(`writes ${bytes} bytes as ${expected}`, () => {
      assert.equal(formatBytes(bytes), expected)
    })
  }

  for (const [seconds, expected] of [
    [0.4, '0 s'],
    [59.6, '1 min 0 s'],
    [125, '2 min 5 s'],
    [3780, '1 h 3 min'],
  ] as const) {
    it(`writes ${seconds} seconds as ${expected}`, () => {
      assert.equal(formatSeconds(seconds), expected)
    })
  }

  for (const {bytes, total, seconds, expected, note} of [
    {
      bytes: 1024,
      total: 4096,
      seconds: 1,
      expected: '1.0 KiB of 4.0 KiB (25 %), 1.0 KiB/s, 3 s left',
      note: 'all is known',
    },
    {bytes: 1024, total: undefined, seconds: 1, expected: '1.0 KiB, 1.0 KiB/s', note: 'the total is not known'},
    {bytes: 4096, total: 1024, seconds: 1, expected: '4.0 KiB, 4.0 KiB/s', note: 'the total was wrong'},
    {bytes: 0, total: 1024, seconds: 0, expected: '0 B of 1.0 KiB (0 %)', note: 'nothing has passed yet'},
  ]) {
    it(`tells progress when ${note}`, () => {
      assert.equal(formatProgress(bytes, total, seconds), expected)
    })
  }
})
