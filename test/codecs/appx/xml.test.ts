import assert from 'node:assert/strict'
import {escapeXml, readXml, XmlReader, type XmlElement} from '../../../src/codecs/appx/xml.js'
import {InputError} from '../../../src/model/errors.js'
import {assertThrows} from '../../helpers/told.js'

const OPTIONS = {title: 'the document', code: 'MANIFEST_INVALID'} as const
const FAULT = {code: 'MANIFEST_INVALID', at: {path: 'the document'}, advises: true}

/** What handlers hear, a line each. */
function heard() {
  const lines: string[] = []
  const handlers = {
    open: ({name, namespace, attributes}: XmlElement, path: readonly string[]) => {
      lines.push(`<${[...path, name].join('/')} ${namespace} ${JSON.stringify([...attributes])}`)
    },
    close: (name: string, path: readonly string[]) => {
      lines.push(`>${[...path, name].join('/')}`)
    },
    text: (text: string, path: readonly string[]) => {
      lines.push(`${path.join('/')}: ${text}`)
    },
  }
  return {lines, handlers}
}

function read(bytes: Uint8Array | string): string[] {
  const {lines, handlers} = heard()
  readXml(Buffer.from(bytes), handlers, OPTIONS)
  return lines
}

describe('XML of a package', () => {
  it('is told element by element, with namespaces and what is around', () => {
    const xml = '<a xmlns="urn:a" xmlns:b="urn:b" x="1" b:y="2"><b:c/>text &amp; more<d><![CDATA[<e>]]></d></a>'
    assert.deepEqual(read(xml), [
      '<a urn:a [["xmlns","urn:a"],["x","1"]]',
      '<a/c urn:b []',
      '>a/c',
      'a: text & more',
      '<a/d urn:a []',
      'a/d: <e>',
      '>a/d',
      '>a',
    ])
  })

  it('may have nobody for texts and ends', () => {
    const seen: string[] = []
    readXml(Buffer.from('<a>t<b/></a>'), {open: ({name}) => seen.push(name)}, OPTIONS)
    assert.deepEqual(seen, ['a', 'b'])
  })

  it('may come in pieces of any size', () => {
    const text = '<a>\u00e4\u{1f600}<b c="\u20ac"/></a>'
    for (const bytes of [Buffer.from(text), Buffer.from(`\ufeff${text}`, 'utf16le'), Buffer.from(text, 'utf16le')])
      for (const size of [1, 2, 3, 1000]) {
        const {lines, handlers} = heard()
        const reader = new XmlReader(handlers, OPTIONS)
        for (let at = 0; at < bytes.length; at += size) reader.write(bytes.subarray(at, at + size))
        reader.end()
        assert.deepEqual(lines.filter((line) => !line.startsWith('a: ')), ['<a  []', '<a/b  [["c","€"]]', '>a/b', '>a']) // prettier-ignore
        assert.equal(lines.filter((line) => line.startsWith('a: ')).map((line) => line.slice(3)).join(''), '\u00e4\u{1f600}') // prettier-ignore
      }
  })

  it('may be shorter than what its encoding is told by', () => {
    assertThrows(() => read('<a'), FAULT)
    assert.deepEqual(read('<a/>'), ['<a  []', '>a'])
  })

  for (const [stated, encoding, isRight] of [
    ['utf-8', 'utf8', true],
    ['UTF-8', 'utf8', true],
    ['utf8', 'utf8', true],
    ['us-ascii', 'utf8', true],
    ['utf-16', 'utf16le', true],
    ['UTF-16LE', 'utf16le', true],
    ['utf-16be', 'utf16le', false],
    ['utf-8', 'utf16le', false],
    ['utf-16', 'utf8', false],
    ['latin1', 'utf8', false],
  ] as const)
    it(`${isRight ? 'may' : 'may not'} state ${stated} and be ${encoding}`, () => {
      const bytes = Buffer.from(`<?xml version="1.0" encoding="${stated}"?><a/>`, encoding)
      if (isRight) assert.deepEqual(read(bytes), ['<a  []', '>a'])
      else assertThrows(() => read(bytes), {...FAULT, says: [stated]})
    })

  for (const [note, bytes] of [
    ['nothing', ''],
    ['text alone', 'text'],
    ['no end', '<a>'],
    ['another end', '<a></b>'],
    ['two roots', '<a/><b/>'],
    ['a DTD', '<!DOCTYPE a><a/>'],
    ['a prefix that stands for nothing', '<x:a/>'],
    ['an entity that is not known', '<a>&x;</a>'],
    ['a character that is none', '<a>\u0001</a>'],
    ['bytes that are no UTF-8', Buffer.of(0x3c, 0x61, 0x3e, 0xff, 0x3c)],
    ['half a character at its end', Buffer.concat([Buffer.from('<a/>'), Buffer.of(0xc3)])],
  ] as const)
    it(`is refused: ${note}`, () => {
      assertThrows(() => read(bytes), FAULT)
    })

  it('may be 64 levels deep, and no more', () => {
    const nested = (levels: number) => `${'<a>'.repeat(levels)}${'</a>'.repeat(levels)}`
    assert.equal(read(nested(64)).length, 128)
    assertThrows(() => read(nested(65)), {...FAULT, says: [64]})
  })

  it('passes an error of who listens on', () => {
    const error = new InputError('IDENTITY_INVALID', {what: 'no'})
    const open = () => {
      throw error
    }
    assert.throws(() => {
      readXml(Buffer.from('<a/>'), {open}, OPTIONS)
    }, (found) => found === error) // prettier-ignore
  })
})

describe('text that is made XML', () => {
  for (const [text, escaped] of [
    ['plain \u00e4\u{1f600}', 'plain \u00e4\u{1f600}'],
    ['<a b="c">&\'', "&lt;a b=&quot;c&quot;&gt;&amp;'"],
    ['\t\n\r', '&#9;&#10;&#13;'],
    ['\0\u0008\u000b\u000c\u000e\u001f', '\ufffd'.repeat(6)],
    ['\ufffe\uffff', '\ufffd\ufffd'],
    ['\ud800x\udc00', '\ufffdx\ufffd'],
  ] as const)
    it(`is escaped: ${JSON.stringify(text)}`, () => {
      assert.equal(escapeXml(text), escaped)
    })

  it('comes back, but for what XML cannot hold', () => {
    const text = '<&>"\t\n\r\' \u00e4\u{1f600}'
    const values: string[] = []
    readXml(
      Buffer.from(`<a b="${escapeXml(text)}"/>`),
      {open: ({attributes}) => values.push(attributes.get('b') ?? '')},
      OPTIONS,
    )
    assert.deepEqual(values, [text])
  })
})
