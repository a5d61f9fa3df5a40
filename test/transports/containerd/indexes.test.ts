import assert from 'node:assert/strict'
import path from 'node:path'
import {convert, inspect, list, TransshipError, verify} from '../../../src/index.js'
import {startContainerd, type ContainerdHost} from '../../helpers/containerd-host.js'
import {startMemoryRegistry, type MemoryRegistry} from '../../helpers/memory-registry.js'
import {assertAllThere, digestTag, makeSignedIndex, pushSigned, type SignedIndex} from '../../helpers/signed-index.js'
import {runJson} from '../../helpers/run-cli.js'
import {assertSchema} from '../../helpers/schemas.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

describe("indexes and referrers in containerd's own store", function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  let host: ContainerdHost
  let registry: MemoryRegistry
  let signed: SignedIndex
  let made = 0

  before(async function () {
    this.timeout(60_000)
    host = await startContainerd(this)
    registry = await startMemoryRegistry(undefined, undefined, {referrers: true})
    signed = await makeSignedIndex()
    await pushSigned(registry.host, 'from', signed)
  })

  after(async () => {
    await registry.stop()
    await host.close()
  })

  const network = () => ({containerd: {address: host.socket}})
  const all = () => ({...network(), all: true})
  const from = () => `docker://${registry.host}/from:1`
  /** A namespace of this test's own, filled with the index. */
  const filled = async () => {
    const namespace = `ns${String(made++)}`
    const name = 'reg.example/app:1'
    const place = `containerd:${namespace}/${name}`
    const report = await convert(from(), place, all())
    return {namespace, name, place, report}
  }
  const targetOf = (namespace: string, name: string) =>
    host
      .ctr(namespace, 'images', 'ls')
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.match(/sha256:[0-9a-f]{64}/)?.[0]

  it('go there and back with the digest of the index, and everything that refers to it', async () => {
    const {namespace, name, place, report} = await filled()
    assert.deepEqual([report.exact, report.losses, report.inexact], [true, [], []])
    assert.equal(report.artifacts.at(-1)?.manifestDigest, signed.index.digest)
    assert.equal(targetOf(namespace, name), signed.index.digest)
    assert.equal(
      targetOf(namespace, `reg.example/app:${digestTag(signed.index.digest, '.sig')}`),
      signed.signature.digest,
    )
    // What hangs on it is no image of its own.
    for (const reference of [`containerd:${namespace}/`, `containerd:${namespace}/reg.example/app`]) {
      const {items} = await list(reference, network())
      assert.deepEqual(
        items.map(({index, platform}) => [index?.digest, index?.reference, platform?.os]),
        ['windows', 'linux'].map((os) => [signed.index.digest, place, os]),
      )
    }
    const inspected = await inspect(`${place}@${signed.windows.digest}`, network())
    assert.deepEqual(
      inspected.referrers?.map(({digest, subject}) => [digest, subject]),
      [[signed.notation.digest, signed.windows.digest]],
    )
    for (const reference of [place, `containerd:${namespace}/`])
      assert.deepEqual((await verify(reference, network())).faults, [])
    const back = `docker://${registry.host}/back-${namespace}:1`
    const returned = await convert(place, back, all())
    assert.deepEqual([returned.exact, returned.losses, returned.notes], [true, [], []])
    await assertAllThere(registry.host, `back-${namespace}`, signed)
    const again = await convert(from(), place, all())
    assert.deepEqual([again.bytesWritten, again.artifacts.at(-1)?.unchanged], [0, true])
  })

  it('hold on to all that they name when the collector runs, and let go of all of it', async () => {
    const {namespace, name} = await filled()
    const digests = [...signed.blobs.keys(), ...signed.documents.map(({digest}) => digest)].sort()
    assert.deepEqual(host.blobs(namespace), digests)
    host.collectGarbage(namespace)
    assert.deepEqual(host.blobs(namespace), digests)
    host.ctr(namespace, 'content', 'prune', 'references')
    host.collectGarbage(namespace)
    assert.deepEqual(host.blobs(namespace), digests)
    // What refers to it by its subject goes with it.
    host.ctr(namespace, 'images', 'rm', '--sync', name)
    assert.deepEqual(
      host
        .blobs(namespace)
        .filter((digest) => [signed.sbom, signed.notation, signed.linux].some((each) => each.digest === digest)),
      [],
    )
    assert.equal(host.ctr(namespace, 'leases', 'ls', '-q').trim(), '')
  })

  it('are exported by ctr with every platform, and read from there', async () => {
    const {namespace, name} = await filled()
    const saved = path.join(folder.path, `${namespace}.tar`)
    host.ctr(namespace, 'images', 'export', '--all-platforms', saved, name)
    const {items} = await list(`oci-archive:${saved}`)
    assert.deepEqual(
      items.map(({index}) => index?.digest),
      [signed.index.digest, signed.index.digest],
    )
    const other = `imported-${namespace}`
    host.ctr(other, 'images', 'import', '--all-platforms', '--no-unpack', saved)
    const [item] = (await list(`containerd:${other}/`, network())).items
    const place = (item?.reference ?? '').replace(/@.*$/, '')
    const back = await convert(place, `oci:${path.join(folder.path, `${namespace}-oci`)}:1`, all())
    assert.equal(back.artifacts.at(-1)?.manifestDigest, signed.index.digest)
  })

  it('come back from packages, with companions', async () => {
    const {namespace, place} = await filled()
    const inbox = `inbox:${path.join(folder.path, `${namespace}-inbox`)}`
    const there = await convert(place, inbox, {...all(), layers: 'chain', companions: 'all'})
    assert.deepEqual([there.exact, there.losses], [true, []])
    const back = await convert(inbox, `containerd:${namespace}-back/reg.example/app:1`, network())
    assert.deepEqual([back.exact, back.losses, back.notes], [true, [], []])
    assert.equal(back.artifacts.at(-1)?.manifestDigest, signed.index.digest)
    assert.deepEqual(host.blobs(`${namespace}-back`), host.blobs(namespace))
  })

  it('of which a part is missing are not passed on as whole', async () => {
    const {namespace, place} = await filled()
    host.ctr(namespace, 'content', 'rm', signed.linux.digest)
    const {items} = await list(place, network())
    assert.deepEqual(
      items.map(({platform, index}) => [platform?.os, index]),
      [['windows', undefined]],
    )
    const out = `oci:${path.join(folder.path, `${namespace}-part`)}`
    const report = await convert(place, `${out}:1`, all())
    const notes = report.notes.map(({code}) => code)
    assert.ok(notes.includes('platform-not-held'), notes.join(' '))
    assert.equal(report.artifacts.at(-1)?.manifestDigest, signed.windows.digest)
    const packages = await convert(place, `inbox:${path.join(folder.path, `${namespace}-inbox`)}`, {
      ...network(),
      layers: 'chain',
    })
    const note = packages.notes.find(({code}) => code === 'index-not-kept')
    assert.ok(note?.message.includes(signed.linux.digest), JSON.stringify(packages.notes))
  })

  it('leave nothing behind where the source turns out damaged', async () => {
    const namespace = `ns${String(made++)}`
    const damaged = await makeSignedIndex('2')
    const [digest = ''] = [...damaged.blobs.keys()]
    const broken = await startMemoryRegistry(undefined, undefined, {referrers: true})
    try {
      await pushSigned(broken.host, 'from', damaged)
      for (const [key, held] of broken.blobs)
        if (key.endsWith(digest)) broken.blobs.set(key, Buffer.alloc(held.length, 'x'))
      await assert.rejects(
        convert(`docker://${broken.host}/from:2`, `containerd:${namespace}/reg.example/app:2`, all()),
        (error) => error instanceof TransshipError && error.code === 'DIGEST_MISMATCH',
      )
      assert.ok(!host.ctr('default', 'namespaces', 'ls', '-q').split('\n').includes(namespace))
    } finally {
      await broken.stop()
    }
  })

  it('have their tag taken from another image only when asked to', async () => {
    const {namespace, name, place} = await filled()
    const other = await makeSignedIndex('1', {windowsVersions: ['10.0.17763.5000', '10.0.20348.2113']})
    await pushSigned(registry.host, `other-${namespace}`, other)
    const source = `docker://${registry.host}/other-${namespace}:1`
    await assert.rejects(
      convert(source, place, all()),
      (error) => error instanceof TransshipError && error.code === 'DESTINATION_EXISTS',
    )
    assert.equal(targetOf(namespace, name), signed.index.digest)
    await convert(source, place, {...all(), replace: true})
    assert.equal(targetOf(namespace, name), other.index.digest)
    assert.deepEqual((await verify(place, network())).faults, [])
  })

  it('are all verified: a referrer that its subject holds on to and that is gone is a fault', async () => {
    const {namespace, place} = await filled()
    host.ctr(namespace, 'content', 'rm', signed.notation.digest)
    const {faults} = await verify(place, network())
    assert.deepEqual(
      faults.map(({code}) => code),
      ['MANIFEST_MISSING'],
    )
  })

  it('are counted by doctor, namespace by namespace', async () => {
    const {namespace} = await filled()
    const {json} = await runJson(['doctor'], {env: {CONTAINERD_ADDRESS: host.socket}})
    await assertSchema('doctor', json)
    const {checks} = json as {checks: readonly {name: string; state: string; found: string}[]}
    const [line] = checks.filter(({name}) => name.startsWith('images in containerd'))
    assert.equal(line?.state, 'ok')
    // The image itself, and its signature.
    assert.match(line.found, new RegExp(`(^|, )${namespace}: 2(,|$)`))
  })
})
