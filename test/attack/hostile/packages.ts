import {spawnSync} from 'node:child_process'
import {cpSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import path from 'node:path'
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

export const PACKAGE_INPUTS: readonly HostileInput[] = PACKAGES.map(
  ({name, code, entry, use = 'convert', exit = 3, damage}) => ({
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
  }),
)
