import assert from 'node:assert/strict'
import {mkdirSync} from 'node:fs'
import path from 'node:path'
import {convert, inspect, TransshipError, verify, type ConvertOptions} from '../../src/index.js'
import type {NetworkOptions} from '../../src/model/transport.js'
import {TRANSPORTS} from '../../src/transports/catalog.js'
import {startMemoryRegistry, type MemoryRegistry} from '../helpers/memory-registry.js'
import {makeSignedIndex, pushSigned, type SignedIndex} from '../helpers/signed-index.js'
import {startRegistry, type Registry} from '../helpers/registry.js'
import {sharedHost} from '../helpers/shared-host.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {topPackage} from '../helpers/round-trip.js'

/** A place of one transport where a test may write an image and read it again. */
interface Place {
  readonly transport: string
  /** Where the transport has several places. */
  readonly engine?: 'dockerd' | 'podman'
  /** Takes images of its own operating system alone. */
  readonly isLinuxOnly?: true
  /** `images` keep layers as they are, `packages` in a chain; a `payload` is one layer without a configuration. */
  readonly holds: 'images' | 'packages' | 'payload'
  /** A reference that nothing is at yet, in the folder or under the name of the test. */
  destination(folder: string, name: string): string
}

/** Places that take an index as it is. */
const KEEPS_INDEXES: ReadonlySet<string> = new Set(['oci', 'oci-archive', 'docker', 'containerd'])

/** What runs for the tests: an image registry at its address, engines and containerd at their sockets. */
const RUNNING = {registry: '', dockerd: '', podman: '', containerd: ''}

function engineOf(engine: 'dockerd' | 'podman'): Pick<Place, 'transport' | 'engine' | 'holds' | 'destination'> {
  return {transport: 'docker-daemon', engine, holds: 'images', destination: (_, name) => `docker-daemon:${name}:1`}
}

const PLACES: readonly Place[] = [
  {transport: 'docker-archive', holds: 'images', destination: (folder) => `docker-archive:${folder}/image.tar`},
  {transport: 'oci', holds: 'images', destination: (folder) => `oci:${folder}/layout:1`},
  {transport: 'oci-archive', holds: 'images', destination: (folder) => `oci-archive:${folder}/layout.tar:1`},
  {transport: 'docker', holds: 'images', destination: (_, name) => `docker://${RUNNING.registry}/${name}:1`},
  {...engineOf('dockerd'), isLinuxOnly: true},
  engineOf('podman'),
  {transport: 'containerd', holds: 'images', destination: (_, name) => `containerd:matrix/docker.io/${name}:1`},
  {transport: 'inbox', holds: 'packages', destination: (folder) => `inbox:${folder}/packages`},
  {transport: 'appx', holds: 'packages', destination: (folder) => `appx:${folder}/exported`},
  {transport: 'layout', holds: 'payload', destination: (folder) => `layout:${folder}/layout`},
]

/** Transports that take no part, and why. */
const APART: Readonly<Record<string, string>> = {
  runtime: 'it is a folder of Windows itself, and is tested on the Windows API in test/runtime',
}

const titleOf = ({transport, engine}: Place) => (engine === undefined ? transport : `${transport} (${engine})`)

/** Where the engine is, for each call that may meet one. */
function reaching(...places: readonly Place[]): NetworkOptions {
  const engine = places.find((place) => place.engine !== undefined)?.engine
  const containerd = {address: RUNNING.containerd}
  return engine === undefined ? {containerd} : {containerd, engine: {host: `unix://${RUNNING[engine]}`}}
}

/** A repository of the pair's own. */
function nameFor(system: string, from: Place, to: Place): string {
  return `${system}/${[from, to].map(({transport, engine}) => engine ?? transport).join('-')}`
}

/** Pairs of places; one conversion reaches one engine. */
function pairs(sources: readonly Place[]): readonly (readonly [Place, Place])[] {
  const all = sources.flatMap((from) => PLACES.map((to) => [from, to] as const))
  return all.filter(([from, to]) => from.engine === undefined || to.engine === undefined || from.engine === to.engine)
}

/** How a place of this kind is written so that it holds the whole image. */
function optionsFor({holds}: Place): ConvertOptions {
  if (holds === 'images') return {}
  return holds === 'packages' ? {layers: 'chain'} : {layers: 'squash', osLayers: 0}
}

/** Where what was written can be read: a repository of packages by the package on top. */
async function write(from: string, place: Place, to: string, network: NetworkOptions): Promise<string> {
  const report = await convert(from, to, {...optionsFor(place), ...network})
  return place.holds === 'packages' ? topPackage(report) : to
}

async function assertRefused(code: string, work: Promise<string>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof TransshipError && error.code === code)
}

describe('every source to every destination', () => {
  const folder = temporaryFolder()
  let registry: Registry | undefined
  let linuxImage = ''
  let indexRegistry: MemoryRegistry | undefined
  let signed: SignedIndex | undefined
  let count = 0

  const fresh = () => {
    const made = path.join(folder.path, String(count++))
    mkdirSync(made)
    return made
  }

  before(async function () {
    this.timeout(120_000)
    registry = await startRegistry(this)
    indexRegistry = await startMemoryRegistry(undefined, undefined, {referrers: true})
    signed = await makeSignedIndex()
    await pushSigned(indexRegistry.host, 'signed', signed)
    RUNNING.registry = registry.address
    const host = await sharedHost(this)
    RUNNING.dockerd = host.dockerSocket
    RUNNING.podman = host.podmanSocket
    RUNNING.containerd = host.containerdSocket
    linuxImage = `docker-archive:${host.savedImage}`
  })

  after(async () => {
    await registry?.close()
    await indexRegistry?.stop()
  })

  it('has a place for every transport', () => {
    const known = new Set([...PLACES.map(({transport}) => transport), ...Object.keys(APART)])
    assert.deepEqual(
      [...known].sort(),
      TRANSPORTS.filter(({isSourceOnly}) => isSourceOnly !== true)
        .map(({name}) => name)
        .sort(),
    )
  })

  describe('a Windows image', () => {
    for (const [from, to] of pairs(PLACES.filter(({isLinuxOnly}) => isLinuxOnly !== true))) {
      const network = () => reaching(from, to)
      it(`${to.isLinuxOnly === true ? 'does not go' : 'goes'} from ${titleOf(from)} to ${titleOf(to)}`, async () => {
        const name = nameFor('windows', from, to)
        const place = from.destination(fresh(), `${name}/from`)
        const source = await write('docker-archive:samples/shop.tar', from, place, network())
        const destination = to.destination(fresh(), `${name}/to`)
        if (to.isLinuxOnly === true) {
          await assertRefused('WRONG_ENGINE_OS', write(source, to, destination, network()))
          return
        }
        const reached = await write(source, to, destination, network())
        for (const reference of [source, reached])
          assert.deepEqual((await verify(reference, network())).faults, [], reference)
        const isWhole = from.holds !== 'payload' && to.holds !== 'payload'
        const [there, original] = [await inspect(reached, network()), await inspect('docker-archive:samples/shop.tar')]
        if (!isWhole) {
          assert.equal(there.layers.length, 1)
          return
        }
        assert.equal(there.imageId, original.imageId)
        assert.deepEqual(
          there.layers.map(({diffId}) => diffId),
          original.layers.map(({diffId}) => diffId),
        )
      })
    }
  })

  describe('an index of two platforms, with a signature', () => {
    const keeping = PLACES.filter(({transport}) => KEEPS_INDEXES.has(transport))
    for (const from of keeping)
      for (const to of keeping)
        it(`goes from ${titleOf(from)} to ${titleOf(to)}`, async () => {
          const network = {...reaching(from, to), all: true}
          const name = nameFor('index', from, to)
          const [source, target] = [from.destination(fresh(), `${name}/from`), to.destination(fresh(), `${name}/to`)]
          await convert(`docker://${indexRegistry?.host ?? ''}/signed:1`, source, network)
          const report = await convert(source, target, network)
          assert.deepEqual([report.exact, report.losses], [true, []])
          assert.equal(report.artifacts.at(-1)?.manifestDigest, signed?.index.digest)
          assert.deepEqual((await verify(target, network)).faults, [])
          const inspected = await inspect(target, {...network, platform: 'windows/amd64'})
          assert.deepEqual(
            inspected.referrers?.map(({digest}) => digest),
            [signed?.notation.digest],
          )
        })

    for (const to of PLACES.filter(({transport, holds}) => holds === 'images' && transport === 'docker-archive'))
      it(`is converted image by image to ${titleOf(to)}, which is told as a loss`, async () => {
        const place = to.destination(fresh(), '')
        const report = await convert(`docker://${indexRegistry?.host ?? ''}/signed:1`, place, {all: true})
        const [loss] = report.losses
        assert.equal(loss?.code, 'index-left-out')
        assert.match(loss.message, /cannot store an index; oci:, oci-archive:, docker:\/\/ and containerd: can/)
        assert.equal(report.artifacts.length, 2)
      })
  })

  describe('a Linux image', () => {
    for (const [from, to] of pairs(PLACES.filter(({holds}) => holds === 'images'))) {
      const network = () => reaching(from, to)
      it(`${to.holds === 'images' ? 'goes' : 'does not go'} from ${titleOf(from)} to ${titleOf(to)}`, async () => {
        const name = nameFor('linux', from, to)
        const source = await write(linuxImage, from, from.destination(fresh(), `${name}/from`), network())
        const destination = to.destination(fresh(), `${name}/to`)
        if (to.holds !== 'images') {
          await assertRefused('PLATFORM_UNSUPPORTED', write(source, to, destination, network()))
          return
        }
        const reached = await write(source, to, destination, network())
        for (const reference of [source, reached])
          assert.deepEqual((await verify(reference, network())).faults, [], reference)
        assert.equal((await inspect(reached, network())).imageId, (await inspect(linuxImage)).imageId)
      })
    }
  })
})
