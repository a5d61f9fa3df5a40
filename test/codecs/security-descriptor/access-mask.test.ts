import assert from 'node:assert/strict'
import {formatAccessMask} from '../../../src/codecs/security-descriptor/access-mask.js'

/** Letters of rights. Source: Microsoft, "ACE Strings"; sddl.h. */
const WHOLE = 'FA 1f01ff,FR 120089,FW 120116,FX 1200a0,KA f003f,KR 20019,KW 20006'
const BITS =
  'GR 80000000,GW 40000000,GX 20000000,GA 10000000,CC 1,DC 2,LC 4,SW 8,RP 10,WP 20,DT 40,LO 80,CR 100,SD 10000,' +
  'RC 20000,WD 40000,WO 80000'
const LABEL = 'NW 1,NR 2,NX 4'

const rows = (text: string) =>
  text.split(',').map((row): readonly [string, number] => {
    const [letters = '', hex = ''] = row.split(' ')
    return [letters, Number.parseInt(hex, 16)]
  })

const plain = (mask: number) => formatAccessMask(mask, {isLabel: false})
const label = (mask: number) => formatAccessMask(mask, {isLabel: true})

describe('access masks as SDDL writes them', () => {
  for (const [letters, mask] of [...rows(WHOLE), ...rows(BITS)])
    it(`0x${mask.toString(16)} is ${letters}`, () => {
      assert.equal(plain(mask), letters)
    })

  for (const [letters, mask] of rows(LABEL))
    it(`0x${mask.toString(16)} of a label is ${letters}`, () => {
      assert.equal(label(mask), letters)
    })

  for (const [mask, text, note] of [
    [0, '', 'nothing'],
    [0x80000001, 'GRCC', 'generic rights come first'],
    [0xf01ff, 'CCDCLCSWRPWPDTLOCRSDRCWDWO', 'all letters in their order'],
    [0x200, '0x200', 'a bit without letters'],
    [0x201, '0x201', 'one of several without letters'],
    [0x100000, '0x100000', 'to wait for it has none'],
    [0x1200a9, '0x1200a9', 'what is not one of the whole'],
    [0xffffffff, '0xffffffff', 'every bit'],
  ] as const)
    it(`0x${mask.toString(16)} is '${text}': ${note}`, () => {
      assert.equal(plain(mask), text)
    })

  for (const [mask, text] of [
    [0, ''],
    [7, 'NWNRNX'],
    [5, 'NWNX'],
    [8, '0x8'],
    [0x1f01ff, '0x1f01ff'],
  ] as const)
    it(`0x${mask.toString(16)} of a label is '${text}'`, () => {
      assert.equal(label(mask), text)
    })
})
