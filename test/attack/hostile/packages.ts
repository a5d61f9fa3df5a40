import {cpSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {spawnSync} from 'node:child_process'
import path from 'node:path'
import {baseBlockChecksum} from '../../../src/codecs/registry-hive/base-block.js'
import {sealed} from '../../helpers/hives.js'
import {wimVector} from '../../helpers/wim-files.js'
import {blockMapOf, mappedFile, zipOf, type ZipMember} from '../../helpers/zip-writer.js'
import type {Built, HostileInput, Use} from './input.js'

const WEB = 'CN=Contoso_WebServer_1.0.0.0'
const SHOP = 'CN=Contoso_Shop_1.2.0.0'

function edit(file: string, change: (bytes: Buffer) => Buffer | string): void {
  writeFileSync(file, change(readFileSync(file)))
}

const cut = (length: number) => (bytes: Buffer) => bytes.subarray(0, length)
const text = (change: (text: string) => string) => (bytes: Buffer) => change(bytes.toString('utf8'))
const inShop = (name: string, change: (bytes: Buffer) => Buffer | string) => (root: string) => {
  edit(path.join(root, SHOP, name), change)
}
const inWeb = (name: string, change: (bytes: Buffer) => Buffer | string) => (root: string) => {
  edit(path.join(root, WEB, name), change)
}
const METADATA = 'metadata.json'
const SETTINGS = 'Files/Shop/settings.json'

interface Row {
  readonly name: string
  readonly code: string
  readonly entry?: string
  readonly use?: Use
  readonly exit?: number
  readonly damage: (root: string) => void
}

const PACKAGES: readonly Row[] = [
  {name: 'metadata that are empty', code: 'METADATA_INVALID', entry: SHOP, damage: inShop(METADATA, () => '')},
  {name: 'metadata that are cut', code: 'METADATA_INVALID', entry: SHOP, damage: inShop(METADATA, cut(100))},
  {
    name: 'metadata of another version',
    code: 'METADATA_INVALID',
    damage: inShop(
      METADATA,
      text((all) => all.replace('"FormatVersion":1', '"FormatVersion":9')),
    ),
  },
  {
    name: 'metadata of 17 MiB',
    code: 'LIMIT_EXCEEDED',
    damage: inShop(METADATA, (bytes) => Buffer.concat([bytes, Buffer.alloc(17 * 2 ** 20, ' ')])),
  },
  {
    name: 'metadata of another package',
    code: 'METADATA_INVALID',
    damage: inShop(
      METADATA,
      text((all) => all.replace('"Name":"Shop"', '"Name":"Store"')),
    ),
  },
  {
    name: 'metadata with a publisher of two lines',
    code: 'METADATA_INVALID',
    damage: inShop(
      METADATA,
      text((all) => all.replace('"CN=Contoso"', '"CN=Contoso\\nCN=x"')),
    ),
  },
  {
    name: 'metadata that change every object',
    code: 'accepted',
    exit: 0,
    damage: inShop(
      METADATA,
      text((all) => all.replace('"Package":{', '"__proto__":{"polluted":1},"Package":{')),
    ),
  },
  {
    name: 'metadata that are missing',
    code: 'PACKAGE_INCOMPLETE',
    damage: (root) => {
      rmSync(path.join(root, SHOP, METADATA))
    },
  },
  {
    name: 'metadata that are a link',
    code: 'UNRECOGNISED_FORMAT',
    damage: (root) => {
      renameSync(path.join(root, SHOP, METADATA), path.join(root, 'elsewhere'))
      symlinkSync(path.join(root, 'elsewhere'), path.join(root, SHOP, METADATA))
    },
  },
  {
    name: 'metadata that are a pipe',
    code: 'UNRECOGNISED_FORMAT',
    damage: (root) => {
      rmSync(path.join(root, SHOP, METADATA))
      spawnSync('mkfifo', [path.join(root, SHOP, METADATA)])
    },
  },
  {
    name: 'a dependency that is missing',
    code: 'DEPENDENCY_MISSING',
    entry: WEB,
    damage: (root) => {
      rmSync(path.join(root, WEB), {recursive: true})
    },
  },
  {
    name: 'dependencies in a circle',
    code: 'DEPENDENCY_CYCLE',
    damage: inWeb(
      METADATA,
      text((all) =>
        all.replace(
          /"Dependencies":\[[^\]]*\]/,
          '"Dependencies":[{"Publisher":"CN=Contoso","Name":"Shop","Version":"1.2.0.0"}]',
        ),
      ),
    ),
  },
  {
    name: 'a package that depends on itself',
    code: 'DEPENDENCY_CYCLE',
    damage: inShop(
      METADATA,
      text((all) =>
        all.replace(
          /"Dependencies":\[[^\]]*\]/,
          '"Dependencies":[{"Publisher":"CN=contoso","Name":"SHOP","Version":"1.2.0.0"}]',
        ),
      ),
    ),
  },
  {
    name: 'a dependency of another architecture',
    code: 'DEPENDENCY_MISMATCH',
    damage: inWeb(
      METADATA,
      text((all) => all.replace(/"Architecture":"[^"]*"/, '"Architecture":"arm64"')),
    ),
  },
  {
    name: 'two packages of one identity',
    code: 'IDENTITY_CLASH',
    damage: (root) => {
      cpSync(path.join(root, SHOP), path.join(root, 'CN=contoso_SHOP_1.2.0.0'), {recursive: true})
    },
  },
  {name: 'a carrier that is cut', code: 'CARRIER_CORRUPT', entry: SETTINGS, damage: inShop(SETTINGS, cut(21))},
  {name: 'a carrier without attributes', code: 'CARRIER_CORRUPT', entry: SETTINGS, damage: inShop(SETTINGS, cut(3))},
  {
    name: 'a carrier whose stream is larger than the file',
    code: 'CARRIER_CORRUPT',
    entry: SETTINGS,
    damage: inShop(SETTINGS, (bytes) => {
      bytes.writeBigInt64LE(2n ** 62n, 12)
      return bytes
    }),
  },
  {
    name: 'a carrier with a size below zero',
    code: 'CARRIER_CORRUPT',
    damage: inShop(SETTINGS, (bytes) => {
      bytes.writeBigInt64LE(-1n, 12)
      return bytes
    }),
  },
  {
    name: 'a carrier whose descriptor is noise',
    code: 'DESCRIPTOR_CORRUPT',
    damage: inShop(SETTINGS, (bytes) => bytes.fill(0xa5, 24, 44)),
  },
  {name: 'a folder whose carrier is cut', code: 'CARRIER_CORRUPT', damage: inShop('Files/Shop.$wcidirs$', cut(22))},
  {
    name: 'deletions that lead out',
    code: 'NAME_UNSAFE',
    damage: inWeb(
      'tombstones.txt',
      text((all) => `${all}\\..\\..\\Windows\n`),
    ),
  },
  {
    name: 'deletions of another version',
    code: 'TOMBSTONES_CORRUPT',
    damage: inWeb(
      'tombstones.txt',
      text((all) => all.replace('1.0', '9.0')),
    ),
  },
  {name: 'deletions that are cut', code: 'TOMBSTONES_CORRUPT', damage: inWeb('tombstones.txt', cut(2))},
  {
    name: 'a link in a payload',
    code: 'UNRECOGNISED_FORMAT',
    damage: (root) => {
      const file = path.join(root, SHOP, 'Files/Shop/empty.log')
      rmSync(file)
      symlinkSync('/etc/passwd', file)
    },
  },
  {
    name: 'a pipe in a payload',
    code: 'UNRECOGNISED_FORMAT',
    damage: (root) => {
      const file = path.join(root, SHOP, 'Files/Shop/empty.log')
      rmSync(file)
      spawnSync('mkfifo', [file])
    },
  },
  {
    name: 'a device name in a payload',
    code: 'NAME_RESERVED',
    damage: (root) => {
      writeFileSync(path.join(root, SHOP, 'Files/Shop/NUL.txt'), '')
    },
  },
  {
    name: 'names in a payload that differ in case',
    code: 'NAME_COLLISION',
    damage: (root) => {
      cpSync(path.join(root, SHOP, SETTINGS), path.join(root, SHOP, 'Files/Shop/SETTINGS.json'))
    },
  },
  {
    name: 'an index line without a path',
    code: 'METADATA_INVALID',
    damage: inShop(
      'payload-index.jsonl',
      text((all) => `{"p":7}\n${all}`),
    ),
  },
  {
    name: 'an index line with a time that is none',
    code: 'METADATA_INVALID',
    damage: inShop(
      'payload-index.jsonl',
      text((all) => all.replace(/"w":"\d+"/, '"w":"now"')),
    ),
  },
  {
    name: 'an index line with three times',
    code: 'METADATA_INVALID',
    damage: inShop(
      'payload-index.jsonl',
      text((all) => all.replace(/"w":"\d+",/, '')),
    ),
  },
  {
    name: 'an index line twice',
    code: 'METADATA_INVALID',
    damage: inShop(
      'payload-index.jsonl',
      text((all) => `${all}${all.split('\n')[0] ?? ''}\n`),
    ),
  },
  {
    name: 'a file that has changed',
    code: 'DIGEST_MISMATCH',
    use: 'verify',
    exit: 1,
    damage: inShop('Files/Shop/shop.exe', (bytes) => {
      bytes.writeUInt8(bytes.readUInt8(bytes.byteLength - 3) ^ 1, bytes.byteLength - 3)
      return bytes
    }),
  },
  {
    name: 'a file that the index does not know',
    code: 'ARCHIVE_CONTRADICTORY',
    use: 'verify',
    exit: 1,
    damage: (root) => {
      cpSync(path.join(root, SHOP, SETTINGS), path.join(root, SHOP, 'Files/Shop/new.json'))
    },
  },
  {
    name: 'a file that is gone',
    code: 'NOT_FOUND',
    use: 'verify',
    exit: 1,
    damage: (root) => {
      rmSync(path.join(root, SHOP, 'Files/Shop/empty.log'))
    },
  },
]

const packages: readonly HostileInput[] = PACKAGES.map(({name, code, entry, use = 'convert', exit = 3, damage}) => ({
  name,
  format: 'package',
  use,
  code,
  exit,
  ...(entry === undefined ? {} : {entry}),
  build: (): Built => ({
    reference: (folder) => (use === 'verify' ? `inbox:${folder}` : `inbox:${folder}:Shop`),
    files: {},
    finish(folder) {
      cpSync('samples/repository', folder, {recursive: true, preserveTimestamps: true})
      damage(folder)
    },
  }),
}))

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

const appx: readonly HostileInput[] = APPX.map(({name, code, zip}) => ({
  name,
  format: 'AppX',
  use: 'convert',
  code,
  exit: 3,
  build: (): Built => ({reference: (folder) => `appx:${folder}/bad.appx`, files: {'bad.appx': zipped(zip)}}),
}))

const WIMS: readonly {vector: string; name: string; code: string; use: Use; exit: number}[] = [
  {vector: 'bad-beyond-end', name: 'a resource beyond the file', code: 'ARCHIVE_CORRUPT', use: 'verify', exit: 1},
  {vector: 'bad-entry-length', name: 'an entry longer than its list', code: 'ARCHIVE_CORRUPT', use: 'verify', exit: 1},
  {vector: 'bad-hash', name: 'a content of another SHA-1', code: 'ARCHIVE_CORRUPT', use: 'verify', exit: 1},
  {vector: 'bad-huge-size', name: 'a content of 2^50 bytes', code: 'ARCHIVE_CORRUPT', use: 'verify', exit: 1},
  {vector: 'bad-loop', name: 'folders in a circle', code: 'NAME_UNSAFE', use: 'verify', exit: 1},
  {vector: 'bad-missing-blob', name: 'a content that is missing', code: 'LAYER_MISSING', use: 'verify', exit: 1},
  {vector: 'bad-names', name: 'names that Windows cannot have', code: 'NAME_UNSAFE', use: 'verify', exit: 1},
  {vector: 'bad-part', name: 'a part of a set alone', code: 'ARCHIVE_CORRUPT', use: 'verify', exit: 1},
  {
    vector: 'bad-security-id',
    name: 'a descriptor that is none of the table',
    code: 'DESCRIPTOR_CORRUPT',
    use: 'verify',
    exit: 1,
  },
  {vector: 'bad-shared-children', name: 'two folders of one list', code: 'ARCHIVE_CORRUPT', use: 'verify', exit: 1},
]

const wims: readonly HostileInput[] = WIMS.map(({vector, name, code, use, exit}) => ({
  name: `a Windows image with ${name}`,
  format: 'WIM',
  use,
  code,
  exit,
  build: (): Built => ({
    reference: (folder) => `wim:${folder}/bad.wim`,
    files: {'bad.wim': readFileSync(wimVector(vector))},
  }),
}))

const HIVE = () => readFileSync('samples/payload/SOFTWARE.hiv')
const HIVES: readonly {name: string; code: string; bytes: () => Buffer}[] = [
  {name: 'a hive that is empty', code: 'HIVE_CORRUPT', bytes: () => Buffer.alloc(0)},
  {
    name: 'a hive of another magic',
    code: 'HIVE_CORRUPT',
    bytes: () => {
      const bytes = HIVE()
      bytes.write('ferg', 0, 'latin1')
      return bytes
    },
  },
  {
    name: 'a hive with a wrong checksum',
    code: 'accepted',
    bytes: () => {
      const bytes = HIVE()
      bytes.writeUInt32LE((baseBlockChecksum(bytes) ^ 1) >>> 0, 508)
      return bytes
    },
  },
  {name: 'a hive of an unknown version', code: 'FORMAT_UNSUPPORTED', bytes: () => sealed(HIVE(), {20: 9})},
  {name: 'a hive that is cut', code: 'HIVE_CORRUPT', bytes: () => HIVE().subarray(0, 4096)},
  {name: 'a hive whose root is elsewhere', code: 'HIVE_CORRUPT', bytes: () => sealed(HIVE(), {36: 0x7ffffff0})},
  {name: 'a hive that was not closed', code: 'accepted', bytes: () => sealed(HIVE(), {4: 9, 8: 8})},
  {
    name: 'a hive with a cell of size zero',
    code: 'HIVE_CORRUPT',
    bytes: () => {
      const bytes = HIVE()
      bytes.writeInt32LE(0, 4096 + 32)
      return bytes
    },
  },
  {
    name: 'a hive whose bin is beyond the end',
    code: 'HIVE_CORRUPT',
    bytes: () => {
      const bytes = HIVE()
      bytes.writeUInt32LE(0x7ffff000, 4096 + 8)
      return bytes
    },
  },
]

const hives: readonly HostileInput[] = HIVES.map(({name, code, bytes}) => ({
  name,
  format: 'hive',
  use: 'hive',
  code,
  exit: code === 'accepted' ? 0 : 3,
  build: (): Built => ({reference: (folder) => `hive:${folder}/SOFTWARE`, files: {SOFTWARE: bytes()}}),
}))

const ITEM = {source: 'docker-archive:x.tar', destination: 'inbox:y'}
const PLANS: readonly {name: string; code: string; text: string}[] = [
  {name: 'a plan that is no YAML', code: 'PLAN_INVALID', text: 'items: [\n'},
  {
    name: 'a plan that doubles itself',
    code: 'PLAN_INVALID',
    text: `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nitems: [*e,*e,*e,*e]\n`,
  },
  {name: 'a plan with an unknown key', code: 'PLAN_INVALID', text: JSON.stringify({items: [{...ITEM, sauce: 'x'}]})},
  {
    name: 'a plan whose items wait for each other',
    code: 'PLAN_INVALID',
    text: JSON.stringify({
      items: [
        {...ITEM, id: 'a', after: ['b']},
        {...ITEM, id: 'b', destination: 'inbox:z', after: ['a']},
      ],
    }),
  },
  {
    name: 'a plan with one id twice',
    code: 'PLAN_INVALID',
    text: JSON.stringify({
      items: [
        {...ITEM, id: 'a'},
        {...ITEM, id: 'a'},
      ],
    }),
  },
  {
    name: 'a plan with an unknown variable',
    code: 'PLAN_INVALID',
    text: JSON.stringify({items: [{...ITEM, destination: 'inbox:${NONE}'}]}),
  },
  {name: 'a plan with a key twice', code: 'PLAN_INVALID', text: 'items: []\nitems: []\n'},
  {name: 'a plan that runs code', code: 'PLAN_INVALID', text: 'items: !!js/function "function () {}"\n'},
]

const plans: readonly HostileInput[] = PLANS.map(({name, code, text: all}) => ({
  name,
  format: 'plan',
  use: 'batch',
  code,
  exit: 2,
  build: (): Built => ({reference: (folder) => `${folder}/plan.yaml`, files: {'plan.yaml': all}}),
}))

export const PACKAGE_INPUTS: readonly HostileInput[] = [...packages, ...appx, ...wims, ...hives, ...plans]
