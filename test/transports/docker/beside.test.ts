import assert from 'node:assert/strict'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, inspect, list} from '../../../src/index.js'
import type {WorkEvent} from '../../../src/model/events.js'
import {classicMembers, partsOf, sha256, tarOf, type Parts} from '../../helpers/archives.js'
import {startServer} from '../../helpers/distribution.js'
import {descriptorOf, OCI} from '../../helpers/layouts.js'
import {startMemoryRegistry} from '../../helpers/memory-registry.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const INDEX = 'application/vnd.oci.image.index.v1+json'
const SIGNATURE = 'application/vnd.dev.cosign.artifact.sig.v1+json'

describe('what lies beside an image in a registry', () => {
  const folder = temporaryFolder()
  let parts: Parts
  let source = ''
  let made = 0

  before(async () => {
    parts = partsOf([await tarOf([['etc/os', 'x'.repeat(5000)]])], {os: 'linux'})
    source = `docker-archive:${path.join(folder.path, 'image.tar')}`
    writeFileSync(source.slice(15), await tarOf(classicMembers(parts)))
  })

  for (const [title, types, where, told] of [
    [
      'a signature of the list',
      [SIGNATURE],
      'list',
      new RegExp(`One artifact refers .*\\(${SIGNATURE.replace('+', '.')}\\)`),
    ],
    [
      'two artifacts under a tag',
      [SIGNATURE, 'application/spdx+json'],
      'tag',
      /2 artifacts refer .*spdx\+json, .*cosign/,
    ],
    ['nothing', [], 'list', undefined],
  ] as const)
    it(`is told of and left by --referrers none, and else copied: ${title}`, async () => {
      const registry = await startMemoryRegistry(undefined, {}, {referrers: where === 'list'})
      try {
        const reference = `docker://${registry.host}/app:1`
        const [artifact] = (await convert(source, reference)).artifacts
        const digest = artifact?.manifestDigest ?? ''
        registry.blobs.set(`sha256:${sha256('{}')}`, Buffer.from('{}'))
        const manifests = types.map((artifactType) => {
          const config = descriptorOf('application/vnd.oci.empty.v1+json', '{}')
          const subject = {mediaType: OCI.manifest, digest, size: 1}
          const bytes = Buffer.from(
            JSON.stringify({schemaVersion: 2, mediaType: OCI.manifest, artifactType, config, layers: [], subject}),
          )
          const described = descriptorOf(OCI.manifest, bytes, {artifactType})
          registry.manifests.set(`app@${String(described['digest'])}`, {type: OCI.manifest, bytes})
          return described
        })
        const index = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: INDEX, manifests}))
        if (where === 'tag') registry.manifests.set(`app:${digest.replace(':', '-')}`, {type: INDEX, bytes: index})
        const target = () => `oci:${path.join(folder.path, `pulled-${made++}`)}`
        const {notes, exact} = await convert(reference, target(), {referrers: 'none'})
        const left = notes.filter(({code}) => code === 'referrers-left')
        assert.deepEqual([left.length, exact], [told === undefined ? 0 : 1, true])
        if (told !== undefined) assert.match(left[0]?.message ?? '', told)
        const copied = target()
        assert.deepEqual((await convert(reference, copied)).notes, [])
        const {referrers = []} = await inspect(copied)
        assert.deepEqual(
          referrers.map(({artifactType, subject}) => [artifactType, subject]),
          types.map((type) => [type, digest]),
        )
      } finally {
        await registry.stop()
      }
    })

  it('is left out of what a repository holds when a tag names it, and told', async () => {
    const tags = ['1', 'signature', 'chart', 'none']
    const registry = await startMemoryRegistry((request, response) => {
      if (!(request.url ?? '').includes('/tags/')) return false
      response.end(JSON.stringify({tags}))
      return true
    })
    try {
      const repository = `docker://${registry.host}/app`
      await convert(source, `${repository}:1`)
      const keep = (tag: string, configType: string, layerType: string) => {
        const [config, layer] = [Buffer.from(JSON.stringify({rootfs: {diff_ids: []}})), Buffer.from('{"critical": 1}')]
        for (const bytes of [config, layer]) registry.blobs.set(`sha256:${sha256(bytes)}`, bytes)
        const type = 'application/vnd.oci.image.manifest.v1+json'
        const manifest = {
          schemaVersion: 2,
          mediaType: type,
          config: descriptorOf(configType, config),
          layers: [descriptorOf(layerType, layer)],
        }
        const bytes = Buffer.from(JSON.stringify(manifest))
        for (const key of [`app:${tag}`, `app@sha256:${sha256(bytes)}`]) registry.manifests.set(key, {type, bytes})
      }
      keep('signature', OCI.config, 'application/vnd.dev.cosign.simplesigning.v1+json')
      keep('chart', 'application/vnd.cncf.helm.config.v1+json', 'application/vnd.cncf.helm.chart.content.v1.tar+gzip')
      registry.manifests.set('app:none', {type: 'application/x-unknown', bytes: Buffer.from('{}')})
      const notes: string[] = []
      const {items} = await list(repository, {
        onEvent: (event) => {
          if (event.kind === 'note') notes.push(event.message)
        },
      })
      assert.deepEqual(
        items.map(({reference}) => reference),
        [`${repository}:1`],
      )
      const [none, ...others] = notes
      assert.match(none ?? '', /Left out.*:none' has the type 'application\/x-unknown'/)
      assert.deepEqual(others, ['2 tags name no image (chart, signature); transship left them out.'])
    } finally {
      await registry.stop()
    }
  })

  it('is told once when the registry asks to wait for long', async () => {
    const registry = await startMemoryRegistry((_, response) => {
      response.writeHead(429, {'retry-after': '3600'}).end('{}')
      return true
    })
    const told: string[] = []
    const stop = new AbortController()
    const onEvent = (event: WorkEvent) => {
      if (event.kind !== 'step') return
      told.push(event.title)
      stop.abort()
    }
    try {
      await assert.rejects(list(`docker://${registry.host}/app:1`, {onEvent, signal: stop.signal}))
      assert.deepEqual(told, [`${registry.host} asks to wait 3600 s; transship asks again after 60 s`])
    } finally {
      await registry.stop()
    }
  }).timeout(20_000)

  it('is told once, and not how often the registry asks', async () => {
    let refusals = 0
    const registry = await startMemoryRegistry((request, response) => {
      if (!(request.url ?? '').includes('/manifests/') || request.method !== 'GET' || refusals >= 2) return false
      refusals++
      response.writeHead(503, {'retry-after': '1'}).end('{}')
      return true
    })
    const told: string[] = []
    try {
      await convert(source, `docker://${registry.host}/app:1`)
      await list(`docker://${registry.host}/app:1`, {onEvent: ({kind}) => told.push(kind)})
      assert.deepEqual([refusals, told], [2, ['step', 'done']])
    } finally {
      await registry.stop()
    }
  }).timeout(20_000)

  for (const [title, status, body] of [
    ['is no JSON', 200, '<html>'],
    ['is of another shape', 200, '{"manifests": 5}'],
    ['is refused', 403, ''],
    ['breaks off', 200, undefined],
  ] as const)
    it(`does not keep an image from being read when the list of it ${title}`, async () => {
      let broken = 0
      const registry = await startMemoryRegistry((request, response) => {
        const url = request.url ?? ''
        if (request.method !== 'GET' || !/\/referrers\/|\/manifests\/sha256-/.test(url)) return false
        response.writeHead(status, {'content-type': INDEX, ...(body === undefined ? {'content-length': 100} : {})})
        if (body !== undefined) response.end(body)
        else if (broken++ > 0) response.end(`{"manifests": []}${' '.repeat(83)}`)
        else response.write('{"mani', () => response.socket?.destroy())
        return true
      })
      try {
        const reference = `docker://${registry.host}/app:1`
        await convert(source, reference)
        const report = await convert(reference, `oci:${path.join(folder.path, `pulled-${made++}`)}`)
        assert.equal(report.artifacts[0]?.imageId, parts.imageId)
        // Who may not see the list cannot know what is in it.
        const unknown = status === 403 ? ['referrers-unknown'] : []
        assert.deepEqual(
          report.notes.map(({code}) => code),
          unknown,
        )
      } finally {
        await registry.stop()
      }
    })

  for (const status of [401, 403, 404, 405])
    it(`is sent when another repository may not be mounted from: ${status}`, async () => {
      const tokens = await startServer((request, response) => {
        const isWide = (request.url ?? '').split('scope=').length > 2
        response.writeHead(isWide && status === 401 ? 401 : 200).end('{"token":"t"}')
      })
      const registry = await startMemoryRegistry((request, response) => {
        if (request.headers.authorization !== 'Bearer t') {
          const realm = `Bearer realm="http://${tokens.host}/token",service="s"`
          request.resume().on('end', () => response.writeHead(401, {'www-authenticate': realm}).end())
          return true
        }
        const url = request.url ?? ''
        // Like a real one, it does not say what other repositories have.
        if (request.method === 'HEAD' && url.includes('/two/') && !url.includes('manifests')) {
          response.writeHead(404).end()
          return true
        }
        if (!url.includes('mount=')) return false
        request.resume().on('end', () => response.writeHead(status).end())
        return true
      })
      try {
        await convert(source, `docker://${registry.host}/one:1`)
        const report = await convert(`docker://${registry.host}/one:1`, `docker://${registry.host}/two:1`)
        assert.ok(report.bytesWritten > 5000)
        assert.ok(registry.seen.some(({url}) => url.includes('from=one')) || status === 401)
      } finally {
        await registry.stop()
        await tokens.stop()
      }
    })
})
