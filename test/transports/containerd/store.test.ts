import assert from 'node:assert/strict'
import {execFileSync, spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {ContainerdClient} from '../../../src/engine-api/containerd/containerd-client.js'
import {convert, inspect, list, TransshipError, verify, type WorkEvent} from '../../../src/index.js'
import {classicMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {startContainerd, startCutter, type ContainerdHost} from '../../helpers/containerd-host.js'
import {MAIN} from '../../helpers/run-cli.js'
import {startCli} from '../../helpers/start-cli.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const SHOP = 'docker-archive:samples/shop.tar'
const LAYER_BYTES = 40 * 2 ** 20

/** Bytes that no compression makes smaller and every run has the same. */
function noise(bytes: number): Buffer {
  const parts: Buffer[] = []
  let last = Buffer.from('seed')
  for (let length = 0; length < bytes; length += 64) parts.push((last = createHash('sha512').update(last).digest()))
  return Buffer.concat(parts)
}

/** Runs the command line as a user without rights. */
function runAsNobody(args: readonly string[], env: Readonly<Record<string, string>>) {
  const NOBODY = 65534
  const options = {
    encoding: 'utf8',
    uid: NOBODY,
    gid: NOBODY,
    env: {PATH: process.env['PATH'], NO_COLOR: '1', ...env},
  } as const
  return spawnSync(process.execPath, [MAIN, ...args], options)
}

async function assertFails(code: string, work: Promise<unknown>): Promise<TransshipError> {
  let failure: unknown
  await assert.rejects(work, (error) => {
    failure = error
    return error instanceof TransshipError && error.code === code
  })
  return failure as TransshipError
}

describe("containerd's own store", function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  let host: ContainerdHost
  let large = ''
  let made = 0

  before(async function () {
    this.timeout(60_000)
    host = await startContainerd(this)
    const parts = partsOf([await tarOf([['small', noise(100_000)]]), await tarOf([['noise', noise(LAYER_BYTES)]])], {
      os: 'linux',
    })
    large = `docker-archive:${path.join(folder.path, 'large.tar')}`
    writeFileSync(large.slice(15), await tarOf(classicMembers(parts)))
  })

  after(async () => {
    await host.close()
  })

  // What one namespace has need not be sent to another: each test begins with nothing.
  afterEach(() => {
    for (const namespace of host.ctr('default', 'namespaces', 'ls', '-q').split('\n').filter(Boolean))
      for (const name of host.ctr(namespace, 'images', 'ls', '-q').split('\n').filter(Boolean))
        host.ctr(namespace, 'images', 'rm', '--sync', name)
  })

  const network = (socket = host.socket) => ({containerd: {address: socket}})
  const fresh = () => `ns${String(made++)}`

  describe('as ctr fills it', () => {
    it('gives back an image with all its digests', async () => {
      const namespace = fresh()
      host.ctr(namespace, 'images', 'import', '--all-platforms', '--no-unpack', 'samples/shop.tar')
      const target = /sha256:[0-9a-f]{64}/.exec(host.ctr(namespace, 'images', 'ls'))?.[0]
      const reference = `containerd:${namespace}/contoso/shop:1.2.0`
      const [here, original] = [await inspect(reference, network()), await inspect(SHOP)]
      assert.equal(here.manifestDigest, target)
      assert.equal(here.imageId, original.imageId)
      const verdict = await verify(reference, network())
      assert.deepEqual(verdict.faults, [])
      assert.equal(verdict.layers.length, 3)
      const out = path.join(folder.path, 'out.tar')
      const report = await convert(reference, `docker-archive:${out}`, network())
      assert.equal(report.exact, true)
      assert.equal((await inspect(`docker-archive:${out}`)).imageId, original.imageId)
    })

    it('lists one namespace, all of them, and what is there of a name', async () => {
      const [first, second] = [fresh(), fresh()]
      for (const namespace of [first, second])
        host.ctr(namespace, 'images', 'import', '--all-platforms', '--no-unpack', 'samples/shop.tar')
      host.ctr(first, 'images', 'tag', 'docker.io/contoso/shop:1.2.0', 'docker.io/contoso/shop:again')
      const one = await list(`containerd:${first}/`, network())
      assert.deepEqual(
        one.items.map(({names}) => names),
        [['contoso/shop:1.2.0'], ['contoso/shop:again']],
      )
      const copied = path.join(folder.path, `copied-${first}`)
      await convert(`containerd:${first}/`, `oci:${copied}`, {...network(), all: true})
      const tags = (await list(`oci:${copied}`)).items.flatMap(({names}) => names).sort()
      assert.deepEqual(
        tags.map((name) => name.replace(/^.*:/, '')),
        ['1.2.0', 'again'],
        'every name is carried over',
      )
      const all = (await list('containerd:', network())).items.map(({reference}) => reference)
      for (const namespace of [first, second])
        assert.ok(all.includes(`containerd:${namespace}/docker.io/contoso/shop:1.2.0`), all.join(' '))
      const named = await list(`containerd:${second}/contoso/shop`, network())
      assert.deepEqual(
        named.items.map(({reference}) => reference),
        [`containerd:${second}/docker.io/contoso/shop:1.2.0`],
      )
      for (const {reference} of [...one.items, ...named.items])
        assert.equal((await inspect(reference, network())).platform.os, 'windows', reference)
    })

    it('finds an image by the names that Kubernetes gives it', async () => {
      const namespace = fresh()
      host.ctr(namespace, 'images', 'import', '--all-platforms', '--no-unpack', 'samples/shop.tar')
      const {imageId = '', manifestDigest = ''} = await inspect(`containerd:${namespace}/contoso/shop:1.2.0`, network())
      for (const name of [imageId, `docker.io/contoso/shop@${manifestDigest}`])
        host.ctr(namespace, 'images', 'tag', 'docker.io/contoso/shop:1.2.0', name)
      for (const name of [imageId, `docker.io/contoso/shop@${manifestDigest}`, `contoso/shop@${manifestDigest}`])
        assert.equal((await inspect(`containerd:${namespace}/${name}`, network())).imageId, imageId, name)
      const {items} = await list(`containerd:${namespace}/`, network())
      assert.deepEqual(
        items.map(({reference, names}) => [reference, names]),
        [[`containerd:${namespace}/docker.io/contoso/shop:1.2.0`, ['contoso/shop:1.2.0']]],
      )
    })

    it('tells which namespace has what is not found, and what is near', async () => {
      host.ctr('k8s.io', 'images', 'import', '--all-platforms', '--no-unpack', 'samples/shop.tar')
      const elsewhere = await assertFails('NOT_FOUND', inspect('containerd:contoso/shop:1.2.0', network()))
      assert.match(elsewhere.suggestions.join('\n'), /containerd:k8s\.io\/docker\.io\/contoso\/shop:1\.2\.0/)
      const mistyped = await assertFails('NOT_FOUND', inspect('containerd:k8s.io/contoso/shpo:1.2.0', network()))
      assert.match(mistyped.suggestions.join('\n'), /docker\.io\/contoso\/shop:1\.2\.0/)
      await assertFails('NOT_FOUND', list('containerd:nobody/', network()))
      const usual = {containerd: {address: host.socket, namespace: 'k8s.io'}}
      assert.equal((await inspect('containerd:contoso/shop:1.2.0', usual)).platform.os, 'windows')
    })

    it('tells layers that were discarded, and takes them from elsewhere', async () => {
      const namespace = fresh()
      host.ctr(namespace, 'images', 'import', '--all-platforms', '--no-unpack', 'samples/shop.tar')
      host.ctr(namespace, 'content', 'prune', 'references')
      host.collectGarbage(namespace)
      assert.equal(host.blobs(namespace).length, 2)
      const reference = `containerd:${namespace}/contoso/shop:1.2.0`
      const {warnings, layers} = await inspect(reference, network())
      assert.deepEqual(
        warnings.map(({code}) => code),
        ['layers-discarded'],
      )
      assert.equal(layers.length, 3)
      const out = `docker-archive:${path.join(folder.path, 'discarded.tar')}`
      const failure = await assertFails('LAYER_MISSING', convert(reference, out, network()))
      assert.match(failure.message, /discarded/)
      assert.deepEqual(
        (await verify(reference, network())).faults.map(({code}) => code),
        ['LAYER_MISSING', 'LAYER_MISSING', 'LAYER_MISSING'],
      )
      const report = await convert(reference, out, {...network(), bases: [SHOP]})
      assert.equal(report.exact, true)
    })

    it('reads on where the connection broke', async () => {
      const namespace = fresh()
      await convert(large, `containerd:${namespace}/docker.io/library/large:1`, network())
      const cutter = await startCutter(host.folder, host.socket, {down: [3_000_000, 70_000, 9_000_000]})
      try {
        const out = path.join(folder.path, 'read.tar')
        await convert(`containerd:${namespace}/large:1`, `docker-archive:${out}`, network(cutter.socket))
        assert.equal(cutter.broken(), 3)
        assert.equal((await inspect(`docker-archive:${out}`)).imageId, (await inspect(large)).imageId)
      } finally {
        await cutter.close()
      }
    })
  })

  describe('partial images', () => {
    /** An index of a Windows and a Linux image, as a pull of one platform leaves it. */
    async function importIndex(namespace: string): Promise<string> {
      const layout = path.join(folder.path, namespace)
      await convert(SHOP, `oci:${layout}:windows`)
      const linux = partsOf([await tarOf([['file', noise(1000)]])], {os: 'linux'})
      const archive = path.join(folder.path, `${namespace}.tar`)
      writeFileSync(archive, await tarOf(classicMembers(linux)))
      await convert(`docker-archive:${archive}`, `oci:${layout}:linux`)
      const top = JSON.parse(readFileSync(path.join(layout, 'index.json'), 'utf8')) as {
        manifests: {annotations?: object; digest: string}[]
      }
      const index = {
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        manifests: top.manifests.map(({annotations: _, ...entry}) => entry),
      }
      const bytes = Buffer.from(JSON.stringify(index))
      const hex = createHash('sha256').update(bytes).digest('hex')
      writeFileSync(path.join(layout, 'blobs/sha256', hex), bytes)
      const annotations = {'io.containerd.image.name': 'docker.io/acme/multi:1'}
      const entry = {mediaType: index.mediaType, digest: `sha256:${hex}`, size: bytes.byteLength, annotations}
      writeFileSync(path.join(layout, 'index.json'), JSON.stringify({schemaVersion: 2, manifests: [entry]}))
      const tar = path.join(folder.path, `${namespace}-index.tar`)
      execFileSync('tar', ['-C', layout, '-cf', tar, 'oci-layout', 'index.json', 'blobs'])
      host.ctr(namespace, 'images', 'import', '--all-platforms', '--no-unpack', tar)
      return `sha256:${hex}`
    }

    it('reads every platform of a whole index, with the digests that it states', async () => {
      const namespace = fresh()
      await importIndex(namespace)
      const reference = `containerd:${namespace}/acme/multi:1`
      const {items} = await list(reference, network())
      assert.deepEqual(items.map(({platform}) => platform?.os).sort(), ['linux', 'windows'])
      for (const {reference: own, platform} of items)
        assert.equal((await inspect(own, network())).platform.os, platform?.os)
      assert.equal((await inspect(reference, network())).platform.os, 'windows')
      assert.equal((await inspect(reference, {...network(), platform: 'linux/amd64'})).platform.os, 'linux')
      assert.deepEqual((await verify(reference, network())).faults, [])
    })

    it('names platforms that are not there, and reads the others', async () => {
      const namespace = fresh()
      await importIndex(namespace)
      const reference = `containerd:${namespace}/acme/multi:1`
      const {items} = await list(reference, network())
      const linux = items.find(({platform}) => platform?.os === 'linux')?.reference.split('@')[1] ?? ''
      host.ctr(namespace, 'content', 'rm', linux)
      const events: WorkEvent[] = []
      const onEvent = (event: WorkEvent) => events.push(event)
      const left = await list(reference, {...network(), onEvent})
      assert.deepEqual(
        left.items.map(({platform}) => platform?.os),
        ['windows'],
      )
      assert.match(JSON.stringify(events), /platform-not-held.*linux[^/]*\/amd64/)
      const opened = await inspect(reference, network())
      assert.equal(opened.platform.os, 'windows')
      assert.match(opened.warnings.map(({message}) => message).join(), /linux[^/]*\/amd64/)
      const failure = await assertFails(
        'PLATFORM_UNSUPPORTED',
        inspect(reference, {...network(), platform: 'linux/amd64'}),
      )
      assert.match(failure.message, /linux\/amd64/)
      assert.deepEqual((await verify(reference, network())).faults, [], 'a partial image is the normal state')
    })

    // As docker save of an engine with containerd's image store: one platform's content under the index of all.
    it('reads what containerd saves of a partial image, manifest.json beside the whole index', async () => {
      const namespace = fresh()
      await importIndex(namespace)
      const reference = `containerd:${namespace}/acme/multi:1`
      const {items} = await list(reference, network())
      const linux = items.find(({platform}) => platform?.os === 'linux')?.reference.split('@')[1] ?? ''
      const windows = await inspect(reference, network())
      host.ctr(namespace, 'content', 'rm', linux)
      const saved = path.join(folder.path, `${namespace}-saved.tar`)
      host.ctr(namespace, 'images', 'export', '--platform', 'windows/amd64', saved, 'docker.io/acme/multi:1')
      const members = execFileSync('tar', ['-tf', saved], {encoding: 'utf8'}).split('\n')
      for (const name of ['index.json', 'manifest.json', 'oci-layout']) assert.ok(members.includes(name), name)
      for (const transport of ['docker-archive', 'oci-archive']) {
        const archived = await inspect(`${transport}:${saved}`)
        assert.deepEqual([archived.imageId, archived.manifestDigest], [windows.imageId, windows.manifestDigest])
      }
      const back = await convert(`docker-archive:${saved}`, `containerd:${fresh()}/docker.io/acme/multi:1`, network())
      assert.equal(back.exact, true)
    })

    it('tells a name that leads to nothing, and goes on with the others', async () => {
      const namespace = fresh()
      const index = await importIndex(namespace)
      host.ctr(namespace, 'images', 'import', '--all-platforms', '--no-unpack', 'samples/shop.tar')
      host.ctr(namespace, 'content', 'rm', index)
      await assertFails('MANIFEST_MISSING', inspect(`containerd:${namespace}/acme/multi:1`, network()))
      const events: WorkEvent[] = []
      const {items} = await list(`containerd:${namespace}/`, {...network(), onEvent: (event) => events.push(event)})
      assert.equal(items.length, 1)
      assert.ok(events.some((event) => event.kind === 'note' && event.code === 'image-not-held'))
      assert.deepEqual(
        (await verify(`containerd:${namespace}/`, network())).faults.map(({code}) => code),
        ['MANIFEST_MISSING'],
      )
    })
  })

  describe('as transship fills it', () => {
    it('holds an image that ctr calls complete, and that the collector leaves alone', async () => {
      const namespace = fresh()
      const destination = `containerd:${namespace}/docker.io/contoso/shop:2`
      const report = await convert(SHOP, destination, {...network(), compression: 'gzip'})
      assert.equal(report.artifacts[0]?.reference, destination)
      assert.match(host.ctr(namespace, 'images', 'check'), /complete \(5\/5\)|complete \(4\/4\)/)
      assert.equal(host.ctr(namespace, 'leases', 'ls', '-q').trim(), '')
      const before = host.blobs(namespace)
      assert.equal(before.length, 5)
      host.ctr(namespace, 'content', 'prune', 'references')
      host.collectGarbage(namespace)
      assert.deepEqual(host.blobs(namespace), before)
      const exported = path.join(folder.path, 'exported.tar')
      host.ctr(namespace, 'images', 'export', '--platform', 'windows/amd64', exported, 'docker.io/contoso/shop:2')
      assert.equal((await inspect(`oci-archive:${exported}`)).imageId, (await inspect(SHOP)).imageId)
      host.ctr(namespace, 'images', 'rm', '--sync', 'docker.io/contoso/shop:2')
      assert.deepEqual(host.blobs(namespace), [], 'nothing leaks')
    })

    it('writes each layer with the digest of its tar, and where it may come from', async () => {
      const namespace = fresh()
      await convert(SHOP, `containerd:${namespace}/reg.local:5000/acme/shop:1`, {...network(), compression: 'gzip'})
      const listed = host.ctr(namespace, 'content', 'ls')
      for (const {diffId} of (await inspect(SHOP)).layers)
        assert.match(listed, new RegExp(`containerd\\.io/uncompressed=${diffId ?? ''}`))
      const withSource = listed.split('\n').filter((line) => line.includes('distribution.source.reg.local=acme/shop'))
      assert.equal(withSource.length, 5)
    })

    it('tells what is there as unchanged, and replaces another image only when asked to', async () => {
      const namespace = fresh()
      const destination = `containerd:${namespace}/docker.io/contoso/shop:1`
      await convert(SHOP, destination, network())
      const again = await convert(SHOP, destination, network())
      assert.deepEqual(
        again.artifacts.map((artifact) => artifact.kind === 'image' && artifact.unchanged),
        [true],
      )
      assert.equal(again.bytesWritten, 0)
      const before = host.blobs(namespace)
      await assertFails('DESTINATION_EXISTS', convert(SHOP, destination, {...network(), compression: 'gzip'}))
      assert.deepEqual(host.blobs(namespace), before, 'what was begun is gone')
      assert.equal(host.ctr(namespace, 'leases', 'ls', '-q').trim(), '')
      await convert(SHOP, destination, {...network(), compression: 'gzip', replace: true})
      assert.deepEqual((await verify(destination, network())).faults, [])
      assert.equal(host.blobs(namespace).filter((digest) => before.includes(digest)).length, 1, 'the configuration')
    })

    it('gives an image several names, and keeps its own', async () => {
      const namespace = fresh()
      const destination = `containerd:${namespace}/`
      await convert(SHOP, destination, network())
      await convert(SHOP, destination, {...network(), tags: ['contoso/shop:a', 'contoso/shop:b']})
      const images = host.ctr(namespace, 'images', 'ls', '-q').trim().split('\n')
      assert.deepEqual(
        images,
        ['1.2.0', 'a', 'b'].map((tag) => `docker.io/contoso/shop:${tag}`),
      )
    })

    it('takes from another namespace what is there, without sending it', async () => {
      const [first, second] = [fresh(), fresh()]
      await convert(large, `containerd:${first}/docker.io/library/large:1`, network())
      const report = await convert(large, `containerd:${second}/docker.io/library/large:1`, network())
      assert.ok(report.bytesWritten < 10_000, String(report.bytesWritten))
      assert.deepEqual((await verify(`containerd:${second}/large:1`, network())).faults, [])
      host.ctr(first, 'images', 'rm', '--sync', 'docker.io/library/large:1')
      assert.deepEqual((await verify(`containerd:${second}/large:1`, network())).faults, [])
    })

    it('carries an image over containerd with its manifest unchanged', async () => {
      const [first, second] = [fresh(), fresh()]
      await convert(SHOP, `containerd:${first}/docker.io/contoso/shop:1`, {...network(), compression: 'gzip'})
      await convert(`containerd:${first}/contoso/shop:1`, `containerd:${second}/docker.io/contoso/shop:1`, network())
      const [left, right] = await Promise.all(
        [first, second].map((namespace) => inspect(`containerd:${namespace}/contoso/shop:1`, network())),
      )
      assert.equal(right?.manifestDigest, left?.manifestDigest)
    })

    it('sends on where the connection broke', async () => {
      const namespace = fresh()
      const destination = `containerd:${namespace}/docker.io/library/large:1`
      const cutter = await startCutter(host.folder, host.socket, {up: [5_000_000, 200_000, 12_000_000, 1_500_000]})
      try {
        const report = await convert(large, destination, network(cutter.socket))
        assert.equal(cutter.broken(), 4)
        assert.ok(report.bytesWritten < LAYER_BYTES * 1.2, `sent ${String(report.bytesWritten)} bytes`)
      } finally {
        await cutter.close()
      }
      assert.deepEqual((await verify(destination, network())).faults, [])
      assert.equal(host.ctr(namespace, 'leases', 'ls', '-q').trim(), '')
    })

    it('goes on where a killed run stopped', async () => {
      const namespace = fresh()
      const destination = `containerd:${namespace}/docker.io/library/large:1`
      const env = {CONTAINERD_ADDRESS: host.socket}
      const running = startCli(['convert', large, destination, '--concurrency', '1'], env)
      const ingested = () => Number(/\s(\d+(?:\.\d+)?)MB\s/.exec(host.ctr(namespace, 'content', 'active'))?.[1] ?? 0)
      while (running.child.exitCode === null && ingested() < 5) await new Promise((resolve) => setTimeout(resolve, 5))
      running.child.kill('SIGKILL')
      await running.ended
      const left = ingested()
      assert.ok(left >= 5 && left < 40, `the run stopped at ${String(left)} MB`)
      const report = await convert(large, destination, network())
      assert.ok(report.bytesWritten < LAYER_BYTES - 4e6, `sent ${String(report.bytesWritten)} bytes`)
      assert.deepEqual((await verify(destination, network())).faults, [])
    })

    it('sends anew what a killed run left damaged', async () => {
      const namespace = fresh()
      const source = await inspect(large)
      const digest = source.layers[1]?.diffId ?? ''
      const size = source.layers[1]?.size ?? 0
      const wrong = path.join(folder.path, 'wrong')
      writeFileSync(wrong, Buffer.alloc(1_000_000, 7))
      const client = new ContainerdClient(host.socket)
      const stream = client.write({namespace})
      await stream.send({action: 'STAT', ref: `transship-${digest}`, total: size})
      await stream.send({action: 'WRITE', offset: 0, data: readFileSync(wrong)})
      stream.close()
      client.close()
      const destination = `containerd:${namespace}/docker.io/library/large:1`
      await convert(large, destination, network())
      assert.deepEqual((await verify(destination, network())).faults, [])
    })

    it('leaves nothing behind when the source turns out damaged', async () => {
      const namespace = fresh()
      const bytes = readFileSync('samples/shop.tar')
      // Inside the last layer, after others have been sent.
      const at = bytes.lastIndexOf('MZ')
      assert.ok(at > 0)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
      const damaged = path.join(folder.path, 'damaged.tar')
      writeFileSync(damaged, bytes)
      const destination = `containerd:${namespace}/docker.io/contoso/shop:1`
      await assertFails('DIGEST_MISMATCH', convert(`docker-archive:${damaged}`, destination, network()))
      assert.deepEqual(host.blobs(namespace), [])
      assert.doesNotMatch(host.ctr(namespace, 'content', 'active'), /transship/)
      assert.equal(host.ctr(namespace, 'leases', 'ls', '-q').trim(), '')
      assert.ok(!host.ctr('default', 'namespaces', 'ls', '-q').split('\n').includes(namespace))
    })

    it('writes one image from two processes at once', async () => {
      const namespace = fresh()
      const destination = `containerd:${namespace}/docker.io/library/large:1`
      const env = {CONTAINERD_ADDRESS: host.socket}
      const running = [1, 2].map(() => startCli(['convert', large, destination], env))
      for (const {ended, said} of running) assert.equal(await ended, 0, said())
      assert.deepEqual((await verify(destination, network())).faults, [])
      assert.equal(host.ctr(namespace, 'leases', 'ls', '-q').trim(), '')
      assert.equal(host.blobs(namespace).length, 4)
    })

    it('leaves nothing behind when it is interrupted', async () => {
      const namespace = fresh()
      const destination = `containerd:${namespace}/docker.io/library/large:1`
      const running = startCli(['convert', large, destination], {CONTAINERD_ADDRESS: host.socket})
      const isUnderWay = () => host.ctr(namespace, 'content', 'active').includes('transship-')
      while (running.child.exitCode === null && !isUnderWay()) await new Promise((resolve) => setTimeout(resolve, 5))
      running.child.kill('SIGINT')
      assert.equal(await running.ended, 130, running.said())
      assert.deepEqual(host.blobs(namespace), [])
      assert.doesNotMatch(host.ctr(namespace, 'content', 'active'), /transship/)
      assert.equal(host.ctr(namespace, 'leases', 'ls', '-q').trim(), '')
      assert.equal(host.ctr(namespace, 'images', 'ls', '-q').trim(), '')
      assert.ok(!host.ctr('default', 'namespaces', 'ls', '-q').split('\n').includes(namespace))
    })

    it('outlives a containerd that is killed and started anew', async () => {
      const namespace = fresh()
      const destination = `containerd:${namespace}/docker.io/library/large:1`
      const running = startCli(['convert', large, destination], {CONTAINERD_ADDRESS: host.socket})
      const isUnderWay = () => host.ctr(namespace, 'content', 'active').includes('transship-')
      while (running.child.exitCode === null && !isUnderWay()) await new Promise((resolve) => setTimeout(resolve, 5))
      await host.crash()
      assert.equal(await running.ended, 0, running.said())
      assert.deepEqual((await verify(destination, network())).faults, [])
    })

    for (const {location, code, note} of [
      {location: `ns/app@sha256:${'ab'.repeat(32)}`, code: 'BAD_REFERENCE', note: 'a digest follows from the content'},
      {location: 'default/Upper:1', code: 'BAD_REFERENCE', note: 'no tool would find it'},
    ]) {
      it(`refuses to write to '${location}': ${note}`, async () => {
        await assertFails(code, convert(SHOP, `containerd:${location}`, network()))
      })
    }
  })

  describe('where it cannot be reached', () => {
    it('says which socket it tried', async () => {
      const nowhere = path.join(folder.path, 'nowhere.sock')
      const failure = await assertFails('ENGINE_UNAVAILABLE', list('containerd:', network(nowhere)))
      assert.match(failure.message, /nowhere\.sock/)
      assert.match(failure.suggestions.join(), /CONTAINERD_ADDRESS/)
    })

    it('says that a user may not open the socket', () => {
      // A socket that nobody but root may open, tried by nobody.
      const env = {CONTAINERD_ADDRESS: host.socket, HOME: '/nonexistent'}
      const run = runAsNobody(['list', 'containerd:', '--json'], env)
      const {error} = JSON.parse(run.stdout) as {error: {code: string; message: string}}
      assert.equal(error.code, 'NO_ACCESS', run.stdout)
      assert.match(error.message, /containerd\.sock/)
      assert.equal(run.status, 4)
    })

    it('refuses a namespace that none can be', async () => {
      await assertFails('BAD_OPTION', list('containerd:', {containerd: {address: host.socket, namespace: 'a b'}}))
    })
  })
})
