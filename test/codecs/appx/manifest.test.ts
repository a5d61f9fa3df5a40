import assert from 'node:assert/strict'
import {decodeManifest, encodeManifest, type ManifestFacts} from '../../../src/codecs/appx/manifest.js'
import {assertThrows} from '../../helpers/told.js'

const IDENTITY = {publisher: 'CN=Contoso, O=A & B', name: 'Web.Server', version: '1.2.3.4'}
const PARENT = {publisher: 'CN=Microsoft', name: 'ServerCore', version: '10.0.1.2'}
const DIGEST = `sha256:${'a'.repeat(64)}`
const FACTS: ManifestFacts = {identity: IDENTITY, architecture: 'x64', isOsImage: false, containerDigest: DIGEST}
const textOf = (facts: Partial<ManifestFacts> = {}) => Buffer.from(encodeManifest({...FACTS, ...facts})).toString()
const WINDOWS_10 = 'http://schemas.microsoft.com/appx/manifest/foundation/windows10'
const WINDOWS_8 = 'http://schemas.microsoft.com/appx/2010/manifest'

describe('the manifest of a package that is written', () => {
  it('has every fact at its place', () => {
    const text = textOf({
      friendlyName: 'The <web> server',
      description: ' several\n  lines ',
      osVersion: '10.0.20348.1',
      parent: PARENT,
    })
    assert.equal(
      text,
      [
        '<?xml version="1.0" encoding="utf-8"?>',
        `<Package xmlns="${WINDOWS_10}" xmlns:ts="urn:transship:package:1" IgnorableNamespaces="ts">`,
        '  <Identity Name="Web.Server" Publisher="CN=Contoso, O=A &amp; B" Version="1.2.3.4" ProcessorArchitecture="x64"/>',
        '  <Properties><Framework>true</Framework><DisplayName>The &lt;web&gt; server</DisplayName><PublisherDisplayName>Contoso</PublisherDisplayName><Description>several lines</Description><Logo>Assets\\logo.png</Logo></Properties>',
        '  <Resources><Resource Language="en-us"/></Resources>',
        '  <Dependencies><TargetDeviceFamily Name="Windows.Server" MinVersion="10.0.20348.1" MaxVersionTested="10.0.20348.1"/><PackageDependency Name="ServerCore" Publisher="CN=Microsoft" MinVersion="10.0.1.2"/></Dependencies>',
        `  <ts:ContainerPackage FormatVersion="1" IsOSImage="false" Metadata="metadata.json" Parent="CN=Microsoft_ServerCore_10.0.1.2" ContainerDigest="${DIGEST}"/>`,
        '</Package>',
        '',
      ].join('\r\n'),
    )
  })

  it('has what every package has where nothing more is known', () => {
    const text = textOf({isOsImage: true})
    for (const part of [
      '<DisplayName>Web.Server</DisplayName>',
      '<TargetDeviceFamily Name="Windows.Server" MinVersion="10.0.0.0" MaxVersionTested="10.0.0.0"/></Dependencies>',
      ` IsOSImage="true" Metadata="metadata.json" ContainerDigest="${DIGEST}"/>`,
    ])
      assert.ok(text.includes(part), part)
    for (const part of ['<Description>', 'PackageDependency', 'Parent=']) assert.ok(!text.includes(part), part)
  })

  it('leaves out a description or name of blanks', () => {
    const text = textOf({friendlyName: '  ', description: ' \n '})
    assert.ok(text.includes('<DisplayName>Web.Server</DisplayName>') && !text.includes('<Description>'))
  })

  it('cuts texts to whole characters', () => {
    const [name, description] = ['n'.repeat(255) + '\u{1f600}', 'd'.repeat(2047) + '\u{1f600}x']
    const text = textOf({friendlyName: name, description})
    assert.ok(text.includes(`<DisplayName>${'n'.repeat(255)}</DisplayName>`))
    assert.ok(text.includes(`<Description>${'d'.repeat(2047)}</Description>`))
    assert.ok(textOf({friendlyName: 'n'.repeat(256)}).includes(`<DisplayName>${'n'.repeat(256)}</DisplayName>`))
    assert.ok(textOf({friendlyName: 'n'.repeat(257)}).includes(`<DisplayName>${'n'.repeat(256)}</DisplayName>`))
    assert.ok(textOf({description: 'd'.repeat(2049)}).includes(`<Description>${'d'.repeat(2048)}</Description>`))
    const publisher = `CN=${'p'.repeat(300)}`
    assert.ok(textOf({identity: {...IDENTITY, publisher}}).includes(`<PublisherDisplayName>${'p'.repeat(256)}<`))
  })

  it('is read again', () => {
    const found = decodeManifest(
      encodeManifest({...FACTS, description: 'text', osVersion: '10.0.1.0', parent: PARENT}),
      'it',
    )
    assert.deepEqual(found, {
      name: 'Web.Server',
      publisher: 'CN=Contoso, O=A & B',
      version: '1.2.3.4',
      architecture: 'x64',
      displayName: 'Web.Server',
      description: 'text',
      osVersion: '10.0.1.0',
      dependencies: [{name: 'ServerCore', publisher: 'CN=Microsoft', version: '10.0.1.2'}],
      fullNames: [PARENT],
      own: {formatVersion: '1', parent: 'CN=Microsoft_ServerCore_10.0.1.2', containerDigest: DIGEST},
    })
  })
})

describe('the manifest of a package that is read', () => {
  const decode = (inside: string, namespace = WINDOWS_8) =>
    decodeManifest(Buffer.from(`<Package xmlns="${namespace}">${inside}</Package>`), 'it')
  const NOTHING = {dependencies: [], fullNames: []}

  it('says nothing where it says nothing', () => {
    for (const namespace of [WINDOWS_8, WINDOWS_10]) assert.deepEqual(decode('', namespace), NOTHING)
    assert.deepEqual(decode('<Identity/>'), NOTHING)
    assert.deepEqual(decode('<Properties><DisplayName/><Description></Description></Properties>'), NOTHING)
  })

  it('has each fact by itself', () => {
    assert.deepEqual(decode('<Identity Name="n"/>'), {...NOTHING, name: 'n'})
    assert.deepEqual(decode('<Identity Publisher="p"/>'), {...NOTHING, publisher: 'p'})
    assert.deepEqual(decode('<Identity Version="v" ProcessorArchitecture="a"/>'), {
      ...NOTHING,
      version: 'v',
      architecture: 'a',
    })
    const one = '<PackageDependency Name="a"/><PackageDependency MinVersion="1"/><PackageDependency Publisher="p"/>'
    assert.deepEqual(decode(`<Dependencies>${one}</Dependencies>`).dependencies, [
      {name: 'a'},
      {version: '1'},
      {publisher: 'p'},
    ])
  })

  it('is for the first system that it names', () => {
    const family = (version: string) => `<TargetDeviceFamily${version === '' ? '' : ` MinVersion="${version}"`}/>`
    assert.equal(decode(`<Dependencies>${family('1')}${family('2')}</Dependencies>`).osVersion, '1')
    assert.equal(decode(`<Dependencies>${family('')}${family('2')}</Dependencies>`).osVersion, '2')
  })

  it('is not led astray by other places and namespaces', () => {
    const other =
      '<x:Identity xmlns:x="urn:x" Name="x"/><Properties><Identity Name="y"/><More><DisplayName>z</DisplayName></More></Properties>'
    assert.deepEqual(
      decode(`${other}<DisplayName>w</DisplayName><PackageDependency Name="v"/><TargetDeviceFamily MinVersion="9"/>`),
      NOTHING,
    )
    assert.equal(decode('<ContainerPackage FormatVersion="1"/>').own, undefined)
    assert.equal(decode('<x:Other xmlns:x="urn:transship:package:1"/>').own, undefined)
    assert.deepEqual(decode('<x:ContainerPackage xmlns:x="urn:transship:package:1"/>').own, {formatVersion: ''})
  })

  it('has texts in pieces', () => {
    const {displayName, description} = decode(
      '<Properties><DisplayName>a &amp; <![CDATA[b]]></DisplayName><Description>c</Description></Properties>',
    )
    assert.deepEqual([displayName, description], ['a & b', 'c'])
  })

  it('has full names wherever they are', () => {
    const full = 'CN=Microsoft_ServerCore_10.0.1.2'
    for (const inside of [
      `<a b="${full}"/>`,
      `<a>${full}</a>`,
      `<a> ${full}\n</a>`,
      `<x:a xmlns:x="urn:x" y="${full}"/>`,
      `<a b="${full.padStart(9000)}"/>`,
    ])
      assert.deepEqual(decode(inside).fullNames, [PARENT], inside)
    for (const text of [
      'a_b',
      'CN=Microsoft',
      'x_y_1',
      `${full} and more`,
      `CN=${'x'.repeat(9000)}_ServerCore_10.0.1.2`,
      full.padStart(9001),
    ])
      assert.deepEqual(decode(`<a b="${text}"/>`).fullNames, [], text.slice(0, 30))
    assert.deepEqual(decode(`<a>${full}<b/></a>`).fullNames, [])
  })

  for (const [note, xml, says] of [
    ['another root', `<Other xmlns="${WINDOWS_8}"/>`, ['Other']],
    ['another namespace', '<Package xmlns="urn:x"/>', ['urn:x']],
    ['a bundle', '<Bundle xmlns="http://schemas.microsoft.com/appx/2013/bundle"/>', ['Bundle']],
    ['no namespace', '<Package/>', ['Package']],
    ['no XML', 'text', []],
    ['no end', `<Package xmlns="${WINDOWS_8}">`, []],
  ] as const)
    it(`is refused: ${note}`, () => {
      assertThrows(() => decodeManifest(Buffer.from(xml), 'it'), {
        code: 'MANIFEST_INVALID',
        at: {path: 'it'},
        says,
        advises: true,
      })
    })
})
