import assert from 'node:assert/strict'
import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, inspect, list, TransshipError, verify} from '../../src/index.js'
import {startRegistry, type RunningRegistry} from '../helpers/distribution.js'
import {startMemoryRegistry, type MemoryRegistry} from '../helpers/memory-registry.js'
import {
  assertAllThere,
  digestTag,
  makeSignedIndex,
  pushSigned,
  readManifest,
  readReferrers,
  type SignedIndex,
} from '../helpers/signed-index.js'
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
    await real.stop()
    await memory.stop()
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

  it('goes on where connections break, up and down', async () => {
    const broken = await startMemoryRegistry(undefined, {up: [150, 700], down: [400, 900]}, {referrers: true})
    try {
      const report = await convert(`docker://${real.host}/from:1`, `docker://${broken.host}/app:1`, {all: true})
      assert.equal(report.exact, true)
      await convert(`docker://${broken.host}/app:1`, `docker://${real.host}/mended:1`, {all: true})
      assert.equal(broken.cutsMade(), 4)
      await assertAllThere(real.host, 'mended', signed)
    } finally {
      await broken.stop()
    }
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

  for (const host of names)
    for (const [transport, pins] of [
      ['inbox', 'keep'],
      ['inbox', 'reproduce'],
      ['appx', 'keep'],
    ] as const)
      it(`goes from a registry with ${host} to ${transport} packages and back, with --companions all and --pins ${pins}`, async () => {
        const packages = `${transport}:${fresh()}`
        const there = await convert(`docker://${hosts[host]()}/from:1`, packages, {
          layers: 'chain',
          all: true,
          companions: 'all',
          pins,
        })
        assert.deepEqual([there.exact, there.losses, there.inexact], [true, [], []])
        assert.deepEqual(
          there.notes.map(({code}) => code),
          ['kept-as-companion', 'base-unknown'],
        )
        assert.deepEqual((await verify(packages)).faults, [])
        const repository = `packages-${made++}`
        const back = await convert(packages, `docker://${hosts[host]()}/${repository}:1`)
        assert.deepEqual([back.exact, back.losses, back.notes], [true, [], []])
        assert.equal(back.artifacts.at(-1)?.manifestDigest, signed.index.digest)
        await assertAllThere(hosts[host](), repository, signed)
        // Packages are copied with what they keep.
        const other = `${transport}:${fresh()}`
        await convert(packages, other, {layers: 'chain', pins})
        const again = await convert(other, `oci:${fresh()}:1`)
        assert.equal(again.artifacts.at(-1)?.manifestDigest, signed.index.digest)
      })

  it('goes to packages by default without the layers of others: then the image comes back, and what is missing is told', async () => {
    const inbox = `inbox:${fresh()}`
    await convert(`docker://${real.host}/from:1`, inbox, {layers: 'chain'})
    assert.deepEqual((await verify(inbox)).faults, [])
    const repository = `alone-${made++}`
    const target = `docker://${real.host}/${repository}:1`
    const back = await convert(inbox, target)
    assert.equal(back.artifacts[0]?.manifestDigest, signed.windows.digest)
    const [note] = back.notes
    assert.equal(note?.code, 'index-not-restored')
    const {layers} = JSON.parse(signed.linux.bytes.toString()) as {layers: {digest: string}[]}
    assert.ok(note.message.includes(layers[0]?.digest ?? '-'), note.message)
    assert.deepEqual(await readReferrers(real.host, repository, signed.windows.digest), [signed.notation.digest])
    assert.equal(await readManifest(real.host, repository, digestTag(signed.index.digest, '.sig')), undefined)
  })

  it('finds each record of a companion that is left out', async () => {
    const inbox = fresh()
    await convert(`docker://${real.host}/from:1`, `inbox:${inbox}`, {layers: 'chain', companions: 'all'})
    const file = readdirSync(inbox, {recursive: true, encoding: 'utf8'})
      .filter((name) => path.basename(name) === 'metadata.json')
      .map((name) => path.join(inbox, name))
      .find((name) => readFileSync(name, 'utf8').includes('"Companions"'))
    assert.ok(file !== undefined)
    const sound = readFileSync(file, 'utf8')
    const companionsIn = (metadata: unknown) =>
      (metadata as {Package: {Extensions: {'docker/1': {Companions: Companions}}}}).Package.Extensions['docker/1']
        .Companions
    interface Companions {
      readonly Index: string
      readonly Documents: {readonly Digest: string}[]
      readonly Blobs: {readonly Digest: string}[]
      readonly Referrers: {readonly Digest: string}[]
    }
    const {Index: index, Documents: documents, Referrers: referrers} = companionsIn(JSON.parse(sound))
    const needed = documents.filter(
      ({Digest}) => Digest === index || referrers.some((referrer) => referrer.Digest === Digest),
    )
    assert.ok(needed.length >= 4)
    for (const {Digest: digest} of needed) {
      const metadata: unknown = JSON.parse(sound)
      const kept = companionsIn(metadata)
      kept.Documents.splice(
        kept.Documents.findIndex((each) => each.Digest === digest),
        1,
      )
      writeFileSync(file, JSON.stringify(metadata))
      assert.deepEqual(
        (await verify(`inbox:${inbox}`)).faults.map(({code}) => code),
        ['METADATA_INVALID'],
      )
    }
    const parts = new Set(
      referrers.flatMap(({Digest}) => {
        const document = readFileSync(path.join(path.dirname(file), 'docker', Digest.replace(':', '-')), 'utf8')
        const {config, layers} = JSON.parse(document) as {config: {digest: string}; layers: {digest: string}[]}
        return [config.digest, ...layers.map((layer) => layer.digest)]
      }),
    )
    const blobs = companionsIn(JSON.parse(sound)).Blobs.filter(({Digest}) => parts.has(Digest))
    assert.ok(blobs.length >= 4)
    for (const {Digest: digest} of blobs) {
      const metadata: unknown = JSON.parse(sound)
      const kept = companionsIn(metadata)
      kept.Blobs.splice(
        kept.Blobs.findIndex((each) => each.Digest === digest),
        1,
      )
      writeFileSync(file, JSON.stringify(metadata))
      assert.deepEqual(
        (await verify(`inbox:${inbox}`)).faults.map(({code}) => code),
        ['LAYER_MISSING'],
      )
    }
  })

  for (const {title, change, told} of [
    {
      title: 'a companion that is gone',
      change: (file: string) => {
        rmSync(file)
      },
      told: 'CONFIG_MISSING',
    },
    {
      title: 'a companion that was edited',
      change: (file: string) => {
        const bytes = readFileSync(file)
        bytes[0] = (bytes[0] ?? 0) ^ 1
        writeFileSync(file, bytes)
      },
      told: 'DIGEST_MISMATCH',
    },
  ])
    it(`is never given back with ${title}`, async () => {
      const inbox = fresh()
      await convert(`docker://${real.host}/from:1`, `inbox:${inbox}`, {layers: 'chain', companions: 'all'})
      const kept = readdirSync(inbox, {recursive: true, encoding: 'utf8'}).filter((name) =>
        /docker.sha256-[0-9a-f]{64}$/.test(name),
      )
      // Documents of the index and of referrers, and their blobs.
      assert.ok(kept.length >= 12, String(kept.length))
      for (const name of kept) {
        const file = path.join(inbox, name)
        const bytes = readFileSync(file)
        change(file)
        const {faults} = await verify(`inbox:${inbox}`)
        assert.deepEqual(
          faults.map(({code}) => code),
          [told],
          name,
        )
        const target = `oci:${fresh()}`
        const outcome = await convert(`inbox:${inbox}`, `${target}:1`).catch((error: unknown) => error)
        if (outcome instanceof TransshipError)
          assert.ok([told, 'LAYER_MISSING'].includes(outcome.code), outcome.message)
        else {
          const {notes, artifacts} = outcome as Awaited<ReturnType<typeof convert>>
          const codes = notes.map(({code}) => code)
          assert.ok(codes.includes('companion-not-held'), `${name}: ${codes.join(' ')}`)
          // The image keeps its digest, and so does its index where only a referrer is gone.
          const {windows, index} = signed
          assert.ok([windows.digest, index.digest].includes(artifacts.at(-1)?.manifestDigest ?? ''), name)
          assert.deepEqual((await verify(target)).faults, [])
        }
        writeFileSync(file, bytes)
      }
    })
})
