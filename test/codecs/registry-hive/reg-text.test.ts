import assert from 'node:assert/strict'
import {
  keyOf,
  valueOf,
  valueTombstone,
  type HiveKey,
  type HiveValue,
} from '../../../src/codecs/registry-hive/hive-key.js'
import {REG_HEADER, regLines, type RegTextOptions} from '../../../src/codecs/registry-hive/reg-text.js'
import {text} from '../../helpers/hives.js'

const lines = (key: HiveKey, path = 'HKLM\\X', options?: RegTextOptions) => [...regLines(key, path, options)]
/** What stands for one value. */
const told = (value: HiveValue, options?: RegTextOptions) =>
  lines(keyOf({name: 'k', values: [value]}), 'P', options).slice(1, -1)

describe('.reg text', () => {
  it('begins as regedit takes it', () => {
    assert.deepEqual(REG_HEADER, ['Windows Registry Editor Version 5.00', ''])
  })

  for (const [note, value, expected] of [
    ['text', valueOf('n', 1, text('abc')), '"n"="abc"'],
    ['no text', valueOf('n', 1, text('')), '"n"=""'],
    ['the default value', valueOf('', 1, text('abc')), '@="abc"'],
    ['quotes and backslashes', valueOf('a"b\\c', 1, text('"\\"')), '"a\\"b\\\\c"="\\"\\\\\\""'],
    ['a number', valueOf('n', 4, Buffer.of(0xef, 0xcd, 0xab, 0)), '"n"=dword:00abcdef'],
    ['a number of three bytes', valueOf('n', 4, Buffer.of(1, 2, 3)), '"n"=hex(4):01,02,03'],
    ['a number of five bytes', valueOf('n', 4, Buffer.of(1, 2, 3, 4, 5)), '"n"=hex(4):01,02,03,04,05'],
    ['bytes', valueOf('n', 3, Buffer.of(0, 0x0f, 0xff)), '"n"=hex:00,0f,ff'],
    ['no bytes', valueOf('n', 3, Buffer.of()), '"n"=hex:'],
    ['text that is to be expanded', valueOf('n', 2, text('a')), '"n"=hex(2):61,00,00,00'],
    ['text without its end', valueOf('n', 1, Buffer.from('a\0')), '"n"=hex(1):61,00'],
    ['text of two lines', valueOf('n', 1, text('\n')), '"n"=hex(1):0a,00,00,00'],
    ['nothing of no type', valueOf('n', 0, Buffer.of()), '"n"=hex(0):'],
    ['a type that has no name', valueOf('n', 0xffff0012, Buffer.of(1)), '"n"=hex(ffff0012):01'],
    ['a deletion', valueTombstone('n'), '"n"=-'],
    ['the deletion of the default value', valueTombstone(''), '@=-'],
    ['a name of two lines', valueOf('a\nb', 1, text('x')), '; this format cannot store the name of the value: "a\\nb"'],
    [
      'half a character',
      valueOf('\ud801', 1, text('x')),
      '; this format cannot store the name of the value: "\\ud801"',
    ],
    ['a name of two units', valueOf('\u{10400}', 1, text('x')), '"\u{10400}"="x"'],
  ] as const)
    it(`has ${note}`, () => {
      assert.deepEqual(told(value), [expected])
    })

  for (const [length, expected] of [
    [23, [23]],
    [24, [23, 1]],
    [49, [23, 25, 1]],
    [48, [23, 25]],
  ] as const)
    it(`breaks ${length} bytes as regedit does: ${expected.join(', ')}`, () => {
      const found = told(valueOf('n', 3, Buffer.alloc(length, 0xab)))
      assert.deepEqual(
        found.map((line) => line.match(/ab/g)?.length),
        expected,
      )
      for (const [index, line] of found.entries()) {
        const isLast = index === found.length - 1
        assert.equal(line.endsWith(isLast ? 'ab' : 'ab,\\'), true, line)
        assert.equal(line.startsWith(index === 0 ? '"n"=hex:ab' : '  ab'), true, line)
        assert.ok(line.length <= 80)
      }
      assert.equal(found.join('').replaceAll('\\  ', ''), `"n"=hex:${Array(length).fill('ab').join(',')}`)
    })

  it('has names and types alone where data is not to be told', () => {
    const hide = {hideData: true}
    assert.deepEqual(told(valueOf('n', 7, Buffer.alloc(12)), hide), ['; "n", type 7, 12 bytes: not shown'])
    assert.deepEqual(told(valueOf('', 1, text('a')), hide), ['; @, type 1, 4 bytes: not shown'])
    assert.deepEqual(told(valueTombstone('n'), hide), ['"n"=-'])
    assert.deepEqual(told(valueOf('n', 1, text('a')), {hideData: false}), ['"n"="a"'])
  })

  it('has each key with all below it, and an empty line behind', () => {
    const value = valueOf('n', 4, Buffer.of(1, 0, 0, 0))
    const tree = keyOf({name: 'ROOT', subkeys: [keyOf({name: 'a', values: [value], subkeys: [keyOf({name: 'b'})]})]})
    assert.deepEqual(lines(tree), ['[HKLM\\X]', '', '[HKLM\\X\\a]', '"n"=dword:00000001', '', '[HKLM\\X\\a\\b]', ''])
  })

  for (const [disposition, expected] of [
    ['merge', ['[P]', '"n"=hex:01', '']],
    ['tombstone', ['[-P]', '']],
    ['supersede-tree', ['[-P]', '', '[P]', '"n"=hex:01', '']],
    ['supersede-local', ['[P]', '; replaces all values of lower layers', '"n"=hex:01', '']],
  ] as const)
    it(`has what a delta does to a key: ${disposition}`, () => {
      assert.deepEqual(lines(keyOf({name: 'k', disposition, values: [valueOf('n', 3, Buffer.of(1))]}), 'P'), expected)
    })

  for (const name of ['a\rb', 'a\0', '\udc00'])
    it(`has a comment for a key that it cannot name, and for what is below: ${JSON.stringify(name)}`, () => {
      const tree = keyOf({name: 'ROOT', subkeys: [keyOf({name, subkeys: [keyOf({name: 'c'})]}), keyOf({name: 'z'})]})
      const comment = (path: string) => `; this format cannot store the name of the key: ${JSON.stringify(path)}`
      const own = [comment(`P\\${name}`), '', comment(`P\\${name}\\c`), '']
      const other = ['[P\\z]', '']
      assert.deepEqual(lines(tree, 'P'), ['[P]', '', ...(name < 'z' ? [...own, ...other] : [...other, ...own])])
    })
})
