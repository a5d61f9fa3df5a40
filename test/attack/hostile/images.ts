import {gzipSync} from 'node:zlib'
import {
  classicMembers,
  craneMembers,
  hybridMembers,
  partsOf,
  sha256,
  tarOf,
  v1Members,
  type Member,
  type Parts,
} from '../../helpers/archives.js'
import {LayoutBuilder, OCI} from '../../helpers/layouts.js'
import {RAW_END, rawMember} from '../../helpers/raw-tar.js'
import type {Built, Files, HostileInput, Use} from './input.js'

const TOP = rawMember({name: 'Files/', type: '5'})
/** With the name that umoci asks for. */
const NAMED = {annotations: {'org.opencontainers.image.ref.name': 'app'}}
const LAYERS = ['one', 'two'].map((text) =>
  Buffer.concat([TOP, rawMember({name: `Files/${text}`}, text.repeat(300)), RAW_END]),
)
const PARTS = partsOf(LAYERS)
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
const damaged = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes)
  copy[1030] = (copy[1030] ?? 0) ^ 1
  return copy
}
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

const MARKER = '{"imageLayoutVersion":"1.0.0"}'
type Draft = {builder: LayoutBuilder; parts: Parts}

type Layout = (parts: Parts) => Files

/** An OCI layout whose index holds what `make` gives, of the image that it is given. */
const layoutOf =
  (make: (draft: Draft) => readonly object[] | string, more: Files = {}): Layout =>
  (parts) => {
    const draft = {builder: new LayoutBuilder(), parts}
    const made = make(draft)
    const index =
      typeof made === 'string'
        ? made
        : JSON.stringify({schemaVersion: 2, mediaType: OCI.index, manifests: made.map((each) => ({...NAMED, ...each}))})
    return {'oci-layout': MARKER, ...Object.fromEntries(draft.builder.files), 'index.json': index, ...more}
  }

const blobName = (descriptor: Record<string, unknown>) => `blobs/sha256/${String(descriptor['digest']).slice(7)}`

const LAYOUTS: readonly {name: string; code: string; use?: Use; files: Layout}[] = [
  {name: 'no oci-layout file', code: 'ARCHIVE_CORRUPT', files: () => ({'index.json': '{}'})},
  {
    name: 'an unknown version of the layout',
    code: 'FORMAT_UNSUPPORTED',
    files: layoutOf(({builder, parts}) => [builder.image(parts)], {'oci-layout': '{"imageLayoutVersion":"9.9.9"}'}),
  },
  {name: 'no index.json', code: 'MANIFEST_MISSING', files: () => ({'oci-layout': MARKER})},
  {name: 'an index of a layout that is cut', code: 'MANIFEST_INVALID', files: layoutOf(() => '{"manifests":[')},
  {
    name: 'an index that is a manifest as well',
    code: 'MANIFEST_INVALID',
    files: layoutOf(() => '{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}'),
  },
  {
    name: 'a manifest that is an index as well',
    code: 'MANIFEST_INVALID',
    files: layoutOf(({builder, parts}) => [builder.image(parts, {manifest: {manifests: []}})]),
  },
  {
    name: 'a manifest of another digest',
    code: 'DIGEST_MISMATCH',
    files: layoutOf(({builder, parts}) => {
      const image = builder.image(parts)
      builder.files.set(blobName(image), Buffer.from(`${builder.files.get(blobName(image))!.toString().slice(0, -1)} `))
      return [image]
    }),
  },
  {
    name: 'a manifest of another size',
    code: 'SIZE_MISMATCH',
    files: layoutOf(({builder, parts}) => [{...builder.image(parts), size: 5}]),
  },
  {
    name: 'a manifest that is missing',
    code: 'NOT_FOUND',
    files: layoutOf(() => [{mediaType: OCI.manifest, digest: `sha256:${'0'.repeat(64)}`, size: 7}]),
  },
  {
    name: 'a digest that is a path',
    code: 'MANIFEST_INVALID',
    files: layoutOf(() => [{mediaType: OCI.manifest, digest: 'sha256:../../../etc/passwd', size: 7}]),
  },
  {
    name: 'a digest of an unknown algorithm',
    code: 'MANIFEST_INVALID',
    files: layoutOf(() => [{mediaType: OCI.manifest, digest: 'md5:d41d8cd98f00b204e9800998ecf8427e', size: 7}]),
  },
  {
    name: 'a descriptor with a size below zero',
    code: 'MANIFEST_INVALID',
    files: layoutOf(({builder, parts}) => [{...builder.image(parts), size: -1}]),
  },
  {
    name: 'an unknown type of manifest',
    code: 'FORMAT_UNSUPPORTED',
    files: layoutOf(({builder, parts}) => [{...builder.image(parts), mediaType: 'text/html'}]),
  },
  {
    name: 'an index that holds itself',
    code: 'DIGEST_MISMATCH',
    files: layoutOf(() => [{mediaType: OCI.index, digest: `sha256:${'a'.repeat(64)}`, size: 2}], {
      [`blobs/sha256/${'a'.repeat(64)}`]: '{}',
    }),
  },
  {
    name: 'indexes of 40 levels',
    code: 'LIMIT_EXCEEDED',
    files: layoutOf(({builder, parts}) => {
      let top = builder.image(parts)
      for (let level = 0; level < 40; level++) top = builder.index([top])
      return [top]
    }),
  },
  {
    name: 'a layer blob of another digest',
    code: 'DIGEST_MISMATCH',
    files: layoutOf(({builder, parts}) => {
      const layer = builder.blob(OCI.layer, LAYERS[0]!)
      builder.files.set(blobName(layer), damaged(LAYERS[0]!))
      return [builder.image(parts, {layers: [layer, builder.blob(OCI.layer, LAYERS[1]!)]})]
    }),
  },
  {
    name: 'a layer blob of another size',
    code: 'SIZE_MISMATCH',
    files: layoutOf(({builder, parts}) => [
      builder.image(parts, {
        layers: [{...builder.blob(OCI.layer, LAYERS[0]!), size: 5}, builder.blob(OCI.layer, LAYERS[1]!)],
      }),
    ]),
  },
  {
    name: 'more layers than diffIDs',
    code: 'ARCHIVE_CONTRADICTORY',
    files: layoutOf(({builder, parts}) => [
      builder.image(parts, {layers: [0, 1, 1].map((at) => builder.blob(OCI.layer, LAYERS[at]!))}),
    ]),
  },
  {
    name: 'an unknown type of layer',
    code: 'FORMAT_UNSUPPORTED',
    files: layoutOf(({builder, parts}) => [
      builder.image(parts, {layers: LAYERS.map((layer) => builder.blob('application/x-unknown', layer))}),
    ]),
  },
  {
    name: 'a layer that says gzip and is none',
    code: 'accepted',
    files: layoutOf(({builder, parts}) => [
      builder.image(parts, {layers: LAYERS.map((layer) => builder.blob(`${OCI.layer}+gzip`, layer))}),
    ]),
  },
  {
    name: 'embedded data of another digest',
    code: 'SIZE_MISMATCH',
    files: layoutOf(({builder, parts}) => [{...builder.image(parts), data: Buffer.from('{}').toString('base64')}]),
  },
  {
    name: 'two images of one name',
    code: 'AMBIGUOUS_SELECTION',
    files: layoutOf(({builder, parts}) => [
      {...builder.image(parts), ...NAMED},
      {...builder.image(partsOf([LAYERS[1]!])), ...NAMED},
    ]),
  },
]

const layouts: readonly HostileInput[] = LAYOUTS.map(({name, code, use = 'convert', files}) => ({
  name,
  format: 'OCI layout',
  use,
  code,
  exit: code === 'accepted' ? 0 : code === 'AMBIGUOUS_SELECTION' ? 2 : 3,
  build(): Built {
    // umoci unpacks for Linux alone.
    const layout = files({...PARTS, ...partsOf(LAYERS, {os: 'linux'})})
    return {reference: (folder) => `oci:${folder}`, files: files(PARTS), forms: {layout}}
  },
}))

export const IMAGE_INPUTS: readonly HostileInput[] = [...archives, ...raw, ...layouts]
