import {partsOf, type Parts} from '../../helpers/archives.js'
import {LayoutBuilder, OCI} from '../../helpers/layouts.js'
import {LAYERS, PARTS, damaged} from './image-parts.js'
import type {Built, Files, HostileInput, Use} from './input.js'

/** With the name that umoci asks for. */
const NAMED = {annotations: {'org.opencontainers.image.ref.name': 'app'}}
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
    name: 'indexes that name each other 40 times on four levels',
    code: 'LIMIT_EXCEEDED',
    files: layoutOf(({builder, parts}) => {
      let named = builder.image(parts)
      for (let level = 0; level < 3; level++) named = builder.index(Array<object>(40).fill(named))
      return Array<Record<string, unknown>>(40).fill(named)
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

export const LAYOUT_INPUTS: readonly HostileInput[] = LAYOUTS.map(({name, code, use = 'convert', files}) => ({
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
