import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {sha256, tarOf, type Member, type Parts} from './archives.js'

/** A descriptor of bytes. */
export function descriptorOf(mediaType: string, bytes: Buffer | string, more: object = {}): Record<string, unknown> {
  return {mediaType, digest: `sha256:${sha256(bytes)}`, size: Buffer.byteLength(bytes), ...more}
}

export const OCI = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
}

/** An OCI layout that is put together blob by blob, so that each can be wrong in its own way. */
export class LayoutBuilder {
  readonly files = new Map<string, Buffer>()
  readonly manifests: object[] = []

  blob(mediaType: string, bytes: Buffer | string, more: object = {}): Record<string, unknown> {
    this.files.set(`blobs/sha256/${sha256(bytes)}`, Buffer.from(bytes))
    return descriptorOf(mediaType, bytes, more)
  }

  /** The manifest of an image whose layers are these descriptors, or the parts' own. */
  image(
    parts: Parts,
    options: {layers?: readonly object[]; more?: object; manifest?: object} = {},
  ): Record<string, unknown> {
    const layers = options.layers ?? parts.layers.map((layer) => this.blob(OCI.layer, layer))
    const config = this.blob(OCI.config, parts.config)
    const manifest = {schemaVersion: 2, mediaType: OCI.manifest, config, layers, ...options.manifest}
    return this.blob(OCI.manifest, JSON.stringify(manifest), options.more)
  }

  index(manifests: readonly object[], more: object = {}): Record<string, unknown> {
    return this.blob(OCI.index, JSON.stringify({schemaVersion: 2, mediaType: OCI.index, manifests}), more)
  }

  members(): Member[] {
    const index = {schemaVersion: 2, mediaType: OCI.index, manifests: this.manifests}
    return [
      ...this.files,
      ['oci-layout', '{"imageLayoutVersion":"1.0.0"}'],
      ['index.json', JSON.stringify(index)],
    ] as Member[]
  }

  writeFolder(root: string): void {
    mkdirSync(path.join(root, 'blobs', 'sha256'), {recursive: true})
    for (const [name, body] of this.members()) writeFileSync(path.join(root, name), body as Buffer)
  }

  async writeTar(file: string): Promise<void> {
    writeFileSync(file, await tarOf(this.members()))
  }
}

export function tagged(tag: string): {readonly annotations: Readonly<Record<string, string>>} {
  return {annotations: {'org.opencontainers.image.ref.name': tag}}
}
