import assert from 'node:assert/strict'
import {parseDescription} from '../../../src/codecs/wim/description.js'
import {assertThrows} from '../../helpers/told.js'

const utf16 = (text: string) => Buffer.from(text, 'utf16le')
const parse = (xml: string) => parseDescription(utf16(xml))
const one = (inside: string) => parse(`<WIM><IMAGE INDEX="1">${inside}</IMAGE></WIM>`)[0]!

describe('the XML of a Windows image file', () => {
  it('gives everything that is known of an image', () => {
    const found = parse(`\ufeff<?xml version="1.0" encoding="utf-16"?><WIM><TOTALBYTES>99</TOTALBYTES>
      <IMAGE INDEX="3">
        <DIRCOUNT>12</DIRCOUNT><FILECOUNT>34</FILECOUNT><TOTALBYTES>5678</TOTALBYTES>
        <CREATIONTIME><HIGHPART>0x01D8A1B2</HIGHPART><LOWPART>0xC3D4E5F6</LOWPART></CREATIONTIME>
        <LASTMODIFICATIONTIME><HIGHPART>0x1</HIGHPART><LOWPART>0x2</LOWPART></LASTMODIFICATIONTIME>
        <WINDOWS>
          <ARCH>9</ARCH><PRODUCTNAME>Microsoft Windows</PRODUCTNAME><EDITIONID>ServerDatacenter</EDITIONID>
          <INSTALLATIONTYPE>Server</INSTALLATIONTYPE>
          <LANGUAGES><LANGUAGE>en-US</LANGUAGE><LANGUAGE>de-DE</LANGUAGE><DEFAULT>en-US</DEFAULT></LANGUAGES>
          <VERSION><MAJOR>10</MAJOR><MINOR>0</MINOR><BUILD>20348</BUILD><SPBUILD>587</SPBUILD><SPLEVEL>0</SPLEVEL></VERSION>
        </WINDOWS>
        <NAME> Server &amp; more </NAME><DESCRIPTION>text</DESCRIPTION><FLAGS>ServerDatacenter</FLAGS>
        <DISPLAYNAME>shown</DISPLAYNAME><DISPLAYDESCRIPTION>shown text</DISPLAYDESCRIPTION><OTHER>x</OTHER>
      </IMAGE></WIM>`)
    assert.deepEqual(found, [
      {
        index: 3,
        name: 'Server & more',
        description: 'text',
        displayName: 'shown',
        displayDescription: 'shown text',
        flags: 'ServerDatacenter',
        totalBytes: 5678,
        files: 34,
        directories: 12,
        creationTime: 0x01d8a1b2c3d4e5f6n,
        lastModificationTime: 0x100000002n,
        windows: {
          languages: ['en-US', 'de-DE'],
          architecture: 'amd64',
          version: '10.0.20348.587',
          editionId: 'ServerDatacenter',
          installationType: 'Server',
          productName: 'Microsoft Windows',
          defaultLanguage: 'en-US',
        },
      },
    ])
  })

  it('has absent what it does not say, and what is empty', () => {
    assert.deepEqual(one(''), {index: 1})
    assert.deepEqual(one('<NAME/><DESCRIPTION> </DESCRIPTION><FILECOUNT></FILECOUNT>'), {index: 1})
    assert.deepEqual(one('<WINDOWS/>'), {index: 1})
    assert.deepEqual(one('<WINDOWS><ARCH/></WINDOWS>').windows, {languages: []})
    assert.deepEqual(parse('<WIM/>'), [])
    assert.deepEqual(parse('<WIM><OTHER INDEX="1"><NAME>x</NAME></OTHER><NAME>y</NAME></WIM>'), [])
  })

  it('keeps the images in their order, each with its own texts', () => {
    const found = parse('<WIM><IMAGE INDEX="2"><NAME>b</NAME></IMAGE><IMAGE INDEX="1"><NAME>a</NAME></IMAGE></WIM>')
    assert.deepEqual(found, [
      {index: 2, name: 'b'},
      {index: 1, name: 'a'},
    ])
  })

  it('takes the first of what is said twice, and nothing of other places', () => {
    assert.equal(one('<NAME>a</NAME><NAME>b</NAME>').name, 'a')
    assert.equal(one('<X><NAME>a</NAME></X>').name, undefined)
    assert.equal(one('a<NAME>b</NAME>c').name, 'b')
  })

  for (const [text, number] of [
    ['0', 0],
    ['999999999999999', 999_999_999_999_999],
    ['1000000000000000', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['x', undefined],
  ] as const)
    it(`has ${String(number)} files for '${text}'`, () => {
      const found = one(`<FILECOUNT>${text}</FILECOUNT><DIRCOUNT>${text}</DIRCOUNT><TOTALBYTES>${text}</TOTALBYTES>`)
      assert.deepEqual([found.files, found.directories, found.totalBytes], [number, number, number])
    })

  for (const [high, low, time] of [
    ['0x00000001', '0x0', 0x100000000n],
    ['0xffffffff', '0xFFFFFFFF', 0xffffffffffffffffn],
    ['0x100000000', '0x0', undefined],
    ['1', '0x0', undefined],
    ['0x1', '2', undefined],
    ['0x', '0x1', undefined],
  ] as const)
    it(`has a time for ${high} and ${low}: ${String(time)}`, () => {
      for (const place of ['CREATIONTIME', 'LASTMODIFICATIONTIME'] as const) {
        const found = one(`<${place}><HIGHPART>${high}</HIGHPART><LOWPART>${low}</LOWPART></${place}>`)
        assert.equal(place === 'CREATIONTIME' ? found.creationTime : found.lastModificationTime, time)
      }
    })

  it('has no time of which one half is missing', () => {
    assert.deepEqual(one('<CREATIONTIME><HIGHPART>0x1</HIGHPART></CREATIONTIME>'), {index: 1})
    assert.deepEqual(one('<CREATIONTIME><LOWPART>0x1</LOWPART></CREATIONTIME>'), {index: 1})
  })

  const windows = (inside: string) => one(`<WINDOWS>${inside}</WINDOWS>`).windows
  for (const [number, architecture] of [
    ['0', '386'],
    ['5', 'arm'],
    ['9', 'amd64'],
    ['12', 'arm64'],
    ['6', undefined],
    ['x', undefined],
  ] as const)
    it(`knows the processor ${number} as ${String(architecture)}`, () => {
      assert.equal(windows(`<ARCH>${number}</ARCH>`)?.architecture, architecture)
    })

  const version = (...parts: readonly string[]) =>
    windows(
      `<VERSION>${parts.map((part, index) => (part === '' ? '' : `<${['MAJOR', 'MINOR', 'BUILD', 'SPBUILD'][index]!}>${part}</${['MAJOR', 'MINOR', 'BUILD', 'SPBUILD'][index]!}>`)).join('')}</VERSION>`,
    )?.version
  it('has a version of three or four numbers', () => {
    assert.equal(version('10', '0', '20348'), '10.0.20348')
    assert.equal(version('10', '0', '20348', '1'), '10.0.20348.1')
    assert.equal(version('99999', '0', '1'), '99999.0.1')
    for (const parts of [
      ['10', '0'],
      ['10', '', '1'],
      ['', '0', '1'],
      ['10', '0', 'x'],
      ['100000', '0', '1'],
      ['10', '0', '1', 'x'],
    ])
      assert.equal(version(...parts), undefined, parts.join('.'))
  })

  for (const [note, bytes] of [
    ['no XML', utf16('text')],
    ['another root', utf16('<OTHER/>')],
    ['an end that is missing', utf16('<WIM>')],
    ['an image without a number', utf16('<WIM><IMAGE/></WIM>')],
    ['an image whose number is none', utf16('<WIM><IMAGE INDEX="x"/></WIM>')],
    ['an image whose number is too long', utf16('<WIM><IMAGE INDEX="123456"/></WIM>')],
    ['a DTD', utf16('<!DOCTYPE WIM><WIM/>')],
    ['nothing', Buffer.alloc(0)],
  ] as const)
    it(`is refused: ${note}`, () => {
      assertThrows(() => parseDescription(bytes), {code: 'ARCHIVE_CORRUPT', advises: true})
    })

  it('may not have 65,536 images', () => {
    const images = '<IMAGE INDEX="1"/>'.repeat(65_536)
    assertThrows(() => parse(`<WIM>${images}</WIM>`), {code: 'ARCHIVE_CORRUPT'})
  })
})
