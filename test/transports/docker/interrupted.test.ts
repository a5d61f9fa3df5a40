import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import {convert, list, verify} from '../../../src/index.js'
import {headersTimeoutMs} from '../../../src/transports/docker/http.js'
import {classicMembers, partsOf, sha256, tarOf, type Parts} from '../../helpers/archives.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {startMemoryRegistry, type MemoryRegistry} from '../../helpers/memory-registry.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {testsAtOnce} from '../../helpers/tests-at-once.js'

/** More than one chunk of an upload. */
const LAYER_BYTES = 18 * 2 ** 20

/** Bytes that no compression makes smaller and every run has the same. */
function noise(bytes: number): Buffer {
  const parts: Buffer[] = []
  let last = Buffer.from('seed')
  for (let length = 0; length < bytes; length += 64) parts.push((last = createHash('sha512').update(last).digest()))
  return Buffer.concat(parts)
}

describe('transfers that are cut', () => {
  const folder = temporaryFolder()
  let parts: Parts
  let source = ''
  let made = 0

  before(async () => {
    const small = await tarOf([['small', noise(100_000)]])
    parts = partsOf([small, await tarOf([['noise', noise(LAYER_BYTES)]])], {os: 'linux'})
    source = `docker-archive:${path.join(folder.path, 'image.tar')}`
    writeFileSync(source.slice(15), await tarOf(classicMembers(parts)))
  })

  const pulled = () => `oci:${path.join(folder.path, `pulled-${made++}`)}`

  async function withRegistry(
    options: Parameters<typeof startMemoryRegistry>,
    work: (registry: MemoryRegistry, reference: string) => Promise<void>,
  ): Promise<void> {
    const registry = await startMemoryRegistry(...options)
    try {
      await work(registry, `docker://${registry.host}/app:1`)
    } finally {
      await registry.stop()
    }
  }

  function assertWhole(registry: MemoryRegistry): void {
    const digests = new Set([...registry.blobs.keys()])
    assert.deepEqual(digests, new Set([parts.imageId, ...parts.diffIds]))
    for (const [digest, bytes] of registry.blobs) assert.equal(`sha256:${sha256(bytes)}`, digest)
    assert.equal(registry.manifests.size, 2)
  }

  const offsets = (most: number) =>
    fc
      .uniqueArray(fc.integer({min: 0, max: LAYER_BYTES}), {minLength: 1, maxLength: most})
      .map((all) => all.sort((left, right) => left - right))

  const assertUploads = (up: readonly number[]) =>
    withRegistry([undefined, {up}], async (registry, reference) => {
      const report = await convert(source, reference)
      assert.equal(report.artifacts[0]?.imageId, parts.imageId)
      assert.equal(registry.cutsMade(), up.length)
      assertWhole(registry)
      // What had arrived is not sent again.
      assert.ok(report.bytesWritten <= LAYER_BYTES + 200_000, String(report.bytesWritten))
    })

  for (const {up, note} of [
    {up: [0], note: 'nothing had arrived'},
    {up: [1], note: 'one byte had arrived, which registries tell as they tell of nothing'},
    {up: [0, 1, 16, 21], note: 'a little more each time'},
    {up: [2, 4, 6, 8, 10, 12, 14, 16], note: 'more often than an upload that does not come further is tried'},
  ])
    it(`upload the same bytes after cuts at ${up.join(', ')}: ${note}`, () => assertUploads(up)).timeout(60_000)

  it('upload the same bytes, wherever and however often the connection breaks', () =>
    fc.assert(fc.asyncProperty(offsets(4), assertUploads), {
      numRuns: Math.ceil(FUZZ_RUNS / 100),
      endOnFailure: true,
    })).timeout(600_000)

  it('download the same bytes, wherever and however often the connection breaks', () =>
    fc.assert(
      fc.asyncProperty(offsets(4), async (down) => {
        await withRegistry([undefined, {down}], async (registry, reference) => {
          await convert(source, reference)
          const target = pulled()
          assert.equal((await convert(reference, target)).artifacts[0]?.imageId, parts.imageId)
          assert.equal(registry.cutsMade(), down.length)
          assert.deepEqual((await verify(target)).faults, [])
        })
      }),
      {numRuns: Math.ceil(FUZZ_RUNS / 100), endOnFailure: true},
    )).timeout(600_000)

  it('take a manifest, a list of tags and a token again that broke off', async () => {
    const broken = new Set<string>()
    await withRegistry(
      [
        (request, response) => {
          const {method, url = '', headers} = request
          const kind = ['/manifests/', '/tags/', '/token'].find((part) => url.includes(part))
          const isToken = kind === '/token'
          if (!isToken && headers.authorization !== 'Bearer t') {
            const realm = `Bearer realm="http://${headers.host ?? ''}/token",service="s"`
            request.resume().on('end', () => response.writeHead(401, {'www-authenticate': realm}).end())
            return true
          }
          if (kind !== undefined && method === 'GET' && !broken.has(kind)) {
            broken.add(kind)
            response.writeHead(200, {'content-length': 1000, 'content-type': 'application/json'})
            response.write('{"half": ', () => response.socket?.destroy())
            return true
          }
          if (isToken) response.end('{"token": "t"}')
          else if (kind === '/tags/') response.end('{"tags": ["1"]}')
          else return false
          return true
        },
      ],
      async (registry, reference) => {
        await convert(source, reference)
        const target = pulled()
        assert.equal((await convert(reference, target)).artifacts[0]?.imageId, parts.imageId)
        assert.equal((await list(reference.replace(/:1$/, ''))).items.length, 1)
        assert.deepEqual([...broken].sort(), ['/manifests/', '/tags/', '/token'])
      },
    )
  })

  it('do not send a blob again whose arrival was only not told', async () => {
    const untold = new Set<string>()
    let patches = 0
    await withRegistry(
      [
        (request, response) => {
          const {method, url = ''} = request
          if (method === 'PATCH') patches++
          if (method !== 'PUT' || !url.includes('/uploads/') || untold.has(url)) return false
          untold.add(url)
          // What the registry answers once it has the blob gets lost.
          response.writeHead = () => {
            request.socket.destroy()
            return response
          }
          return false
        },
      ],
      async (registry, reference) => {
        const report = await convert(source, reference)
        assertWhole(registry)
        assert.equal(untold.size, 3)
        assert.equal(patches, 3)
        assert.ok(report.bytesWritten <= LAYER_BYTES + 200_000, String(report.bytesWritten))
      },
    )
  })

  it('give a request the time that its body takes on a narrow line', () => {
    const [none, chunk] = [headersTimeoutMs(undefined), headersTimeoutMs(new Uint8Array(8 * 2 ** 20))]
    assert.ok(none >= 60_000)
    // 128 kbit/s.
    assert.ok(chunk - none >= ((8 * 2 ** 20) / (16 * 1024)) * 1000)
  })

  it('renew a token that runs out between two chunks, and lose nothing', async () => {
    let [tokens, patches, refused] = [1, 0, 0]
    await withRegistry(
      [
        (request, response) => {
          const {method, url = '', headers} = request
          if (url.startsWith('/token')) {
            response.writeHead(200).end(JSON.stringify({token: `t${++tokens}`, expires_in: 3600}))
            return true
          }
          if (method === 'PATCH' && ++patches === 2) tokens++
          if (headers.authorization === `Bearer t${tokens}`) return false
          refused++
          const realm = `http://${headers.host ?? ''}/token`
          response.writeHead(401, {'www-authenticate': `Bearer realm="${realm}",service="s"`})
          request.resume().on('end', () => response.end())
          return true
        },
      ],
      async (registry, reference) => {
        await convert(source, reference)
        assertWhole(registry)
        assert.ok(patches > 3)
        assert.ok(refused >= 2)
      },
    )
  })

  // They wait out what a server asks for.
  const atOnce = testsAtOnce(4)
  for (const [title, status, headers] of [
    ['429 with seconds in Retry-After', 429, {'retry-after': '1'}],
    ['429 with a date in Retry-After', 429, {'retry-after': 'date'}],
    ['500', 500, {}],
    ['503', 503, {}],
  ] as const)
    atOnce(`come back after ${title} to a manifest, a blob, an upload and its chunks`, async () => {
      const refused = new Set<string>()
      let early = 0
      const times = new Map<string, number>()
      await withRegistry(
        [
          (request, response) => {
            const {method = '', url = ''} = request
            const kind = `${method} ${['uploads', 'manifests', 'blobs'].find((part) => url.includes(part)) ?? ''}`
            const asked = times.get(kind)
            if (asked !== undefined && 'retry-after' in headers && Date.now() - asked < 0) early++
            if (url === '/v2/' || refused.has(kind)) return false
            refused.add(kind)
            const isDate = 'retry-after' in headers && headers['retry-after'] === 'date'
            // A date has whole seconds only.
            const at = isDate ? Math.ceil(Date.now() / 1000) * 1000 : Date.now() + 1000
            if ('retry-after' in headers) times.set(kind, at - 20)
            const sent = isDate ? {'retry-after': new Date(at).toUTCString()} : headers
            request.resume().on('end', () => response.writeHead(status, sent).end())
            return true
          },
        ],
        async (registry, reference) => {
          // One after the other: each keeps to what it was told itself.
          const options = {concurrency: 1}
          await convert(source, reference, options)
          assertWhole(registry)
          const target = pulled()
          assert.equal((await convert(reference, target, options)).artifacts[0]?.imageId, parts.imageId)
          assert.equal(early, 0)
          for (const kind of ['POST uploads', 'PATCH uploads', 'PUT uploads', 'PUT manifests', 'GET blobs']) {
            assert.ok(refused.has(kind), kind)
          }
        },
      )
    }).timeout(120_000)
})
