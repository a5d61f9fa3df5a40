import {gzipSync} from 'node:zlib'
import {
  classicMembers,
  craneMembers,
  hybridMembers,
  sha256,
  tarOf,
  v1Members,
  type Member,
} from '../../helpers/archives.js'
import {OCI} from '../../helpers/layouts.js'
import {rawMember} from '../../helpers/raw-tar.js'
import {LAYERS, PARTS, damaged} from './image-parts.js'
import type {Built, HostileInput} from './input.js'

const CLASSIC = classicMembers(PARTS)
const HYBRID = hybridMembers(PARTS)
const CONFIG = `${PARTS.imageId.slice(7)}.json`

const replaced = (members: readonly Member[], name: string, body: Buffer | string): Member[] =>
  members.map(([own, old]): Member => [own, own === name ? body : old])
const without = (members: readonly Member[], isGone: (name: string, body: unknown) => boolean): Member[] =>
  members.filter(([name, body]) => !isGone(name, body))
const bodyOf = (members: readonly Member[], name: string): string =>
  members.find(([own]) => own === name)?.[1] as string
const nameOf = (members: readonly Member[], body: Buffer): string => members.find(([, own]) => own === body)?.[0] ?? ''
const withManifest = (members: readonly Member[], change: (item: Record<string, unknown>) => unknown): Member[] =>
  replaced(
    members,
    'manifest.json',
    JSON.stringify((JSON.parse(bodyOf(members, 'manifest.json')) as Record<string, unknown>[]).map(change)),
  )
const withConfig = (text: string): Member[] =>
  classicMembers({...PARTS, config: text, imageId: `sha256:${sha256(text)}`})
const deep = (count: number): string => `${'['.repeat(count)}${']'.repeat(count)}`

const ARCHIVES: readonly {name: string; code: string; entry?: string; members: () => readonly Member[]}[] = [
  {
    name: 'a layer of another diffID',
    code: 'DIGEST_MISMATCH',
    entry: 'layer 1',
    members: () => replaced(CLASSIC, nameOf(CLASSIC, LAYERS[1]!), damaged(LAYERS[1]!)),
  },
  {
    name: 'a blob of another name',
    code: 'DIGEST_MISMATCH',
    members: () => replaced(HYBRID, nameOf(HYBRID, LAYERS[1]!), damaged(LAYERS[1]!)),
  },
  {
    name: 'layers in another order',
    code: 'DIGEST_MISMATCH',
    members: () => classicMembers({...PARTS, layers: [LAYERS[1]!, LAYERS[0]!]}),
  },
  {
    name: 'a layer of another image',
    code: 'DIGEST_MISMATCH',
    members: () => craneMembers({...PARTS, layers: [LAYERS[0]!, LAYERS[0]!]}),
  },
  {
    name: 'a layer that is missing',
    code: 'LAYER_MISSING',
    members: () => without(CLASSIC, (_, body) => body === LAYERS[1]),
  },
  {
    name: 'a blob that is missing',
    code: 'LAYER_MISSING',
    members: () => without(HYBRID, (_, body) => body === LAYERS[0]),
  },
  {
    name: 'a link to a missing layer',
    code: 'LAYER_MISSING',
    members: () =>
      withManifest([...CLASSIC, ['gone.tar', {link: 'nowhere/layer.tar'}]], (item) => ({
        ...item,
        Layers: ['gone.tar', 'gone.tar'],
      })),
  },
  {
    name: 'a layer link that leads out',
    code: 'NAME_UNSAFE',
    members: () =>
      withManifest([...CLASSIC, ['out.tar', {link: '../../../../etc/passwd'}]], (item) => ({
        ...item,
        Layers: ['out.tar', 'out.tar'],
      })),
  },
  {
    name: 'layer links in a circle',
    code: 'ARCHIVE_CORRUPT',
    members: () =>
      withManifest([...CLASSIC, ['a.tar', {link: 'b.tar'}], ['b.tar', {link: 'a.tar'}]], (item) => ({
        ...item,
        Layers: ['a.tar', 'b.tar'],
      })),
  },
  {
    name: 'a layer path that leads out',
    code: 'NAME_UNSAFE',
    members: () => withManifest(CLASSIC, (item) => ({...item, Layers: ['../../etc/passwd', '/etc/passwd']})),
  },
  {
    name: 'a configuration path that leads out',
    code: 'NAME_UNSAFE',
    members: () => withManifest(CLASSIC, (item) => ({...item, Config: '../../etc/passwd'})),
  },
  {
    name: 'a configuration that is missing',
    code: 'CONFIG_MISSING',
    entry: CONFIG,
    members: () => without(CLASSIC, (name) => name === CONFIG),
  },
  {
    name: 'a configuration of another digest',
    code: 'DIGEST_MISMATCH',
    members: () => replaced(CLASSIC, CONFIG, `${PARTS.config} `),
  },
  {name: 'a configuration that is cut', code: 'CONFIG_INVALID', members: () => withConfig('{"os":')},
  {name: 'a configuration that is a list', code: 'CONFIG_INVALID', members: () => withConfig('[]')},
  {
    name: 'diffIDs of an unknown algorithm',
    code: 'CONFIG_INVALID',
    members: () => withConfig(PARTS.config.replaceAll('sha256:', 'md5:')),
  },
  {
    name: 'diffIDs that are a number',
    code: 'CONFIG_INVALID',
    members: () => withConfig(PARTS.config.replace(/"diff_ids":\[[^\]]*\]/, '"diff_ids":7')),
  },
  {
    name: 'an unknown kind of root file system',
    code: 'CONFIG_INVALID',
    members: () => withConfig(PARTS.config.replace('"type":"layers"', '"type":"zfs"')),
  },
  {
    name: 'a history that is no list of objects',
    code: 'CONFIG_INVALID',
    members: () => withConfig(PARTS.config.replace(/"history":\[.*\]/, '"history":[7]')),
  },
  {
    name: 'labels that are no text',
    code: 'CONFIG_INVALID',
    members: () => withConfig(PARTS.config.replace('"config":{', '"config":{"Labels":{"a":1},')),
  },
  {
    name: 'a configuration of 21 MiB',
    code: 'LIMIT_EXCEEDED',
    members: () => withConfig(`${PARTS.config.slice(0, -1)},"pad":"${'x'.repeat(21 * 2 ** 20)}"}`),
  },
  {
    name: 'a label of packages that is no JSON',
    code: 'accepted',
    members: () => withConfig(PARTS.config.replace('"config":{', '"config":{"Labels":{"io.transship.package":"{"},')),
  },
  {name: 'nothing that names an image', code: 'UNRECOGNISED_FORMAT', members: () => [['hello.txt', 'x']]},
  {
    name: 'a manifest.json that is cut',
    code: 'MANIFEST_INVALID',
    members: () => replaced(CLASSIC, 'manifest.json', bodyOf(CLASSIC, 'manifest.json').slice(0, -9)),
  },
  {
    name: 'a manifest.json that is not UTF-8',
    code: 'MANIFEST_INVALID',
    members: () => replaced(CLASSIC, 'manifest.json', Buffer.from([0x5b, 0x22, 0xff, 0xfe, 0x22, 0x5d])),
  },
  {
    name: 'a manifest.json without a configuration',
    code: 'MANIFEST_INVALID',
    members: () => withManifest(CLASSIC, ({Config: _, ...item}) => item),
  },
  {
    name: 'a manifest.json of 21 MiB',
    code: 'LIMIT_EXCEEDED',
    members: () => replaced(CLASSIC, 'manifest.json', Buffer.alloc(21 * 2 ** 20, ' ')),
  },
  {
    name: 'a manifest.json of 200,000 levels',
    code: 'MANIFEST_INVALID',
    members: () => replaced(CLASSIC, 'manifest.json', deep(200_000)),
  },
  {
    name: 'a manifest.json that is null',
    code: 'MANIFEST_INVALID',
    members: () => replaced(CLASSIC, 'manifest.json', 'null'),
  },
  {
    name: 'fewer layers than diffIDs',
    code: 'ARCHIVE_CONTRADICTORY',
    members: () => withManifest(CLASSIC, (item) => ({...item, Layers: (item['Layers'] as string[]).slice(0, 1)})),
  },
  {
    name: 'an index.json that is cut',
    code: 'MANIFEST_INVALID',
    members: () => replaced(hybridMembers(PARTS, {withManifestJson: false}), 'index.json', '{"manifests":['),
  },
  {
    name: 'an index.json with a path for a digest',
    code: 'MANIFEST_INVALID',
    members: () =>
      replaced(
        hybridMembers(PARTS, {withManifestJson: false}),
        'index.json',
        `{"schemaVersion":2,"manifests":[{"mediaType":"${OCI.manifest}","digest":"sha256:../../etc","size":1}]}`,
      ),
  },
  {
    name: 'v1 layers in a circle',
    code: 'ARCHIVE_CORRUPT',
    members: () => replaced(v1Members(PARTS), `${sha256('v1 0')}/json`, JSON.stringify({parent: sha256('v1 1')})),
  },
  {
    name: 'a v1 parent that is missing',
    code: 'LAYER_MISSING',
    members: () => replaced(v1Members(PARTS), `${sha256('v1 0')}/json`, JSON.stringify({parent: sha256('gone')})),
  },
]

const archives: readonly HostileInput[] = ARCHIVES.map(({name, code, entry, members}) => ({
  name,
  format: 'archive',
  use: 'convert',
  code,
  exit: code === 'accepted' ? 0 : 3,
  ...(entry === undefined ? {} : {entry}),
  async build(): Promise<Built> {
    const archive = await tarOf(members())
    return {
      reference: (folder) => `docker-archive:${folder}/image.tar`,
      files: {'image.tar': archive},
      forms: {archive},
    }
  },
}))

const WHOLE = () => tarOf(CLASSIC)
const RAW: readonly {name: string; code: string; bytes: () => Promise<Buffer>}[] = [
  {name: 'an empty archive', code: 'ARCHIVE_TRUNCATED', bytes: () => Promise.resolve(Buffer.alloc(0))},
  {
    name: 'an archive that is cut in a header',
    code: 'ARCHIVE_TRUNCATED',
    bytes: async () => (await WHOLE()).subarray(0, 700),
  },
  {
    name: 'an archive that is cut in a body',
    code: 'ARCHIVE_TRUNCATED',
    bytes: async () => (await WHOLE()).subarray(0, 4000),
  },
  {
    name: 'an archive without its end',
    code: 'ARCHIVE_TRUNCATED',
    bytes: async () => (await WHOLE()).subarray(0, -1024),
  },
  {
    name: 'a gzip archive that is cut',
    code: 'ARCHIVE_TRUNCATED',
    bytes: async () => gzipSync(await WHOLE()).subarray(0, -40),
  },
  {name: 'an archive of noise', code: 'UNRECOGNISED_FORMAT', bytes: () => Promise.resolve(Buffer.alloc(5000, 0xa5))},
  {
    name: 'an archive that PowerShell wrote as text',
    code: 'ARCHIVE_CORRUPT',
    bytes: async () => Buffer.from(`\ufeff${(await WHOLE()).toString('latin1')}`, 'utf16le'),
  },
  {
    name: 'a name that leads out of an archive',
    code: 'accepted',
    bytes: async () => Buffer.concat([rawMember({name: '../../evil'}, 'x'), await WHOLE()]),
  },
]

const raw: readonly HostileInput[] = RAW.map(({name, code, bytes}) => ({
  name,
  format: 'archive',
  use: 'list',
  code,
  exit: code === 'accepted' ? 0 : 3,
  async build(): Promise<Built> {
    const archive = await bytes()
    return {
      reference: (folder) => `docker-archive:${folder}/image.tar`,
      files: {'image.tar': archive},
      forms: {archive},
    }
  },
}))

export const ARCHIVE_INPUTS: readonly HostileInput[] = [...archives, ...raw]
