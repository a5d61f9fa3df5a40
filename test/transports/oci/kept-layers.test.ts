import assert from 'node:assert/strict'
import {chmodSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import * as zlib from 'node:zlib'
import {convert, verify, type ConvertOptions, type ConvertReport} from '../../../src/index.js'
import {classicMembers, partsOf, tarOf, type Parts} from '../../helpers/archives.js'
import {LayoutBuilder, OCI, tagged} from '../../helpers/layouts.js'
import {startMemoryRegistry} from '../../helpers/memory-registry.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const {gunzipSync} = zlib
const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const LINKS = gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))
const MANY = gunzipSync(readFileSync('test/vectors/everything/layer.tar.gz'))
/** Configurations and manifests. */
const DOCUMENTS_BYTES = 3000

describe('layers that an OCI layout has already', () => {
  const folder = temporaryFolder()
  const first = partsOf([BASIC, LINKS])
  const second = partsOf([BASIC, MANY])
  let made = 0

  const fresh = () => path.join(folder.path, `made-${made++}`)

  async function saved(parts: Parts, tag: string): Promise<string> {
    const file = `${fresh()}.tar`
    writeFileSync(file, await tarOf(classicMembers(parts, [tag])))
    return `docker-archive:${file}`
  }

  /** The first image as a layout, and the second in a source of its own, both with layers in this form. */
  async function places(compression: 'none' | 'gzip' | 'zstd'): Promise<{root: string; source: string}> {
    const root = fresh()
    await convert(await saved(first, 'app:1'), `oci:${root}`, {compression})
    const source = fresh()
    await convert(await saved(second, 'app:2'), `oci:${source}`, {compression})
    return {root, source: `oci:${source}:2`}
  }

  interface Blob {
    readonly file: string
    readonly inode: bigint
    readonly changed: bigint
  }

  const blobAt = (root: string, digest: string): Blob => {
    const file = path.join(root, 'blobs', digest.replace(':', '/'))
    const {ino, mtimeNs} = statSync(file, {bigint: true})
    return {file, inode: ino, changed: mtimeNs}
  }

  const layersOf = ({artifacts: [artifact]}: ConvertReport) => artifact!.layers

  async function add(source: string, root: string, options: ConvertOptions = {}): Promise<ConvertReport> {
    const report = await convert(source, `oci:${root}`, options)
    assert.deepEqual((await verify(`oci:${root}`)).faults, [])
    assert.equal(report.artifacts[0]?.imageId, second.imageId)
    assert.deepEqual(readdirSync(root).sort(), ['blobs', 'index.json', 'oci-layout'])
    return report
  }

  // Node writes zstd since 22.15.
  for (const compression of ['none', 'gzip', ...('createZstdCompress' in zlib ? (['zstd'] as const) : [])] as const)
    it(`are neither read from the source nor written again: ${compression}`, async () => {
      const {root, source} = await places(compression)
      const whole = await convert(source, `oci:${fresh()}`)
      const [base, top] = layersOf(whole)
      const before = blobAt(root, base!.digest)
      const report = await add(source, root)
      assert.deepEqual(blobAt(root, base!.digest), before)
      // What is told of the image is the same, members included.
      assert.deepEqual(layersOf(report), layersOf(whole))
      assert.ok(base!.entries! > 0)
      assert.equal(report.bytesRead, whole.bytesRead - base!.size)
      assert.equal(report.bytesWritten, whole.bytesWritten - base!.size)
      // A second time there is nothing but the documents left to write.
      const again = await add(source, root, {replace: true})
      assert.equal(again.bytesRead, 0)
      assert.ok(again.bytesWritten < DOCUMENTS_BYTES, String(again.bytesWritten))
      assert.ok(top!.size > DOCUMENTS_BYTES)
    })

  it('are kept when an archive brings them, and written anew in another form', async () => {
    const root = fresh()
    await convert(await saved(first, 'app:1'), `oci:${root}`)
    const before = blobAt(root, first.diffIds[0]!)
    const archive = await saved(second, 'app:2')
    const report = await add(archive, root)
    assert.deepEqual(blobAt(root, first.diffIds[0]!), before)
    assert.equal(report.bytesRead, MANY.length)
    const packed = await add(archive, root, {compression: 'gzip', replace: true})
    assert.equal(packed.bytesRead, BASIC.length + MANY.length)
    assert.deepEqual(blobAt(root, first.diffIds[0]!), before)
  })

  for (const {damage, note} of [
    {
      note: 'a byte is another',
      damage: (file: string) => {
        const bytes = readFileSync(file)
        bytes.writeUInt8(bytes.readUInt8(300) ^ 1, 300)
        writeFileSync(file, bytes)
      },
    },
    {
      note: 'the end is missing',
      damage: (file: string) => {
        truncateSync(file, 200)
      },
    },
    {
      note: 'there is more than there should be',
      damage: (file: string) => {
        writeFileSync(file, 'x', {flag: 'a'})
      },
    },
    {
      note: 'it cannot be read',
      damage: (file: string) => {
        chmodSync(file, 0o000)
      },
    },
  ])
    for (const compression of ['none', 'gzip'] as const)
      it(`are mended from the source when damaged: ${compression}, ${note}`, async () => {
        const {root, source} = await places(compression)
        const whole = await convert(source, `oci:${fresh()}`)
        const [base] = layersOf(whole)
        const {file} = blobAt(root, base!.digest)
        const sound = readFileSync(file)
        damage(file)
        const report = await add(source, root)
        assert.ok(readFileSync(file).equals(sound))
        // Whoever may read anything finds nothing wrong with the rights of a file.
        if (note === 'it cannot be read' && process.getuid?.() === 0) return
        assert.deepEqual([report.bytesRead, report.bytesWritten], [whole.bytesRead, whole.bytesWritten])
      })

  it('are refused under a configuration that says another diffID of them, and left as they are', async () => {
    const root = fresh()
    await convert(await saved(first, 'app:1'), `oci:${root}`, {compression: 'gzip'})
    const [base] = layersOf(await convert(`oci:${root}:1`, `oci:${fresh()}`))
    const before = blobAt(root, base!.digest)
    // The source has the same blob, and states the diffID of another.
    const builder = new LayoutBuilder()
    const layers = [builder.blob(`${OCI.layer}+gzip`, readFileSync(before.file)), builder.blob(OCI.layer, LINKS)]
    builder.manifests.push({...builder.image(partsOf([MANY, LINKS]), {layers}), ...tagged('2')})
    const source = fresh()
    builder.writeFolder(source)
    assert.equal(layers[0]!['digest'], base!.digest)
    await assert.rejects(convert(`oci:${source}:2`, `oci:${root}`), {code: 'DIGEST_MISMATCH'})
    assert.deepEqual(blobAt(root, base!.digest), before)
    assert.deepEqual((await verify(`oci:${root}`)).faults, [])
  })

  it('are not fetched from an image registry', async () => {
    const {root, source} = await places('gzip')
    const registry = await startMemoryRegistry()
    try {
      const remote = `docker://${registry.host}/app:2`
      const pushed = await convert(source, remote)
      const [base, top] = layersOf(pushed)
      const before = blobAt(root, base!.digest)
      registry.seen.length = 0
      const report = await add(remote, root)
      const fetched = registry.seen.filter(({method}) => method === 'GET').map(({url}) => url)
      assert.ok(!fetched.some((url) => url.includes(base!.digest)))
      assert.ok(fetched.some((url) => url.includes(top!.digest)))
      assert.deepEqual(blobAt(root, base!.digest), before)
      assert.equal(report.bytesRead, top!.size)
    } finally {
      await registry.stop()
    }
  })

  it('stay as they are when the image beside them fails, or the work is interrupted', async () => {
    const {root} = await places('none')
    const before = readdirSync(path.join(root, 'blobs', 'sha256'))
    const broken = Buffer.from(MANY)
    broken.writeUInt8(broken.readUInt8(700) ^ 1, 700)
    const source = await saved({...second, layers: [BASIC, broken]}, 'app:2')
    await assert.rejects(convert(source, `oci:${root}`), {code: 'DIGEST_MISMATCH'})
    const abort = new AbortController()
    abort.abort()
    await assert.rejects(convert(await saved(second, 'app:2'), `oci:${root}`, {signal: abort.signal}))
    assert.deepEqual(readdirSync(path.join(root, 'blobs', 'sha256')), before)
    assert.deepEqual((await verify(`oci:${root}`)).faults, [])
  })
})
