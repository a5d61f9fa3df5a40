import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync, gzipSync} from 'node:zlib'
import {
  classicMembers,
  craneMembers,
  hybridMembers,
  partsOf,
  podmanMembers,
  sha256,
  tarOf,
  v1Members,
  type Member,
} from '../helpers/archives.js'
import {ALL_TARGETS, assertRefused, DECODING_TARGETS} from '../helpers/refusals.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const LINKS = gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))
const PARTS = partsOf([BASIC, LINKS])
const classic = classicMembers(PARTS)
const hybrid = hybridMembers(PARTS)
const configName = `${PARTS.imageId.slice(7)}.json`
const configBlob = `blobs/sha256/${PARTS.imageId.slice(7)}`

function replaced(members: readonly Member[], name: string, body: Buffer | string): Member[] {
  return members.map(([own, old]): Member => [own, own === name ? body : old])
}

function without(members: readonly Member[], name: string): Member[] {
  return members.filter(([own]) => own !== name)
}

function bodyOf(members: readonly Member[], name: string): string {
  const body = members.find(([own]) => own === name)?.[1]
  return typeof body === 'string' ? body : ''
}

function nameOfBody(members: readonly Member[], body: Buffer): string {
  return members.find(([, own]) => own === body)?.[0] ?? ''
}

/** manifest.json changed as JSON. */
function withManifest(members: readonly Member[], change: (item: Record<string, unknown>) => unknown): Member[] {
  const items = JSON.parse(bodyOf(members, 'manifest.json')) as Record<string, unknown>[]
  return replaced(members, 'manifest.json', JSON.stringify(items.map(change)))
}

/** The configuration changed, with all that names it by digest made to fit: only what it says is wrong. */
function withConfig(text: string): Member[] {
  return classicMembers({...PARTS, config: text, imageId: `sha256:${sha256(text)}`})
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = copy[at]! ^ 1
  return copy
}

interface Row {
  readonly title: string
  readonly members: readonly Member[]
  readonly code: string
  readonly names: readonly (string | RegExp)[]
}

/** In the content of a file of the layer, so that its tar stays one. */
const DAMAGED = flipped(LINKS, LINKS.lastIndexOf('\n') - 1)

const ROWS: readonly Row[] = [
  {
    title: 'a layer whose bytes are not those of its diffID',
    members: replaced(classic, nameOfBody(classic, LINKS), DAMAGED),
    code: 'DIGEST_MISMATCH',
    names: ['layer 1'],
  },
  {
    title: 'a blob whose bytes are not those of its name',
    members: replaced(hybrid, nameOfBody(hybrid, LINKS), DAMAGED),
    code: 'DIGEST_MISMATCH',
    names: ['layer 1', PARTS.diffIds[1]!],
  },
  {
    title: 'a lowest layer whose bytes are not those of its diffID',
    members: replaced(classic, nameOfBody(classic, BASIC), flipped(BASIC, BASIC.lastIndexOf('\n') - 1)),
    code: 'DIGEST_MISMATCH',
    names: ['layer 0'],
  },
  {
    title: 'layers in another order than their diffIDs',
    members: classicMembers({...PARTS, layers: [LINKS, BASIC]}),
    code: 'DIGEST_MISMATCH',
    names: [/layer [01]/],
  },
  {
    title: 'a compressed layer that is sound, of another image',
    members: craneMembers({...PARTS, layers: [BASIC, BASIC]}),
    code: 'DIGEST_MISMATCH',
    names: ['layer 1'],
  },
  {
    title: 'a compressed layer that is cut',
    members: replaced(craneMembers(PARTS), `${sha256(gzipSync(LINKS))}.tar.gz`, gzipSync(LINKS).subarray(0, 900)),
    code: 'LAYER_CORRUPT|DIGEST_MISMATCH|SIZE_MISMATCH',
    names: ['layer 1'],
  },
  {
    title: 'a layer that is cut',
    members: replaced(classic, nameOfBody(classic, LINKS), LINKS.subarray(0, 1024)),
    code: 'LAYER_CORRUPT|DIGEST_MISMATCH|SIZE_MISMATCH',
    names: ['layer 1'],
  },
  {
    title: 'a layer that is missing',
    members: without(classic, nameOfBody(classic, LINKS)),
    code: 'LAYER_MISSING',
    names: [/layer 1/i, nameOfBody(classic, LINKS)],
  },
  {
    title: 'a blob that is missing',
    members: without(hybrid, nameOfBody(hybrid, BASIC)),
    code: 'LAYER_MISSING',
    names: [/layer 0/i],
  },
  {
    title: 'a blob that is missing, without a manifest.json',
    members: without(hybridMembers(PARTS, {withManifestJson: false}), nameOfBody(hybrid, BASIC)),
    code: 'LAYER_MISSING',
    names: [/layer 0/i],
  },
  {
    title: 'a link to a layer that is missing',
    members: withManifest([...classic, ['gone.tar', {link: 'nowhere/layer.tar'}]], (item) => ({
      ...item,
      Layers: ['gone.tar', 'gone.tar'],
    })),
    code: 'LAYER_MISSING',
    names: [/layer 0/i, 'gone.tar'],
  },
  {
    title: 'a configuration that is missing',
    members: without(classic, configName),
    code: 'CONFIG_MISSING',
    names: [configName],
  },
  {
    title: 'a configuration that is missing, without a manifest.json',
    members: without(hybridMembers(PARTS, {withManifestJson: false}), configBlob),
    code: 'CONFIG_MISSING',
    names: [PARTS.imageId],
  },
  {
    title: 'a configuration that is not what its name says',
    members: replaced(classic, configName, `${PARTS.config} `),
    code: 'DIGEST_MISMATCH',
    names: [configName],
  },
  {title: 'a configuration that is no JSON', members: withConfig('{"os":'), code: 'CONFIG_INVALID', names: ['.json']},
  {title: 'a configuration that is a list', members: withConfig('[]'), code: 'CONFIG_INVALID', names: ['.json']},
  {
    title: 'a configuration whose diffIDs are none',
    members: withConfig(PARTS.config.replaceAll('sha256:', 'sha257:')),
    code: 'CONFIG_INVALID',
    names: ['sha257:', '.json'],
  },
  {
    title: 'a configuration of more than any size',
    members: withConfig(`${PARTS.config.slice(0, -1)},"pad":"${'x'.repeat(21 * 2 ** 20)}"}`),
    code: 'LIMIT_EXCEEDED',
    names: ['.json'],
  },
  {
    title: 'a configuration with a number where a list belongs',
    members: withConfig(PARTS.config.replace(/"diff_ids":\[[^\]]*\]/, '"diff_ids":7')),
    code: 'CONFIG_INVALID',
    names: ['.json', 'diff_ids'],
  },
  {
    title: 'nothing that tells its images',
    members: [['hello.txt', 'x']],
    code: 'MANIFEST_MISSING|UNRECOGNISED_FORMAT|NOT_FOUND',
    names: [],
  },
  {
    title: 'a manifest.json that is cut',
    members: replaced(classic, 'manifest.json', bodyOf(classic, 'manifest.json').slice(0, -9)),
    code: 'MANIFEST_INVALID',
    names: ['manifest.json'],
  },
  {
    title: 'a manifest.json that is no UTF-8',
    members: replaced(classic, 'manifest.json', Buffer.from([0x5b, 0x22, 0xff, 0xfe, 0x22, 0x5d])),
    code: 'MANIFEST_INVALID',
    names: ['manifest.json'],
  },
  {
    title: 'a manifest.json without a configuration',
    members: withManifest(classic, ({Config: _, ...item}) => item),
    code: 'MANIFEST_INVALID',
    names: ['manifest.json', 'Config'],
  },
  {
    title: 'a manifest.json of more than any size',
    members: replaced(classic, 'manifest.json', Buffer.alloc(21 * 2 ** 20, ' ')),
    code: 'LIMIT_EXCEEDED',
    names: ['manifest.json'],
  },
  {
    title: 'a manifest.json nested deeper than any parser likes',
    members: replaced(classic, 'manifest.json', `${'['.repeat(200_000)}${']'.repeat(200_000)}`),
    code: 'MANIFEST_INVALID',
    names: ['manifest.json'],
  },
  {
    title: 'a manifest.json and a configuration that disagree about the layers',
    members: withManifest(classic, (item) => ({...item, Layers: (item['Layers'] as string[]).slice(0, 1)})),
    code: 'ARCHIVE_CONTRADICTORY',
    names: ['manifest.json', configName],
  },
  {
    title: 'an index.json that is no JSON',
    members: replaced(hybridMembers(PARTS, {withManifestJson: false}), 'index.json', '{"manifests":['),
    code: 'MANIFEST_INVALID',
    names: ['index.json'],
  },
  {
    title: 'an index.json that names no digest',
    members: replaced(
      hybridMembers(PARTS, {withManifestJson: false}),
      'index.json',
      '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:../../etc","size":1}]}',
    ),
    code: 'MANIFEST_INVALID',
    names: ['index.json', '../../etc'],
  },
  {
    title: 'a layer path that leads out of the archive',
    members: withManifest(classic, (item) => ({...item, Layers: ['../../etc/passwd', '/etc/passwd']})),
    code: 'NAME_UNSAFE',
    names: ['../../etc/passwd'],
  },
  {
    title: 'v1 layers whose parents lead in a circle',
    members: replaced(v1Members(PARTS), `${sha256('v1 0')}/json`, JSON.stringify({parent: sha256('v1 1')})),
    code: 'ARCHIVE_CORRUPT',
    names: [],
  },
  {
    title: 'a v1 layer whose parent is missing',
    members: replaced(v1Members(PARTS), `${sha256('v1 0')}/json`, JSON.stringify({parent: sha256('gone')})),
    code: 'LAYER_MISSING',
    names: [sha256('gone').slice(0, 12)],
  },
]

describe('bad input: archives', () => {
  const folder = temporaryFolder()
  let count = 0

  /** A folder of its own with the archive in it. */
  function placed(bytes: Buffer): {file: string; to: string} {
    const place = path.join(folder.path, String(count++))
    mkdirSync(place)
    const file = path.join(place, 'image.tar')
    writeFileSync(file, bytes)
    return {file, to: path.join(place, 'to')}
  }

  for (const {title, members, code, names} of ROWS)
    for (const target of ALL_TARGETS)
      it(`with ${title} are refused with ${code}, and nothing is changed: ${target.title}`, async () => {
        const {file, to} = placed(await tarOf(members))
        await assertRefused(`docker-archive:${file}`, target, to, {code, names: [file, ...names]})
      })

  const forms = [
    {form: 'classic', members: classic},
    {form: 'hybrid', members: hybrid},
    {form: 'podman', members: podmanMembers(PARTS)},
    {form: 'crane', members: craneMembers(PARTS)},
    {form: 'v1', members: v1Members(PARTS)},
  ]
  for (const {form, members} of forms)
    for (const target of [ALL_TARGETS[1]!, ALL_TARGETS[0]!, ALL_TARGETS.at(-2)!])
      it(`of the form ${form} are refused wherever they are cut, and nothing is changed: ${target.title}`, async () => {
        const tar = await tarOf(members)
        const ends = [0, 1, 511, 512, 513, 700, 1024, 4096, 10_000, tar.length >> 1, tar.length - 1536, tar.length - 1]
        for (const end of ends.filter((length) => length < tar.length)) {
          const {file, to} = placed(tar.subarray(0, end))
          await assertRefused(`docker-archive:${file}`, target, to, {
            code: 'ARCHIVE_TRUNCATED|ARCHIVE_CORRUPT',
            names: [file],
          })
        }
      })

  it('that are compressed are refused when cut', async () => {
    const packed = gzipSync(await tarOf(classic))
    for (const end of [1, 10, 17, 500, packed.length >> 1, packed.length - 9, packed.length - 1]) {
      const {file, to} = placed(packed.subarray(0, end))
      await assertRefused(`docker-archive:${file}`, DECODING_TARGETS[1]!, to, {
        code: 'ARCHIVE_TRUNCATED|ARCHIVE_CORRUPT',
        names: [file],
      })
    }
  })
})
