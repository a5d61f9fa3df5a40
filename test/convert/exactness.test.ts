import assert from 'node:assert/strict'
import {cpSync, readdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {convert, inspect} from '../../src/index.js'
import {formatConvert} from '../../src/terminal/convert-text.js'
import {classicMembers, craneMembers, hybridMembers, partsOf, sha256, tarOf, type Member} from '../helpers/archives.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const LINKS = gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))
const PARTS = partsOf([BASIC, LINKS])

interface Row {
  readonly title: string
  readonly members: readonly Member[]
  /** Codes of the reasons why packages made of it are not exact. */
  readonly isCompressed: boolean
  /** The same of an image made of it, by destination. */
  readonly images: Readonly<Record<string, readonly string[]>>
}

const ROWS: readonly Row[] = [
  {
    title: 'an archive that has no manifest, its layers uncompressed',
    members: classicMembers(PARTS),
    isCompressed: false,
    images: {'docker-archive': [], oci: []},
  },
  {
    title: 'an archive that has no manifest, its layers compressed',
    members: craneMembers(PARTS),
    isCompressed: true,
    images: {'docker-archive': [], oci: []},
  },
  {
    title: 'an image with a manifest, its layers uncompressed',
    members: hybridMembers(PARTS),
    isCompressed: false,
    images: {'docker-archive': [], oci: []},
  },
  {
    title: 'an image with a manifest, its layers compressed',
    members: hybridMembers(PARTS, {compressed: true}),
    isCompressed: true,
    images: {'docker-archive': [], oci: []},
  },
]

describe('what a conversion says of being exact', () => {
  const folder = temporaryFolder()
  let made = 0
  const fresh = (name: string) => path.join(folder.path, `${made++}-${name}`)

  async function archiveOf(members: readonly Member[]): Promise<string> {
    const file = fresh('source.tar')
    writeFileSync(file, await tarOf(members))
    return file
  }

  for (const {title, members, isCompressed, images} of ROWS) {
    for (const pins of ['keep', 'none'] as const)
      it(`is proven for packages: ${title}, --pins ${pins}`, async () => {
        const packages = isCompressed && pins === 'none' ? ['compression-not-kept'] : []
        const source = `docker-archive:${await archiveOf(members)}`
        const there = await convert(source, `inbox:${fresh('packages')}`, {layers: 'chain', pins})
        assert.deepEqual([there.inexact.map(({code}) => code), there.exact], [packages, packages.length === 0])
        for (const {layers} of there.artifacts)
          assert.deepEqual(
            layers.map(({rebuilt}) => rebuilt),
            [true],
          )
        const returned = await convert(there.artifacts.at(-1)!.reference, `oci:${fresh('back')}`)
        const [before, after] = [await inspect(source), await inspect(returned.artifacts[0]!.reference)]
        assert.equal(after.imageId, before.imageId)
        // The word is true: what is called exact has the same manifest, and what is not has another one.
        const hasManifest = before.manifestDigest !== undefined
        if (hasManifest) assert.equal(after.manifestDigest === before.manifestDigest, there.exact)
        const [reason] = there.inexact
        if (hasManifest && reason !== undefined)
          assert.ok(reason.message.includes(before.manifestDigest), reason.message)
        assert.match(
          formatConvert(there),
          there.exact ? /^Exact: /m : /^Not exact because:[^]*compressed[^]*^Not exact: /m,
        )
      })

    for (const [transport, codes] of Object.entries(images)) {
      it(`is proven for ${transport}: ${title}`, async () => {
        const report = await convert(`docker-archive:${await archiveOf(members)}`, `${transport}:${fresh('image')}`)
        assert.deepEqual([report.inexact.map(({code}) => code), report.exact], [codes, codes.length === 0])
      })
    }
  }

  for (const {title, options, members} of [
    {title: 'another compression', options: {compression: 'gzip' as const}, members: hybridMembers(PARTS)},
    {
      title: 'another format of the manifest',
      options: {manifestFormat: 'docker' as const},
      members: hybridMembers(PARTS),
    },
  ])
    it(`is not said of an image whose manifest has become another one: ${title}`, async () => {
      const report = await convert(`docker-archive:${await archiveOf(members)}`, `oci:${fresh('image')}`, options)
      assert.deepEqual([report.inexact.map(({code}) => code), report.exact], [['manifest-changed'], false])
    })

  it('is not said of an archive without manifests that is made of an image with one', async () => {
    const report = await convert(
      `docker-archive:${await archiveOf(hybridMembers(PARTS))}`,
      `docker-archive:${fresh('classic.tar')}`,
      {archiveFormat: 'docker'},
    )
    assert.deepEqual([report.inexact.map(({code}) => code), report.exact], [['manifest-changed'], false])
    assert.match(report.inexact[0]!.message, /destination stores none/)
  })

  it('is not said of packages that are there already and do not give their layer back', async () => {
    const source = `docker-archive:${await archiveOf(classicMembers(PARTS))}`
    const repository = fresh('packages')
    const first = await convert(source, `inbox:${repository}`, {layers: 'chain'})
    assert.equal(first.exact, true)
    const carriers = path.join(
      repository,
      readdirSync(repository).find((name) => name.startsWith('CN='))!,
      'Files',
    )
    const victim = readdirSync(carriers, {withFileTypes: true}).find((child) => child.isFile())!
    const bytes = readFileSync(path.join(carriers, victim.name))
    writeFileSync(path.join(carriers, victim.name), bytes.fill(bytes.at(-1)! ^ 1, bytes.length - 1))
    // Another source of the same layers: what has been proven of the first is not taken for it.
    const again = fresh('moved')
    renameSync(repository, again)
    const second = await convert(source, `inbox:${again}`, {layers: 'chain'})
    assert.ok(second.artifacts.every(({unchanged}) => unchanged === true))
    assert.deepEqual([second.inexact.map(({code}) => code), second.exact], [['layer-not-rebuilt'], false])
  })

  it('is not said of packages that were renamed, and is of those that were copied', async () => {
    const source = `docker-archive:${await archiveOf(classicMembers(PARTS))}`
    const there = await convert(source, `inbox:${fresh('packages')}`, {layers: 'chain'})
    const top = there.artifacts.at(-1)!.reference
    const copied = await convert(top, `inbox:${fresh('copy')}`)
    assert.deepEqual([copied.exact, copied.inexact], [true, []])
    const renamed = await convert(top, `inbox:${fresh('renamed')}`, {name: 'Other'})
    assert.deepEqual([renamed.inexact.map(({code}) => code), renamed.exact], [['identity-changed'], false])
  })

  // Packages that never were an image have no digest of a layer: their payload digest must come back.
  const WEB = 'CN=Contoso_WebServer_1.0.0.0'
  for (const {title, name, change} of [
    {
      title: 'a file that has changed',
      name: 'Hives/Security_Delta',
      change: (bytes: Buffer) => bytes.fill(1, 8000, 8001),
    },
    {
      title: 'a file that has grown',
      name: 'Hives/Security_Delta',
      change: (bytes: Buffer) => Buffer.concat([bytes, bytes]),
    },
    {
      title: 'a file that the index does not list',
      name: 'payload-index.jsonl',
      change: (bytes: Buffer) => bytes.toString().replace(/.*Security_Delta.*\n/, ''),
    },
    {
      title: 'an index in another order',
      name: 'payload-index.jsonl',
      change: (bytes: Buffer) => bytes.toString().replace(/^(.*\n)(.*\n)/, '$2$1'),
    },
    {
      title: 'times of a top folder that no layer holds',
      name: 'payload-index.jsonl',
      change: (bytes: Buffer) => `{"p":"Files","c":"1","a":"2","w":"3","h":"4"}\n${bytes.toString()}`,
    },
    {
      title: 'an index that is spelt in another way',
      name: 'payload-index.jsonl',
      change: (bytes: Buffer) => bytes.toString().replace(',', ', '),
    },
  ])
    it(`is not said of an image of a package with ${title}`, async () => {
      const root = fresh('repository')
      cpSync('samples/repository', root, {recursive: true, preserveTimestamps: true})
      const file = path.join(root, WEB, name)
      writeFileSync(file, change(readFileSync(file)))
      // Its digest is that of its index, and is stated anew, as whoever changes an index does.
      const index = readFileSync(path.join(root, WEB, 'payload-index.jsonl'))
      const metadata = path.join(root, WEB, 'metadata.json')
      const stated = readFileSync(metadata, 'utf8').replace(/("Digest":")sha256:[0-9a-f]+/, `$1sha256:${sha256(index)}`)
      writeFileSync(metadata, stated)
      const there = await convert(`inbox:${root}:WebServer`, `oci:${fresh('image')}`)
      assert.deepEqual([there.inexact.map(({code}) => code), there.exact], [['payload-changed'], false])
      assert.equal(there.inexact[0]?.subject, WEB)
    })

  it('is said of an image of packages whose payload comes back', async () => {
    const there = await convert('inbox:samples/repository:WebServer', `oci:${fresh('image')}`)
    assert.deepEqual([there.inexact, there.exact], [[], true])
  })
})
