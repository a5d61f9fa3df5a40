import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import {convert} from '../../src/convert/convert.js'
import {ALL_TARGETS, assertRefused} from '../helpers/refusals.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const WEB = 'CN=Contoso_WebServer_1.0.0.0'
const SHOP = 'CN=Contoso_Shop_1.2.0.0'

interface MetadataFile {
  Name: string
  Version: string
  Package: Record<string, unknown>
}

interface Row {
  readonly title: string
  /** Damages a copy of samples/repository. */
  readonly damage: (root: string) => void
  readonly code: string
  readonly names: readonly (string | RegExp)[]
  /** The package that is asked for. */
  readonly selector?: string
}

/** Changes the bytes of a file in place. */
function edit(file: string, change: (bytes: Buffer) => Buffer | string): void {
  writeFileSync(file, change(readFileSync(file)))
}

function editMetadata(root: string, name: string, change: (metadata: MetadataFile) => void): void {
  edit(path.join(root, name, 'metadata.json'), (bytes) => {
    const metadata = JSON.parse(bytes.toString()) as MetadataFile
    change(metadata)
    return JSON.stringify(metadata)
  })
}

const identity = (Publisher: string, Name: string, Version: string) => ({Publisher, Name, Version})

function cutTo(length: number): (bytes: Buffer) => Buffer {
  return (bytes) => bytes.subarray(0, length)
}

const UNREADABLE: readonly {title: string; change: (bytes: Buffer) => Buffer | string}[] = [
  {title: 'is empty', change: () => ''},
  {title: 'is cut', change: cutTo(100)},
  {title: 'is no UTF-8', change: (bytes) => Buffer.concat([Buffer.from([0xff, 0xfe]), bytes])},
  {title: 'has a wrong type', change: (bytes) => bytes.toString().replace('"Size":', '"Size":"x","_":')},
  {
    title: 'is of another version',
    change: (bytes) => bytes.toString().replace('"FormatVersion":1', '"FormatVersion":9'),
  },
  {title: 'is larger than any', change: (bytes) => Buffer.concat([bytes, Buffer.alloc(17 * 2 ** 20, ' ')])},
  {title: 'is of another package', change: (bytes) => bytes.toString().replace('"Name":"Shop"', '"Name":"Store"')},
]

const ROWS: readonly Row[] = [
  ...UNREADABLE.map(({title, change}): Row => ({
    title: `whose metadata.json ${title}`,
    damage: (root) => {
      edit(path.join(root, SHOP, 'metadata.json'), change)
    },
    code: 'METADATA_INVALID|LIMIT_EXCEEDED',
    names: [SHOP, 'metadata'],
    selector: 'Shop',
  })),
  {
    title: 'whose metadata.json is missing',
    damage: (root) => {
      rmSync(path.join(root, SHOP, 'metadata.json'))
    },
    code: 'PACKAGE_INCOMPLETE',
    names: [SHOP, 'metadata.json'],
    selector: 'Shop',
  },
  {
    title: 'whose metadata.json is a link',
    damage: (root) => {
      const file = path.join(root, SHOP, 'metadata.json')
      renameSync(file, path.join(root, 'elsewhere.json'))
      symlinkSync(path.join(root, 'elsewhere.json'), file)
    },
    code: 'UNRECOGNISED_FORMAT',
    names: [SHOP, 'metadata.json'],
    selector: 'Shop',
  },
  {
    title: 'whose dependency is missing',
    damage: (root) => {
      rmSync(path.join(root, WEB), {recursive: true})
    },
    code: 'DEPENDENCY_MISSING',
    names: [WEB, SHOP],
  },
  {
    title: 'whose dependency cannot be read',
    damage: (root) => {
      edit(path.join(root, WEB, 'metadata.json'), cutTo(50))
    },
    code: 'DEPENDENCY_MISSING',
    names: [WEB, SHOP, 'metadata'],
    selector: 'Shop',
  },
  {
    title: 'whose dependency is there in another version only',
    damage: (root) => {
      editMetadata(root, SHOP, (metadata) => {
        metadata.Package['Dependencies'] = [identity('CN=Contoso', 'WebServer', '1.0.0.1')]
      })
    },
    code: 'DEPENDENCY_MISSING',
    names: ['CN=Contoso_WebServer_1.0.0.1', WEB, SHOP],
    selector: 'Shop',
  },
  {
    title: 'that depend on each other in a circle',
    damage: (root) => {
      editMetadata(root, WEB, (metadata) => {
        metadata.Package['Dependencies'] = [identity('CN=Contoso', 'Shop', '1.2.0.0')]
      })
    },
    code: 'DEPENDENCY_CYCLE',
    names: [`${SHOP} -> ${WEB} -> ${SHOP}`],
    selector: 'Shop',
  },
  {
    title: 'that depend on themselves',
    damage: (root) => {
      editMetadata(root, SHOP, (metadata) => {
        metadata.Package['Dependencies'] = [identity('CN=contoso', 'SHOP', '1.2.0.0')]
      })
    },
    code: 'DEPENDENCY_CYCLE',
    names: [SHOP],
    selector: 'Shop',
  },
  {
    title: 'for another architecture than what they depend on',
    damage: (root) => {
      editMetadata(root, WEB, (metadata) => {
        metadata.Package['Architecture'] = 'arm64'
      })
    },
    code: 'DEPENDENCY_MISMATCH',
    names: [SHOP, 'x64', WEB, 'arm64'],
  },
  {
    title: 'of which two have one identity',
    damage: (root) => {
      const twin = 'CN=contoso_SHOP_1.2.0.0'
      cpSync(path.join(root, SHOP), path.join(root, twin), {recursive: true})
    },
    code: 'IDENTITY_CLASH',
    names: [SHOP, 'CN=contoso_SHOP_1.2.0.0'],
    selector: 'Shop',
  },
  ...[0, 3, 19, 21, 60].map((length): Row => ({
    title: `with a carrier that is cut at ${length}`,
    damage: (root) => {
      edit(path.join(root, SHOP, 'Files/Shop/settings.json'), cutTo(length))
    },
    code: 'CARRIER_CORRUPT|DESCRIPTOR_CORRUPT',
    names: [SHOP, 'Files/Shop/settings.json'],
  })),
  {
    title: 'with a carrier whose first stream claims to be larger than the file',
    damage: (root) => {
      edit(path.join(root, SHOP, 'Files/Shop/settings.json'), (bytes) => {
        bytes.writeBigInt64LE(2n ** 62n, 12)
        return bytes
      })
    },
    code: 'CARRIER_CORRUPT|DESCRIPTOR_CORRUPT',
    names: [SHOP, 'Files/Shop/settings.json'],
  },
  {
    title: 'with the carrier of a folder that is cut',
    damage: (root) => {
      edit(path.join(root, SHOP, 'Files/Shop.$wcidirs$'), cutTo(22))
    },
    code: 'CARRIER_CORRUPT|DESCRIPTOR_CORRUPT',
    names: [SHOP, 'Files/Shop.$wcidirs$'],
  },
  {
    title: 'with a tombstones.txt that is cut in its mark',
    damage: (root) => {
      edit(path.join(root, WEB, 'tombstones.txt'), cutTo(2))
    },
    code: 'TOMBSTONES_CORRUPT',
    names: [WEB, 'tombstones.txt'],
  },
  {
    title: 'with a tombstones.txt of another version',
    damage: (root) => {
      edit(path.join(root, WEB, 'tombstones.txt'), (bytes) => bytes.toString().replace('1.0', '9.0'))
    },
    code: 'TOMBSTONES_CORRUPT',
    names: [WEB, 'tombstones.txt'],
  },
  {
    title: 'with a tombstones.txt that leads out',
    damage: (root) => {
      edit(path.join(root, WEB, 'tombstones.txt'), (bytes) => `${bytes.toString()}\\..\\..\\Windows\n`)
    },
    code: 'NAME_UNSAFE',
    names: [WEB, 'Files/../../Windows'],
  },
  {
    title: 'with a link in the place of a file',
    damage: (root) => {
      const file = path.join(root, SHOP, 'Files/Shop/empty.log')
      rmSync(file)
      symlinkSync('/etc/passwd', file)
    },
    code: 'UNRECOGNISED_FORMAT',
    names: [SHOP, 'Files/Shop/empty.log'],
  },
  {
    title: 'with a file that has a reserved name',
    damage: (root) => {
      writeFileSync(path.join(root, SHOP, 'Files/Shop/NUL.txt'), '')
    },
    code: 'NAME_RESERVED',
    names: [SHOP, 'Files/Shop/NUL.txt'],
  },
  {
    title: 'with a payload-index.jsonl that is damaged',
    damage: (root) => {
      edit(path.join(root, SHOP, 'payload-index.jsonl'), (bytes) => `{"p":7}\n${bytes.toString()}`)
    },
    code: 'METADATA_INVALID',
    names: [SHOP, 'payload-index.jsonl'],
  },
]

describe('bad input: packages', () => {
  const folder = temporaryFolder()
  let count = 0

  function placed(): {root: string; to: string} {
    const place = path.join(folder.path, String(count++))
    mkdirSync(place)
    const root = path.join(place, 'source')
    cpSync('samples/repository', root, {recursive: true, preserveTimestamps: true})
    return {root, to: path.join(place, 'to')}
  }

  const targets = ALL_TARGETS.filter(
    ({title}) => !title.startsWith('a repository,') && !/layout|compressed/.test(title),
  )
  for (const {title, damage, code, names, selector} of ROWS)
    for (const target of targets)
      it(`${title} are refused with ${code}, and nothing is changed: ${target.title}`, async () => {
        const {root, to} = placed()
        damage(root)
        const source = `inbox:${root}${selector === undefined ? '' : `:${selector}`}`
        await assertRefused(
          source,
          target,
          to,
          {code, names: [root, ...names]},
          target.options.layers === undefined ? {} : {replace: true},
        )
      })

  for (const {title, change} of [
    {title: 'cut', change: cutTo(40)},
    {title: 'overwritten', change: (bytes: Buffer) => bytes.fill(0x55, 10, 30)},
    {title: 'empty', change: cutTo(0)},
  ]) {
    it(`whose recipe is ${title} are refused with RECIPE_CORRUPT, and nothing is changed`, async () => {
      const {root, to} = placed()
      const repository = path.join(root, '..', 'recipes')
      await convert('docker-archive:samples/shop.tar', `inbox:${repository}`, {layers: 'chain'})
      const top = readdirSync(repository).find((name) => /shop_1/i.test(name)) ?? ''
      const recipe = path.join(repository, top, 'docker', 'recipe-0.gz')
      assert.ok(existsSync(recipe), 'the top package keeps a recipe')
      edit(recipe, change)
      await assertRefused(`inbox:${repository}:${top}`, ALL_TARGETS.at(-2)!, to, {
        code: 'RECIPE_CORRUPT|DIGEST_MISMATCH',
        names: [repository, top],
      })
    })
  }

  it('cannot poison prototypes', async () => {
    const {root, to} = placed()
    edit(path.join(root, SHOP, 'metadata.json'), (bytes) =>
      bytes
        .toString()
        .replace(
          '"Package":{',
          '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"Package":{"__proto__":{"polluted":1},',
        ),
    )
    await convert(`inbox:${root}:Shop`, `inbox:${to}`, {layers: 'chain'})
    assert.equal(({} as {polluted?: number}).polluted, undefined)
  })
})
