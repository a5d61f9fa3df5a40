import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {mkdirSync, readdirSync, readFileSync, statSync} from 'node:fs'
import path from 'node:path'
import {decodeLayerTar} from '../../../src/codecs/layer-tar/decode-layer-tar.js'
import {encodeLayerTar} from '../../../src/codecs/layer-tar/encode-layer-tar.js'
import {byteSourceOf} from '../../../src/codecs/backup-stream/byte-source.js'
import {PayloadIndex} from '../../../src/formats/transport-layout/payload-index.js'
import {FolderFiles} from '../../../src/formats/transport-layout/folder-files.js'
import {TransportLayout} from '../../../src/formats/transport-layout/read-layout.js'
import {writeLayout} from '../../../src/formats/transport-layout/write-layout.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {describeEntries} from '../../helpers/describe-entries.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {indexOfVector, unpackLayout, vectorFile, vectorLines, vectorTar, VECTORS} from '../../helpers/vectors.js'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Every file below a folder with its SHA-256, and every folder. */
function treeOf(root: string, below = ''): Record<string, string> {
  const found: Record<string, string> = {}
  for (const child of readdirSync(path.join(root, below), {withFileTypes: true})) {
    const name = below === '' ? child.name : `${below}/${child.name}`
    if (child.isDirectory()) Object.assign(found, {[name]: 'folder'}, treeOf(root, name))
    else found[name] = `${statSync(path.join(root, name)).nlink} ${sha256(readFileSync(path.join(root, name)))}`
  }
  return found
}

describe('transport layouts that Microsoft’s code has written', () => {
  const folder = temporaryFolder()

  for (const vector of VECTORS) {
    it(`become the very layer tar that Microsoft’s code makes of them: ${vector}`, async () => {
      const root = unpackLayout(vector, path.join(folder.path, 'to-tar'))
      const layout = new TransportLayout(new FolderFiles(root, vector), {
        title: vector,
        form: 'delta',
        isPlain: false,
        index: indexOfVector(vector, root),
      })
      const tar = await collect(encodeLayerTar(layout.entries(), {keepFrames: false}))
      assert.equal(sha256(tar), vectorFile(vector, 'layer.sha256').toString().slice(0, 64))
    })

    it(`are made from the layer tar with every field it states: ${vector}`, async () => {
      const root = path.join(folder.path, 'from-tar', vector)
      mkdirSync(root, {recursive: true})
      const entries = decodeLayerTar(chunked(vectorTar(vector)), {title: vector, keepFrames: false})
      const written = await writeLayout(root, entries, {title: vector, form: 'delta', keepsRecipe: false})
      const layout = new TransportLayout(new FolderFiles(root, vector), {
        title: vector,
        form: 'delta',
        isPlain: false,
        index: new PayloadIndex(byteSourceOf(Buffer.concat([...written.index.pieces()]))),
      })
      const found = new Map((await describeEntries(layout.entries())).map((line) => [line.path, line]))
      for (const wanted of vectorLines(vector, 'layer.jsonl')) {
        const line = found.get(wanted['path'] as string)
        assert.ok(line !== undefined, `${String(wanted['path'])} is there`)
        assert.deepEqual({...line, ...wanted}, line)
      }
    })

    it(`come back file by file through a layer tar that keeps what the mapping loses: ${vector}`, async () => {
      const root = unpackLayout(vector, path.join(folder.path, 'there-and-back'))
      const layout = new TransportLayout(new FolderFiles(root, vector), {
        title: vector,
        form: 'delta',
        isPlain: false,
        index: indexOfVector(vector, root),
      })
      const tar = encodeLayerTar(layout.entries(), {keepFrames: true})
      const back = `${root}.back`
      mkdirSync(back)
      const entries = decodeLayerTar(tar, {title: vector, keepFrames: true})
      const written = await writeLayout(back, entries, {title: vector, form: 'delta', keepsRecipe: true})
      const {['Files.$wcidirs$']: _files, ['Hives.$wcidirs$']: _hives, ...tree} = treeOf(back)
      assert.deepEqual(tree, treeOf(root))

      const again = new TransportLayout(new FolderFiles(back, vector), {
        title: vector,
        form: 'delta',
        isPlain: false,
        index: new PayloadIndex(byteSourceOf(Buffer.concat([...written.index.pieces()]))),
      })
      const found = new Map((await describeEntries(again.entries())).map((line) => [line.path, line]))
      for (const wanted of vectorLines(vector, 'layout.jsonl')) {
        const line = found.get(wanted['path'] as string)
        assert.ok(line !== undefined, `${String(wanted['path'])} is there`)
        assert.deepEqual({...line, ...wanted}, line)
      }
    })
  }
})
