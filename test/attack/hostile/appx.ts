import {blockMapOf, mappedFile, zipOf, type ZipMember} from '../../helpers/zip-writer.js'
import type {Built, HostileInput} from './input.js'

const MANIFEST =
  '<Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10"><Identity Name="Bad" Publisher="CN=Bad" Version="1.0.0.0"/></Package>'
const PAYLOAD: readonly ZipMember[] = [
  {name: 'Files/a.txt', bytes: Buffer.from('a plain text')},
  {name: 'Hives/System_Delta', bytes: Buffer.from('regf')},
]

interface Zip {
  readonly parts?: readonly ZipMember[]
  readonly manifest?: string
  readonly map?: (text: string) => string
  readonly bytes?: (zip: Buffer) => Buffer
}

function zipped({parts = PAYLOAD, manifest = MANIFEST, map = (all) => all, bytes = (all) => all}: Zip): Buffer {
  const mapped = [...parts, {name: 'AppxManifest.xml', bytes: Buffer.from(manifest)}]
  return bytes(
    zipOf([
      ...mapped,
      {name: 'AppxBlockMap.xml', bytes: Buffer.from(map(blockMapOf(mapped.map((part) => mappedFile(part)))))},
      {name: '[Content_Types].xml', bytes: Buffer.from('<Types/>')},
    ]),
  )
}

const added = (name: string): Zip => ({parts: [...PAYLOAD, {name, bytes: Buffer.from('x')}]})
const APPX: readonly {name: string; code: string; zip: Zip}[] = [
  ...[
    '../a',
    'Files/../../a',
    '/Files/a',
    'Files%5Ca',
    'C%3A/a',
    'Files/a%00',
    'Files/NUL.txt',
    'Files/a.',
    'Files/a%20',
  ].map((name) => ({name: `a part called ${name}`, code: 'NAME_UNSAFE', zip: added(name)})),
  {name: 'a part in two cases', code: 'DUPLICATE_ENTRY', zip: added('files/A.TXT')},
  {name: 'a part below a part', code: 'NAME_COLLISION', zip: added('Files/a.txt/b')},
  {
    name: 'a block map with a DTD',
    code: 'MANIFEST_INVALID',
    zip: {map: (all) => `<!DOCTYPE x [<!ENTITY a "b">]>${all}`},
  },
  {name: 'a block map that is cut', code: 'MANIFEST_INVALID', zip: {map: (all) => all.slice(0, -20)}},
  {
    name: 'a block map of SHA-1',
    code: 'MANIFEST_INVALID',
    zip: {map: (all) => all.replace('xmlenc#sha256', 'xmldsig#sha1')},
  },
  {
    name: 'a manifest of entities',
    code: 'MANIFEST_INVALID',
    zip: {manifest: `<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>${MANIFEST}`},
  },
  {name: 'a manifest of something else', code: 'MANIFEST_INVALID', zip: {manifest: '<Bundle/>'}},
  {name: 'a package that is cut', code: 'ARCHIVE_TRUNCATED', zip: {bytes: (all) => all.subarray(0, -40)}},
  {
    name: 'something behind a package',
    code: 'ARCHIVE_TRUNCATED',
    zip: {bytes: (all) => Buffer.concat([all, Buffer.from('more')])},
  },
  {
    name: 'a part of other bytes',
    code: 'DIGEST_MISMATCH',
    zip: {
      bytes: (all) => {
        all.write('A PLAIN', all.indexOf('a plain'), 'latin1')
        return all
      },
    },
  },
  {name: 'an encrypted part', code: 'ARCHIVE_CORRUPT', zip: {parts: [{...PAYLOAD[0]!, flags: 1}, PAYLOAD[1]!]}},
]

export const APPX_INPUTS: readonly HostileInput[] = APPX.map(({name, code, zip}) => ({
  name,
  format: 'AppX',
  use: 'convert',
  code,
  exit: 3,
  build: (): Built => ({reference: (folder) => `appx:${folder}/bad.appx`, files: {'bad.appx': zipped(zip)}}),
}))
