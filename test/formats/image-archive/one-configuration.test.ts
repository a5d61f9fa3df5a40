import assert from 'node:assert/strict'
import {rmSync} from 'node:fs'
import path from 'node:path'
import {gzipSync} from 'node:zlib'
import {convert, inspect} from '../../../src/index.js'
import {partsOf, tarOf} from '../../helpers/archives.js'
import {LayoutBuilder, OCI} from '../../helpers/layouts.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const NAMES = ['a', 'b', 'c']

describe('images of one configuration in an archive', () => {
  const folder = temporaryFolder()

  for (const [note, more] of [
    ['in three compressions', NAMES.map((_, level) => ({level: level * 4 + 1}))],
    ['of the same blobs', NAMES.map((note) => ({level: 6, manifest: {annotations: {note}}}))],
  ] as const)
    for (const order of [NAMES, NAMES.toReversed()])
      it(`have each its own manifest: ${note}, ${order.join(' ')}`, async () => {
        const tar = await tarOf([['etc/os', Array.from({length: 4000}, (_, index) => index * index).join()]])
        const parts = partsOf([tar], {os: 'linux'})
        const builder = new LayoutBuilder()
        const images = more.map(({level, ...rest}, index) => {
          const layers = [builder.blob(`${OCI.layer}+gzip`, gzipSync(tar, {level}))]
          const name = NAMES[index] ?? ''
          const annotations = {
            'io.containerd.image.name': `docker.io/library/${name}:1`,
            'org.opencontainers.image.ref.name': '1',
          }
          return {name, digest: builder.image(parts, {layers, ...rest})['digest'], annotations, layers, rest}
        })
        assert.equal(new Set(images.map(({digest}) => digest)).size, NAMES.length)
        const byName = new Map(images.map((image) => [image.name, image]))
        for (const name of order) {
          const {layers, rest, annotations} = byName.get(name)!
          builder.manifests.push({...builder.image(parts, {layers, ...rest}), annotations})
        }
        const [source, target] = [path.join(folder.path, 'source'), path.join(folder.path, 'saved.tar')]
        for (const place of [source, target]) rmSync(place, {recursive: true, force: true})
        builder.writeFolder(source)
        await convert(`oci:${source}`, `docker-archive:${target}`, {all: true})
        for (const {name, digest} of images)
          assert.equal((await inspect(`docker-archive:${target}:${name}:1`)).manifestDigest, digest, name)
      })
})
