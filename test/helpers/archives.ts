import {createHash} from 'node:crypto'
import {gzipSync} from 'node:zlib'
import {pack} from 'tar-stream'
import {collect} from './bytes.js'

/** A member of a hand-built tar: a body, or a link. */
export type Member = readonly [name: string, body: Buffer | string | {readonly link: string}]

/** A tar with exactly these members, in this order. */
export async function tarOf(members: readonly Member[]): Promise<Buffer> {
  const tar = pack()
  for (const [name, body] of members) {
    const mtime = new Date(0)
    if (typeof body === 'object' && 'link' in body) tar.entry({name, type: 'symlink', linkname: body.link, mtime})
    else if (name.endsWith('/')) tar.entry({name, type: 'directory', mtime})
    else tar.entry({name, mtime, mode: 0o644}, body)
  }
  tar.finalize()
  return collect(tar as AsyncIterable<Uint8Array>)
}

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** What the hand-built archives hold: layer tars, and a configuration over them. */
export interface Parts {
  readonly layers: readonly Buffer[]
  readonly config: string
  readonly diffIds: readonly string[]
  readonly imageId: string
}

export function partsOf(layers: readonly Buffer[], more: object = {}): Parts {
  const diffIds = layers.map((layer) => `sha256:${sha256(layer)}`)
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'windows',
    'os.version': '10.0.20348.2113',
    created: '2024-01-02T03:04:05Z',
    config: {Cmd: ['cmd'], ArgsEscaped: true},
    rootfs: {type: 'layers', diff_ids: diffIds},
    history: layers.map((_, index) => ({created: '2024-01-02T03:04:05Z', created_by: `step <${index}>`})),
    ...more,
  })
  return {layers, config, diffIds, imageId: `sha256:${sha256(config)}`}
}

/** Docker 1.10 to 24: `<id>/layer.tar`, the second of two equal layers a link. */
export function classicMembers(parts: Parts, tags: readonly string[] = ['app:1']): Member[] {
  const members: Member[] = []
  const ids = parts.layers.map((_, index) => sha256(`id ${parts.imageId} ${index}`))
  for (const [index, layer] of parts.layers.entries()) {
    const first = parts.diffIds.indexOf(parts.diffIds[index]!)
    members.push([`${ids[index]!}/`, ''], [`${ids[index]!}/VERSION`, '1.0'], [`${ids[index]!}/json`, '{}'])
    // Saves made on Windows join the link with a backslash.
    members.push([`${ids[index]!}/layer.tar`, first === index ? layer : {link: `..\\${ids[first]!}\\layer.tar`}])
  }
  const config = `${parts.imageId.slice(7)}.json`
  const manifest = [{Config: config, RepoTags: tags, Layers: ids.map((id) => `${id}/layer.tar`)}]
  return [...members, [config, parts.config], ['manifest.json', JSON.stringify(manifest)]]
}

/** podman and skopeo: layers at the root, `<id>/layer.tar` links to them, full names. */
export function podmanMembers(parts: Parts): Member[] {
  const names = parts.diffIds.map((diffId) => `${diffId.slice(7)}.tar`)
  const config = `${parts.imageId.slice(7)}.json`
  const members: Member[] = [...new Map(parts.layers.map((layer, index) => [names[index]!, layer]))]
  const manifest = [{Config: config, RepoTags: ['docker.io/library/app:1'], Layers: names}]
  members.push([config, parts.config], [`${sha256('x')}/layer.tar`, {link: `../${names[0]!}`}])
  return [...members, ['manifest.json', JSON.stringify(manifest)], ['repositories', '{}']]
}

/** crane: a colon in the name of the configuration, compressed layers named by their blob's digest. */
export function craneMembers(parts: Parts): Member[] {
  const blobs = parts.layers.map((layer) => gzipSync(layer))
  const names = blobs.map((blob) => `${sha256(blob)}.tar.gz`)
  const manifest = [{Config: parts.imageId, RepoTags: ['app:1'], Layers: names}]
  const unique = new Map(blobs.map((bytes, index) => [names[index]!, bytes]))
  const members: Member[] = [[parts.imageId, parts.config], ...unique]
  return [...members, ['manifest.json', JSON.stringify(manifest)]]
}

export interface HybridOptions {
  readonly compressed?: boolean
  /** The layers as stored and the end of their media type, where they are not what `compressed` makes. */
  readonly stored?: {readonly layers: readonly Buffer[]; readonly suffix: string}
  readonly withManifestJson?: boolean
  readonly tag?: string
}

function blob(bytes: Buffer | string): string {
  return `blobs/sha256/${sha256(bytes)}`
}

/** Docker 25 and containerd: an OCI layout, with or without manifest.json. */
export function hybridMembers(parts: Parts, options: HybridOptions = {}): Member[] {
  const {compressed = false, withManifestJson = true, tag = 'app:1'} = options
  const blobs = options.stored?.layers ?? parts.layers.map((layer) => (compressed ? gzipSync(layer) : layer))
  const suffix = options.stored?.suffix ?? (compressed ? '+gzip' : '')
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: parts.imageId,
      size: parts.config.length,
    },
    layers: blobs.map((bytes) => ({
      mediaType: `application/vnd.oci.image.layer.v1.tar${suffix}`,
      digest: `sha256:${sha256(bytes)}`,
      size: bytes.length,
    })),
  })
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: `sha256:${sha256(manifest)}`,
        size: manifest.length,
        annotations: {
          'io.containerd.image.name': `docker.io/library/${tag}`,
          'org.opencontainers.image.ref.name': tag.slice(tag.indexOf(':') + 1),
        },
      },
    ],
  }
  const members: Member[] = [
    ['blobs/', ''],
    ['blobs/sha256/', ''],
  ]
  const unique = new Map(blobs.map((bytes) => [blob(bytes), bytes]))
  for (const [name, bytes] of unique) members.push([name, bytes])
  members.push([blob(parts.config), parts.config], [blob(manifest), manifest], ['index.json', JSON.stringify(index)])
  if (withManifestJson) {
    const item = {Config: blob(parts.config), RepoTags: [tag], Layers: blobs.map(blob)}
    members.push(['manifest.json', JSON.stringify([item])])
  }
  return [...members, ['oci-layout', '{"imageLayoutVersion":"1.0.0"}']]
}

/** Docker before 1.10: each layer an image of its own, found by `repositories`. */
export function v1Members(parts: Parts): Member[] {
  const ids = parts.layers.map((_, index) => sha256(`v1 ${index}`))
  const members: Member[] = []
  for (const [index, layer] of parts.layers.entries()) {
    const json = {
      id: ids[index],
      ...(index === 0 ? {} : {parent: ids[index - 1]}),
      created: '2015-01-02T03:04:05Z',
      container_config: {Cmd: ['/bin/sh', '-c', `step <${index}>`]},
      os: 'windows',
      architecture: 'amd64',
      Size: layer.length,
    }
    members.push([`${ids[index]!}/VERSION`, '1.0'], [`${ids[index]!}/json`, JSON.stringify(json)])
    members.push([`${ids[index]!}/layer.tar`, layer])
  }
  return [...members, ['repositories', JSON.stringify({app: {'1': ids.at(-1)}})]]
}
