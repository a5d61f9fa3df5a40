import assert from 'node:assert/strict'
import path from 'node:path'
import {convert, inspect, list, verify} from '../../src/index.js'
import {startRegistry, type RunningRegistry} from '../helpers/distribution.js'
import {startMemoryRegistry, type MemoryRegistry} from '../helpers/memory-registry.js'
import {assertAllThere, makeSignedIndex, pushSigned, type SignedIndex} from '../helpers/signed-index.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'

describe('a two-platform index with an attestation, a cosign signature and OCI 1.1 referrers', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  let real: RunningRegistry
  let memory: MemoryRegistry
  let signed: SignedIndex
  let made = 0
  const fresh = () => path.join(folder.path, `made-${made++}`)

  before(async function () {
    requireTool(this, 'docker-registry')
    signed = await makeSignedIndex()
    real = await startRegistry(path.join(folder.path, 'registry'))
    memory = await startMemoryRegistry(undefined, undefined, {referrers: true})
    await pushSigned(real.host, 'from', signed)
    await pushSigned(memory.host, 'from', signed)
    await assertAllThere(real.host, 'from', signed)
    await assertAllThere(memory.host, 'from', signed)
  })

  after(async () => {
    await real?.stop()
    await memory?.stop()
  })

  const hosts = {'tags for lists': () => real.host, 'lists of its own': () => memory.host} as const
  const names = Object.keys(hosts) as (keyof typeof hosts)[]

  for (const from of names)
    for (const to of names)
      it(`goes from a registry with ${from} to one with ${to}`, async () => {
        const repository = `to-${made++}`
        const source = `docker://${hosts[from]()}/from:1`
        const target = `docker://${hosts[to]()}/${repository}:1`
        const report = await convert(source, target, {all: true})
        assert.deepEqual([report.exact, report.losses, report.inexact], [true, [], []])
        assert.equal(report.artifacts.at(-1)?.manifestDigest, signed.index.digest)
        await assertAllThere(hosts[to](), repository, signed)
        const verdict = await verify(target)
        assert.deepEqual(verdict.faults, [])
        const again = await convert(source, target, {all: true})
        assert.deepEqual([again.bytesWritten, again.artifacts.at(-1)?.unchanged], [0, true])
      })

  for (const transport of ['oci', 'oci-archive'])
    for (const host of names)
      it(`goes from a registry with ${host} to ${transport} and back`, async () => {
        const place = `${transport}:${fresh()}`
        const repository = `back-${made++}`
        const report = await convert(`docker://${hosts[host]()}/from:1`, `${place}:1`, {all: true})
        assert.deepEqual([report.exact, report.losses], [true, []])
        assert.deepEqual((await verify(place)).faults, [])
        assert.deepEqual((await verify(`${place}:1`)).faults, [])
        // What hangs on it is no image of its own.
        assert.equal((await list(place)).items.length, 2)
        const inspected = await inspect(`${place}:1`)
        assert.deepEqual(
          inspected.referrers?.map(({digest, subject}) => [digest, subject]),
          [[signed.notation.digest, signed.windows.digest]],
        )
        const target = `docker://${hosts[host]()}/${repository}:1`
        const back = await convert(`${place}:1`, target, {all: true})
        assert.deepEqual([back.exact, back.losses], [true, []])
        await assertAllThere(hosts[host](), repository, signed)
      })

  it('is pulled by its digest by skopeo, from the registry and from the layout', async function () {
    requireTool(this, 'skopeo')
    const layout = fresh()
    await convert(`docker://${real.host}/from:1`, `docker://${real.host}/pulled:1`, {all: true})
    await convert(`docker://${real.host}/from:1`, `oci:${layout}:1`, {all: true})
    const insecure = ['--src-tls-verify=false']
    const reference = `docker://${real.host}/pulled@${signed.index.digest}`
    runTool('skopeo', ['copy', '--all', ...insecure, reference, `oci:${fresh()}:1`])
    const raw = runTool('skopeo', ['inspect', '--raw', `oci:${layout}:1`])
    assert.deepEqual(Buffer.from(raw), signed.index.bytes)
  })
})
