import assert from 'node:assert/strict'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {pack} from 'tar-stream'
import {keyOf, valueOf, type HiveKey} from '../../src/codecs/registry-hive/hive-key.js'
import {unusedBytes} from '../../src/codecs/registry-hive/unused-bytes.js'
import {compare} from '../../src/convert/diff.js'
import {convert} from '../../src/index.js'
import {formatDiff} from '../../src/terminal/diff-text.js'
import {classicMembers, hybridMembers, partsOf, tarOf, type Member, type Parts} from '../helpers/archives.js'
import {collect} from '../helpers/bytes.js'
import {descriptorOf, hiveOf, text} from '../helpers/hives.js'
import {runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const CONFIG = 'Files/Windows/System32/config'
const FOLDERS = ['Files/', 'Files/Windows/', 'Files/Windows/System32/', `${CONFIG}/`].map((name): Member => [name, ''])
const key = (name: string, draft: Partial<Parameters<typeof keyOf>[0]> = {}): HiveKey =>
  keyOf({security: descriptorOf(18), ...draft, name})
const HIVE = Buffer.from(hiveOf(key('ROOT', {subkeys: [key('Shop', {values: [valueOf('Mode', 1, text('fast'))]})]})))

/** The hive with some of its unused bytes changed. */
function withUnused(count: number): Buffer {
  const changed = Buffer.from(HIVE)
  const isUnused = unusedBytes(HIVE)
  let left = count
  for (let at = 0; at < changed.length && left > 0; at++) {
    if (!isUnused(at)) continue
    changed[at] = changed[at]! ^ 0x5a
    left--
  }
  assert.equal(left, 0, 'the hive has too few unused bytes')
  return changed
}

function layerOf(members: readonly Member[], hive: Buffer = HIVE): Promise<Buffer> {
  return tarOf([...FOLDERS, [`${CONFIG}/SYSTEM`, hive], ...members])
}

/** The same members with a record that says nothing in front of each. */
async function spelt(members: readonly Member[]): Promise<Buffer> {
  const tar = pack()
  for (const [name, body] of members) {
    const common = {name, mtime: new Date(0), pax: {comment: 'spelt'}}
    if (name.endsWith('/')) tar.entry({...common, type: 'directory'})
    else tar.entry({...common, mode: 0o644}, body as Buffer | string)
  }
  tar.finalize()
  return collect(tar as AsyncIterable<Uint8Array>)
}

const A: Member = ['Files/a.txt', 'a']
const B: Member = ['Files/b.txt', 'b']

interface Row {
  readonly title: string
  readonly left: () => Promise<readonly Member[]>
  readonly right: () => Promise<readonly Member[]>
  /** Fields of the digests that differ. */
  readonly fields: readonly string[]
  /** What the last of them says. */
  readonly message: RegExp
  /** Something else is found as well. */
  readonly isSeen?: boolean
}

const classic = async (parts: Parts | Promise<Parts>) => classicMembers(await parts)
const one = async (layer: Promise<Buffer>, more: object = {}) => partsOf([await layer], more)
const sound = () => classic(one(layerOf([A, B])))

const ROWS: readonly Row[] = [
  {
    title: 'the history',
    left: sound,
    right: () => classic(one(layerOf([A, B]), {history: [{created_by: 'another'}]})),
    fields: ['config'],
    message: /differ in history\.$/,
  },
  {
    title: 'a label',
    left: sound,
    right: () => classic(one(layerOf([A, B]), {config: {Cmd: ['cmd'], ArgsEscaped: true, Labels: {a: '1'}}})),
    fields: ['config'],
    message: /config\.Labels/,
    isSeen: true,
  },
  {
    title: 'a label of our own',
    left: () => classic(one(layerOf([A, B]), {config: {Labels: {'io.transship.x': '1'}}})),
    right: () => classic(one(layerOf([A, B]), {config: {Labels: {'io.transship.x': '2'}}})),
    fields: ['config'],
    message: /config\.Labels\.io\.transship\.x/,
  },
  {
    title: 'how the configuration is spelt',
    left: sound,
    right: async () => {
      const parts = await one(layerOf([A, B]))
      const config = JSON.stringify(JSON.parse(parts.config), undefined, 1)
      return sound().then((members) =>
        members.map(([name, body]): Member =>
          name === 'manifest.json'
            ? [name, (body as string).replace(`${parts.imageId.slice(7)}.json`, 'config.json')]
            : body === parts.config
              ? ['config.json', config]
              : [name, body],
        ),
      )
    },
    fields: ['config'],
    message: /how they are spelt/,
  },
  {
    title: 'the order of the layers',
    left: async () => classicMembers(partsOf([await layerOf([A]), await layerOf([B])])),
    right: async () => classicMembers(partsOf([await layerOf([B]), await layerOf([A])])),
    fields: ['config', 'layers'],
    message: /same ones in a different order/,
  },
  {
    title: 'the number of the layers',
    left: sound,
    right: async () => classicMembers(partsOf([await layerOf([A, B]), await tarOf([['Files/', '']])])),
    fields: ['config', 'layers'],
    message: /left side has 1, the right side 2/,
  },
  {
    title: 'nothing but compression',
    left: async () => hybridMembers(await one(layerOf([A, B]))),
    right: async () => hybridMembers(await one(layerOf([A, B])), {compressed: true}),
    fields: ['manifest'],
    message: /manifests differ in layers/,
  },
  {
    title: 'the order of members',
    left: sound,
    right: () => classic(one(layerOf([B, A]))),
    fields: ['config', 'layers.0'],
    message: /their files and keys do not: their members come in another order/,
  },
  {
    title: 'the padding behind a layer',
    left: sound,
    right: () => classic(one(layerOf([A, B]).then((layer) => Buffer.concat([layer, Buffer.alloc(10240)])))),
    fields: ['config', 'layers.0'],
    message: /spelt in another way: headers, padding or PAX records/,
  },
  {
    title: 'how members are spelt',
    left: sound,
    right: () => classic(one(spelt([...FOLDERS, [`${CONFIG}/SYSTEM`, HIVE], A, B]))),
    fields: ['config', 'layers.0'],
    message: /spelt in another way/,
  },
  ...[1, 7].map((count): Row => ({
    title: `${count} unused bytes of a hive`,
    left: sound,
    right: () => classic(one(layerOf([A, B], withUnused(count)))),
    fields: ['config', 'layers.0'],
    message: new RegExp(`: ${count} bytes? of the hive '${CONFIG}/SYSTEM' differ in unused cells\\.$`),
  })),
]

describe('two images that differ', () => {
  const folder = temporaryFolder()
  let made = 0

  async function saved(members: readonly Member[]): Promise<string> {
    const file = path.join(folder.path, `${made++}.tar`)
    writeFileSync(file, await tarOf(members))
    return `docker-archive:${file}`
  }

  for (const {title, left, right, fields, message, isSeen = false} of ROWS)
    it(`are told to, in ${title}`, async () => {
      const found = await compare(await saved(await left()), await saved(await right()))
      const seen = found.metadata.length + found.files.length + found.registry.length
      if (fields.at(-1) !== 'layers') assert.equal(seen > 0, isSeen, JSON.stringify([found.metadata, found.files]))
      assert.deepEqual(
        found.digests.map(({field}) => field),
        fields,
      )
      assert.match(found.digests.at(-1)!.message, message)
      assert.equal(found.same, false)
      assert.match(formatDiff(found), /^Different between .* \(digests \d, metadata \d, files \d, registry \d\)\.$/m)
    })

  it('are the same in all digests when they are the same', async () => {
    const [left, right] = [await saved(await sound()), await saved(await sound())]
    const found = await compare(left, right)
    assert.deepEqual([found.digests, found.same], [[], true])
  })

  it('exit with 1, with a document of the schema; with --ignore-times only what times do not change counts', async () => {
    const [left, right] = [await saved(await sound()), await saved(await classic(one(layerOf([B, A]))))]
    const {code, json} = await runJson(['diff', left, right])
    assert.equal(code, 1)
    await assertSchema('diff', json)
    const timeless = await compare(left, right, {ignoreTimes: true})
    assert.deepEqual([timeless.same, timeless.digests], [true, []])
    assert.match(timeless.notCompared.join(), /Digests were not compared/)
    assert.equal((await compare(left, right, {parts: ['files', 'registry']})).same, true)
    assert.equal((await compare(left, right, {parts: ['digests']})).same, false)
  })

  it('are told to when they are packages: the payload has other bytes', async () => {
    const references = []
    for (const [index, members] of [await sound(), await classic(one(layerOf([A, B], withUnused(3))))].entries()) {
      const options = {layers: 'squash' as const, osLayers: 0, keepRecipe: false, name: 'Shop'}
      const report = await convert(
        await saved(members),
        `inbox:${path.join(folder.path, `packages-${index}`)}`,
        options,
      )
      references.push(report.artifacts.at(-1)!.reference)
    }
    const found = await compare(references[0]!, references[1]!)
    assert.deepEqual([found.same, found.files, found.registry], [false, [], []])
    const payload = found.digests.find(({field}) => field === 'payloads.0')
    assert.match(payload?.message ?? JSON.stringify(found.digests), /3 bytes of the hive .* differ in unused cells/)
  })
})
