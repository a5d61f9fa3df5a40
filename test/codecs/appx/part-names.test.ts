import assert from 'node:assert/strict'
import {ContentTypesWriter} from '../../../src/codecs/appx/content-types.js'
import {
  encodePartName,
  findNameFault,
  findPartPath,
  isFootprint,
  isUnmapped,
} from '../../../src/codecs/appx/part-name.js'
import {isStoredPart} from '../../../src/codecs/appx/encode-package.js'

describe('names of the parts of a package', () => {
  for (const [path, name] of [
    ['Files/a.txt', 'Files/a.txt'],
    ['Files/a b.txt', 'Files/a%20b.txt'],
    ['AZaz09-._~/', 'AZaz09-._~/'],
    ['ä', '%C3%A4'],
    ['\u{1f600}', '%F0%9F%98%80'],
    ['100%', '100%25'],
    ["!#$&'()+,;=@[]^`{}", '%21%23%24%26%27%28%29%2B%2C%3B%3D%40%5B%5D%5E%60%7B%7D'],
    ['\u0001', '%01'],
    ['[Content_Types].xml', '[Content_Types].xml'],
    ['x/[Content_Types].xml', 'x/%5BContent_Types%5D.xml'],
  ] as const)
    it(`are encoded and decoded: ${JSON.stringify(path)}`, () => {
      assert.equal(encodePartName(path), name)
      assert.equal(findPartPath(name), path)
    })

  for (const [name, path] of [
    ['a%2eb', 'a.b'],
    ['a+b c', 'a+b c'],
    ['\u00c3\u00a4', 'ä'],
    ['%EF%BB%BFa', '\ufeffa'],
    ['a%2fb', undefined],
    ['a%5Cb', undefined],
    ['a\\b', undefined],
    ['%C3%A4\\', undefined],
    ['a%00', undefined],
    ['%', undefined],
    ['%2', undefined],
    ['%2g', undefined],
    ['%g2', undefined],
    ['%C3', undefined],
    ['\u00ff', undefined],
    ['%20%', undefined],
  ] as const)
    it(`of other makers are read: ${JSON.stringify(name)}`, () => {
      assert.equal(findPartPath(name), path)
    })

  for (const path of [
    'a',
    'Files/a.txt',
    'x'.repeat(255),
    'COM0',
    'com10',
    'console',
    'auxiliary.txt',
    '.hidden',
    'a.b.c',
    'AppxMetadataX/a',
    'x/AppxMetadata/a',
    '_rels',
    'a/_rels/b.txt',
    'x_rels/a.rels',
    'sub/AppxManifest.xml',
    'xn-a',
    `${'a/'.repeat(16_383)}a`,
  ])
    it(`may be '${path.slice(0, 30)}'`, () => {
      assert.equal(findNameFault(path), undefined)
    })

  for (const path of [
    '',
    '/a',
    'a/',
    'a//b',
    '.',
    'a/..',
    'x'.repeat(256),
    `${'a/'.repeat(16_384)}a`,
    'a\u0000b',
    'a\u001fb',
    ...Array.from('"*:<>?|\\', (letter) => `a${letter}b`),
    'a\ufffe',
    'a\uffff',
    'a\ud800',
    '\udc00a',
    'a.',
    'a ',
    'a./b',
    'CON',
    'nul.txt',
    'a/COM1',
    'lpt9.x.y',
    'prn',
    'AUX',
    'xn--a',
    'XN--a/b',
    'AppxManifest.xml',
    'appxblockmap.XML',
    '[Content_Types].xml',
    'AppxSignature.p7x',
    'AppxMetadata/CodeIntegrity.cat',
    'AppxMetadata',
    'appxmetadata/x',
    'Microsoft.System.Package.Metadata/x',
    '_rels/.rels',
    'a/_rels/b.rels',
    'a/_RELS/b/c.RELS',
  ])
    it(`may not be ${JSON.stringify(path.slice(0, 30))}`, () => {
      const why = findNameFault(path)
      assert.ok(why !== undefined && why.trim() !== '')
    })

  for (const [path, footprint, unmapped] of [
    ['AppxManifest.xml', true, false],
    ['appxMANIFEST.xml', true, false],
    ['AppxBlockMap.xml', true, true],
    ['[Content_Types].xml', true, true],
    ['AppxSignature.p7x', true, true],
    ['AppxMetadata/CodeIntegrity.cat', true, true],
    ['APPXMETADATA/CODEINTEGRITY.CAT', true, true],
    ['AppxMetadata/CodeIntegrity.cat2', false, false],
    ['Files/AppxManifest.xml', false, false],
    ['', false, false],
  ] as const)
    it(`say what a part is for: '${path}'`, () => {
      assert.deepEqual([isFootprint(path), isUnmapped(path)], [footprint, unmapped])
    })

  const PACKED =
    '7z aac appx appxbundle avi br bz2 cab docx esd gif gz jar jpeg jpg lz4 lzma m4a m4v mkv mov mp3 mp4 msix msixbundle msu nupkg odt ogg png pptx rar tgz vsix webm webp whl wim wma wmv woff woff2 xlsx xz zip zipx zst'
  it('say whether a part is stored', () => {
    for (const extension of PACKED.split(' ')) {
      assert.equal(isStoredPart(`Files/a.${extension}`), true, extension)
      assert.equal(isStoredPart(`Files/a.b.${extension.toUpperCase()}`), true, extension)
      assert.equal(isStoredPart(`Files/a.${extension}x`), extension === 'zip' , extension) // prettier-ignore
    }
    for (const path of ['Files/a.txt', 'Files/a.gz.txt', 'Files/', '', 'a.'])
      assert.equal(isStoredPart(path), false, path)
  })
})

describe('the list of content types', () => {
  const HEAD =
    '<?xml version="1.0" encoding="UTF-8"?>\r\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
  const END =
    '<Override PartName="/AppxManifest.xml" ContentType="application/vnd.ms-appx.manifest+xml"/>' +
    '<Override PartName="/AppxBlockMap.xml" ContentType="application/vnd.ms-appx.blockmap+xml"/></Types>'
  const listed = (...paths: readonly string[]) => {
    const writer = new ContentTypesWriter()
    for (const path of paths) writer.add(path)
    return Buffer.concat([...writer.finish()]).toString()
  }
  const byExtension = (extension: string, type = 'application/octet-stream') =>
    `<Default Extension="${extension}" ContentType="${type}"/>`
  const byName = (name: string) => `<Override PartName="/${name}" ContentType="application/octet-stream"/>`

  it('has two documents to begin with', () => {
    assert.equal(listed(), HEAD + END)
  })

  it('has each extension once, in lower case and in order', () => {
    assert.equal(
      listed('Files/b.TXT', 'a.png', 'c.txt', 'x.y.a-1', 'z.a_~'),
      HEAD + byExtension('a-1') + byExtension('a_~') + byExtension('png', 'image/png') + byExtension('txt') + END,
    )
  })

  for (const [path, name] of [
    ['Files/none', 'Files/none'],
    ['Files.d/none', 'Files.d/none'],
    ['a.', 'a.'],
    ['a.b c', 'a.b%20c'],
    ['a.ä', 'a.%C3%A4'],
    ["it's", 'it%27s'],
  ] as const)
    it(`has a file by its name: '${path}'`, () => {
      assert.equal(listed(path), HEAD + byName(name) + END)
    })

  it('has any number of them, in their order', () => {
    const names = Array.from({length: 3000}, (_, index) => `Files/file-${index}`)
    assert.equal(listed(...names), HEAD + names.map(byName).join('') + END)
  })
})
