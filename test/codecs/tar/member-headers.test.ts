import assert from 'node:assert/strict'
import {
  describeTypeflag,
  ExtensionHeaders,
  hasBody,
  isExtension,
  textOf,
  type MemberFacts,
} from '../../../src/codecs/tar/member-headers.js'
import {findTarHeader} from '../../../src/codecs/tar/tar-header.js'
import {paxText, rawHeader, type RawHeader} from '../../helpers/raw-tar.js'

type Records = readonly (readonly [string, string | Uint8Array])[]

/** What a header says behind extended ones: records, or a type and a text. */
function resolved(
  header: RawHeader,
  ...before: readonly (Records | readonly ['L' | 'K' | 'g', string])[]
): MemberFacts | string {
  const extensions = new ExtensionHeaders()
  for (const each of before) {
    const [first, second] = each
    const fault =
      typeof first === 'string'
        ? extensions.take(first, Buffer.from(second as string))
        : extensions.take('x', paxText(each as Records))
    if (fault !== undefined) return fault
  }
  return extensions.resolve(findTarHeader(rawHeader(header))!)
}

function facts(...args: Parameters<typeof resolved>): MemberFacts {
  const found = resolved(...args)
  assert.ok(typeof found !== 'string', 'it is refused')
  return found
}

describe('types of tar members', () => {
  for (const [type, kind, body] of [
    ['0', 'file', true],
    ['\0', 'file', true],
    ['S', 'file', true],
    ['1', 'hard-link', false],
    ['2', 'symlink', false],
    ['3', 'device', false],
    ['4', 'device', false],
    ['5', 'directory', false],
    ['6', 'device', false],
    ['7', 'other', true],
    ['D', 'other', true],
    ['Z', 'other', true],
  ] as const)
    it(`${JSON.stringify(type)} is a ${kind} ${body ? 'with' : 'without'} a body`, () => {
      const found = facts({name: 'a', type, size: 9})
      assert.deepEqual([found.kind, found.storedSize], [kind, body ? 9 : 0])
      assert.equal(hasBody(type), body)
      assert.equal(isExtension(type), false)
    })

  it('that say more about others are four', () => {
    assert.deepEqual(['x', 'g', 'L', 'K', 'X'].map(isExtension), [true, true, true, true, false])
  })

  it('have words where some writer uses them, and are quoted', () => {
    assert.equal(describeTypeflag('Z'), 'type "Z"')
    assert.equal(describeTypeflag('\x01'), 'type "\\u0001"')
    for (const type of '7ADEIMNVX') assert.match(describeTypeflag(type), new RegExp(`^type "${type}" \\(.+\\)$`))
  })

  for (const [name, type, kind] of [
    ['d/', '0', 'directory'],
    ['d/', '\0', 'directory'],
    ['d/', 'S', 'file'],
    ['d/', '2', 'symlink'],
    ['d/', '7', 'other'],
    ['d', '0', 'file'],
  ] as const)
    it(`'${name}' of type ${JSON.stringify(type)} is a ${kind}`, () => {
      assert.equal(facts({name, type}).kind, kind)
    })

  it('of a directory by its name have no body', () => {
    assert.equal(typeof resolved({name: 'd/', size: 1}), 'string')
    assert.equal(facts({name: 'd/', type: '5', size: 1}).storedSize, 0)
  })
})

describe('names of tar members', () => {
  const ustar = {name: 'own', patch: {345: 'before'}} as const
  for (const [note, found, name] of [
    ['prefix and name', facts(ustar), 'before/own'],
    ['the name alone where there is no prefix', facts({name: 'own'}), 'own'],
    ['a record', facts(ustar, [['path', 'record']]), 'record'],
    ['an empty record is none', facts(ustar, [['path', '']]), 'before/own'],
    ['a long name, up to its NUL', facts(ustar, ['L', 'long\0rest']), 'long'],
    ['a long name without a NUL', facts(ustar, ['L', 'long']), 'long'],
    ['an empty long name is none', facts(ustar, ['L', '\0long']), 'before/own'],
    ['the last of two long names', facts(ustar, ['L', 'one'], ['L', 'two']), 'two'],
    ['a record that says the same', facts(ustar, ['L', 'same'], [['path', 'same']]), 'same'],
    ['a record beside an empty long name', facts({name: 'a'}, [['path', '']], ['L', 'two']), 'two'],
  ] as const)
    it(`are ${note}`, () => {
      assert.equal(found.name, name)
    })

  for (const [note, found, linkname] of [
    ['the field', facts({name: 'a', type: '2', linkname: 'own'}), 'own'],
    ['a record', facts({name: 'a', type: '2', linkname: 'own'}, [['linkpath', 'record']]), 'record'],
    ['a long link', facts({name: 'a', type: '2', linkname: 'own'}, ['K', 'long\0']), 'long'],
    ['no long name', facts({name: 'a', type: '2', linkname: 'own'}, ['L', 'long\0']), 'own'],
    ['none', facts({name: 'a'}), ''],
  ] as const)
    it(`of their targets are ${note}`, () => {
      assert.equal(found.linkname, linkname)
    })

  const bad = Buffer.from([0x61, 0xff])
  for (const [note, found, isIllFormed] of [
    ['a field', facts({name: bad}), true],
    ['a link alone', facts({name: 'a', type: '2', linkname: bad}), true],
    ['a record', facts({name: 'a'}, [['path', bad]]), true],
    ['a surrogate', facts({name: Buffer.from([0xed, 0xa0, 0x80])}), true],
    ['a longer form than needed', facts({name: Buffer.from([0xc0, 0xaf])}), true],
    ['a prefix', facts({name: 'a', patch: {345: bad}}), true],
    ['none that a record replaces', facts({name: bad}, [['path', 'a']]), false],
    ['none', facts({name: '\u65e5', type: '2', linkname: '\xe9'}), false],
  ] as const)
    it(`are ${isIllFormed ? '' : 'not '}told as ill-formed: ${note}`, () => {
      assert.equal(found.isIllFormed, isIllFormed)
    })

  it('show what is ill-formed by a sign', () => {
    assert.equal(facts({name: bad}).name, 'a\ufffd')
    assert.equal(textOf(Buffer.concat([Buffer.from('xx'), bad, Buffer.from('yy')]).subarray(2, 4)), 'a\ufffd')
  })
})

describe('records of tar members', () => {
  it('are passed on as they are', () => {
    const {pax} = facts({name: 'a'}, [
      ['MSWINDOWS.fileattr', '32'],
      ['comment', '\xe9'],
    ])
    assert.deepEqual(Object.fromEntries(pax), {'MSWINDOWS.fileattr': '32', comment: '\xc3\xa9'})
    assert.equal(facts({name: 'a'}).pax.size, 0)
  })

  it('of two headers are those of the last alone', () => {
    assert.deepEqual(Object.fromEntries(facts({name: 'a'}, [['one', '1']], [['two', '2']]).pax), {two: '2'})
  })

  for (const [size, stored] of [
    ['7', 7],
    ['', 9],
    ['+7', 7],
    ['0', 0],
    ['9007199254740991', 9007199254740991],
  ] as const)
    it(`state the size: '${size}'`, () => {
      assert.equal(facts({name: 'a', size: 9}, [['size', size]]).storedSize, stored)
      assert.equal(facts({name: 'a', type: '2', size: 9}, [['size', size]]).storedSize, 0)
    })

  for (const [key, value, isTaken] of [
    ['size', '9007199254740992', false],
    ['size', '-1', false],
    ['size', 'x', false],
    ['mtime', '1.5', true],
    ['atime', '-1', true],
    ['ctime', '', true],
    ['mtime', 'x', false],
    ['atime', '1,5', false],
    ['ctime', '1.5s', false],
    ['LIBARCHIVE.creationtime', 'x', true],
    ['uid', '1000', true],
    ['gid', '-2', true],
    ['uid', '+5', true],
    ['gid', '', true],
    ['uid', 'root', false],
    ['gid', '1x', false],
    ['uid', '-', false],
    ['uname', 'root', true],
  ] as const)
    it(`are ${isTaken ? 'taken' : 'refused'}: ${key} '${value}'`, () => {
      assert.equal(typeof resolved({name: 'a'}, [[key, value]]) === 'string', !isTaken)
    })

  for (const [key, value, isTaken] of [
    ['path', 'a', false],
    ['linkpath', 'a', false],
    ['size', '1', false],
    ['mtime', '1', false],
    ['atime', '1', false],
    ['ctime', '1', false],
    ['GNU.sparse.name', 'a', false],
    ['MSWINDOWS.rawsd', 'a', false],
    ['LIBARCHIVE.creationtime', '1', false],
    ['TRANSSHIP.layout', 'a', false],
    ['path', '', true],
    ['comment', 'a', true],
    ['pathx', 'a', true],
    ['xpath', 'a', true],
    ['GNUxsparse.name', 'a', true],
    ['LIBARCHIVE.xattr.a', 'a', true],
    ['hdrcharset', 'BINARY', true],
  ] as const)
    it(`of a global header are ${isTaken ? 'passed over' : 'refused'}: ${key} '${value}'`, () => {
      const found = resolved({name: 'own'}, ['g', paxText([[key, value]]).toString()])
      assert.equal(typeof found === 'string', !isTaken)
      if (typeof found !== 'string') assert.deepEqual([found.name, found.pax.size], ['own', 0])
    })

  for (const [note, found] of [
    ['malformed', resolved({name: 'a'}, ['g', '9 a=\n'])],
    ['between a long name and its member', resolved({name: 'a'}, ['L', 'b'], ['g', ''])],
    ['between a header and its member', resolved({name: 'a'}, [['comment', 'x']], ['g', ''])],
    ['of two names', resolved({name: 'a'}, [['path', 'b']], ['L', 'c'])],
    ['of two link targets', resolved({name: 'a'}, ['K', 'c'], [['linkpath', 'b']])],
    ['of a long name that a record only begins as', resolved({name: 'a'}, [['path', 'b']], ['L', 'bb'])],
  ] as const)
    it(`are refused: ${note}`, () => {
      assert.equal(typeof found, 'string')
    })

  it('of a global header may be several, before anything else', () => {
    assert.equal(
      facts({name: 'a'}, ['g', ''], ['g', paxText([['comment', 'x']]).toString()], [['path', 'b']]).name,
      'b',
    )
  })
})
