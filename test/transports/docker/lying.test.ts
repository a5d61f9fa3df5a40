import assert from 'node:assert/strict'
import {existsSync, writeFileSync} from 'node:fs'
import type {IncomingMessage, ServerResponse} from 'node:http'
import path from 'node:path'
import {gzipSync} from 'node:zlib'
import {convert, list, verify} from '../../../src/index.js'
import {TransshipError, type ErrorCode} from '../../../src/model/errors.js'
import {classicMembers, hybridMembers, partsOf, sha256, tarOf, type Parts} from '../../helpers/archives.js'
import {startMemoryRegistry, type MemoryRegistry} from '../../helpers/memory-registry.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

/** The image once it is in the registry, to be told lies about. */
interface Held {
  readonly registry: MemoryRegistry
  readonly reference: string
  readonly layer: string
  readonly config: string
  readonly manifest: string
}

/** Answers in the registry's place where it gives true. */
type Lie = (request: IncomingMessage, response: ServerResponse, held: Held) => boolean

const OCI = 'application/vnd.oci.image'

function forBlob(digestOf: (held: Held) => string, tell: (response: ServerResponse, bytes: Buffer) => void): Lie {
  return (request, response, held) => {
    const digest = digestOf(held)
    if (request.method !== 'GET' || !(request.url ?? '').endsWith(digest)) return false
    tell(response, held.registry.blobs.get(digest) ?? Buffer.alloc(0))
    return true
  }
}

function forManifest(tell: (response: ServerResponse, held: {type: string; bytes: Buffer}) => void): Lie {
  return (request, response, {registry}) => {
    const [held] = registry.manifests.values()
    if (request.method !== 'GET' || !(request.url ?? '').includes('/manifests/') || held === undefined) return false
    tell(response, held)
    return true
  }
}

function flipped(bytes: Buffer): Buffer {
  const other = Buffer.from(bytes)
  other.writeUInt8(other.readUInt8(700) ^ 1, 700)
  return other
}

const layer = ({layer: digest}: Held) => digest
const config = ({config: digest}: Held) => digest

/** A manifest like the one held, but for a part of its text. */
function manifestWith(from: RegExp | string, to: string, type?: string): Lie {
  return forManifest((response, held) => {
    const text = held.bytes.toString('utf8').replace(from, to)
    response.writeHead(200, {'content-type': type ?? held.type}).end(text)
  })
}

const LIES: readonly (readonly [title: string, code: ErrorCode, lie: Lie])[] = [
  ['a layer of another digest', 'DIGEST_MISMATCH', forBlob(layer, (to, bytes) => to.end(flipped(bytes)))],
  [
    'a configuration of another digest',
    'DIGEST_MISMATCH',
    forBlob(config, (to, b) => to.end(b.fill(32, b.length - 1))),
  ],
  [
    'a layer that is shorter',
    'SIZE_MISMATCH',
    forBlob(layer, (to, b) => to.writeHead(200, length(b, -1)).end(b.subarray(1))),
  ],
  ['a layer that is shorter, of no stated length', 'NETWORK_FAILED', forBlob(layer, inPieces)],
  ['a layer that is longer', 'SIZE_MISMATCH', forBlob(layer, (to, b) => to.end(Buffer.concat([b, b])))],
  ['a layer without end', 'SIZE_MISMATCH', forBlob(layer, endless)],
  ['a page of HTML as a manifest', 'FORMAT_UNSUPPORTED', manifestWith(/^.*$/s, '<html></html>', 'text/html')],
  ['a manifest as an index', 'MANIFEST_INVALID', manifestWith('', '', `${OCI}.index.v1+json`)],
  ['a manifest without a type', 'FORMAT_UNSUPPORTED', forManifest((to, {bytes}) => to.writeHead(200).end(bytes))],
  [
    'a manifest of 2014',
    'FORMAT_UNSUPPORTED',
    manifestWith('', '', 'application/vnd.docker.distribution.manifest.v1+prettyjws'),
  ],
  ['an encrypted layer', 'FORMAT_UNSUPPORTED', manifestWith('layer.v1.tar', 'layer.v1.tar+encrypted')],
  ['a layer of a negative size', 'MANIFEST_INVALID', manifestWith(/"size":\d+(?=[^\]]*\]\})/, '"size":-1')],
  ['a manifest that is cut', 'MANIFEST_INVALID', manifestWith(/.$/s, '')],
  [
    'a manifest of another digest than it states',
    'DIGEST_MISMATCH',
    forManifest((response, {type, bytes}) => {
      const digest = `sha256:${'0'.repeat(64)}`
      response.writeHead(200, {'content-type': type, 'docker-content-digest': digest}).end(bytes)
    }),
  ],
  [
    'a manifest without end',
    'LIMIT_EXCEEDED',
    forManifest((response, {type}) => {
      response.writeHead(200, {'content-type': type})
      endless(response)
    }),
  ],
]

/** Without a length in the headers. */
function inPieces(response: ServerResponse, bytes: Buffer): void {
  response.write(bytes.subarray(1), () => response.end())
}

function length(bytes: Buffer, more: number): {'content-length': number} {
  return {'content-length': bytes.length + more}
}

function endless(response: ServerResponse): void {
  const block = Buffer.alloc(2 ** 20, 32)
  const more = () => {
    while (!response.destroyed && response.write(block));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}

describe('image registries that do not tell the truth, or nothing at all', () => {
  const folder = temporaryFolder()
  let parts: Parts
  let source = ''
  let made = 0

  before(async () => {
    parts = partsOf([await tarOf([['etc/os', 'x'.repeat(5000)]])], {os: 'linux'})
    source = `docker-archive:${path.join(folder.path, 'image.tar')}`
    writeFileSync(source.slice(15), await tarOf(classicMembers(parts)))
  })

  async function refusal(work: Promise<unknown>): Promise<TransshipError> {
    try {
      await work
    } catch (error) {
      assert.ok(error instanceof TransshipError, String(error))
      return error
    }
    return assert.fail('nothing was refused')
  }

  /** Pushes, and then pulls while the lie is told; nothing may be left at the destination. */
  async function pulledThrough(lie: Lie, tag = '1'): Promise<TransshipError> {
    let held: Held | undefined
    const registry = await startMemoryRegistry((request, response) =>
      held === undefined ? false : lie(request, response, held),
    )
    try {
      const reference = `docker://${registry.host}/team/app`
      const [artifact] = (await convert(source, `${reference}:1`)).artifacts
      held = {
        registry,
        reference,
        layer: parts.diffIds[0] ?? '',
        config: parts.imageId,
        manifest: artifact?.kind === 'image' ? (artifact.manifestDigest ?? '') : '',
      }
      const target = path.join(folder.path, `pulled-${made++}`)
      const selector = tag === '@' ? `@${held.manifest}` : `:${tag}`
      const error = await refusal(convert(`${reference}${selector}`, `oci:${target}`))
      assert.equal(existsSync(target), false)
      assert.ok(error.what.length > 0 && error.why !== '', error.message)
      return error
    } finally {
      await registry.stop()
    }
  }

  for (const [title, code, lie] of LIES)
    it(`refuse ${title}: ${code}`, async () => {
      const error = await pulledThrough(lie)
      assert.equal(error.code, code, error.message)
      assert.equal(error.exitCode, code === 'NETWORK_FAILED' ? 4 : 3)
    }).timeout(60_000)

  it('refuse another manifest than the one that a digest names', async () => {
    const error = await pulledThrough(manifestWith(/^\{/, '{ '), '@')
    assert.deepEqual([error.code, error.exitCode], ['DIGEST_MISMATCH', 3])
  })

  it('tell of a tag and of a repository that are not there', async () => {
    const tag = await pulledThrough(() => false, '2')
    assert.deepEqual([tag.code, tag.exitCode], ['NOT_FOUND', 3])
    assert.match(tag.message, /127\.0\.0\.1:\d+\/team\/app does not have '2'/)
    assert.match(tag.suggestions.join(), /transship list docker:\/\/127/)
  })

  it('have no list of tags of a repository that is not there', async () => {
    const registry = await startMemoryRegistry()
    try {
      const error = await refusal(list(`docker://${registry.host}/team/nothing`))
      assert.deepEqual([error.code, error.exitCode], ['NOT_FOUND', 3])
      assert.equal(error.what, `${registry.host} does not have the list of tags of team/nothing.`)
    } finally {
      await registry.stop()
    }
  })

  it('tell of a layer that a manifest names and nobody has', async () => {
    const error = await pulledThrough((_, __, {registry}) => {
      registry.blobs.delete(parts.diffIds[0] ?? '')
      return false
    })
    assert.deepEqual([error.code, error.exitCode], ['LAYER_MISSING', 3])
  })

  it('find a diffID that lies when they verify a compressed layer, which is passed on by its digest alone', async () => {
    const registry = await startMemoryRegistry()
    try {
      const [right, wrong] = [await tarOf([['a', 'right']]), await tarOf([['a', 'wrong']])]
      const stored = {layers: [gzipSync(wrong)], suffix: '+gzip'}
      const archive = path.join(folder.path, `lying-${made++}.tar`)
      const members = hybridMembers(partsOf([right], {os: 'linux'}), {stored, withManifestJson: false})
      writeFileSync(archive, await tarOf(members))
      const reference = `docker://${registry.host}/app:1`
      await convert(`oci-archive:${archive}`, reference)
      await convert(reference, `oci:${path.join(folder.path, `pulled-${made++}`)}`)
      const {faults} = await verify(reference)
      assert.deepEqual(
        faults.map(({code}) => code),
        ['DIGEST_MISMATCH'],
      )
    } finally {
      await registry.stop()
    }
  })

  for (const [title, answer] of [
    ['is asked for too often', {status: 429, says: 'TOOMANYREQUESTS'}],
    ['forbids', {status: 403, says: 'DENIED'}],
    ['is broken', {status: 500, says: 'UNKNOWN'}],
  ] as const)
    it(`tell what a registry said that ${title}, and at which address: exit 4`, async () => {
      const error = await pulledThrough((_, response) => {
        const body = JSON.stringify({errors: [{code: answer.says, message: 'because'}]})
        response.writeHead(answer.status, {'retry-after': '0.01'}).end(body)
        return true
      })
      assert.deepEqual([error.code, error.exitCode], [answer.status === 403 ? 'UNAUTHORIZED' : 'NETWORK_FAILED', 4])
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1.*${String(answer.status)}: ${answer.says} because`, 's'))
      assert.ok(answer.status === 500 || error.suggestions.length > 0)
    }).timeout(60_000)

  for (const [title, code, lie] of [
    [
      'stores another manifest than it was sent',
      'DIGEST_MISMATCH',
      (request, response) => {
        if (request.method !== 'PUT' || !(request.url ?? '').includes('/manifests/')) return false
        const digest = `sha256:${sha256('other')}`
        request.resume().on('end', () => response.writeHead(201, {'docker-content-digest': digest}).end())
        return true
      },
    ],
    [
      'found other bytes than it was sent',
      'NETWORK_FAILED',
      (request, response) => {
        if (request.method !== 'PUT' || !(request.url ?? '').includes('/uploads/')) return false
        const body = JSON.stringify({errors: [{code: 'DIGEST_INVALID', message: 'no'}]})
        request.resume().on('end', () => response.writeHead(400).end(body))
        return true
      },
    ],
    [
      'says nowhere to upload to',
      'NETWORK_FAILED',
      (request, response) => {
        if (request.method !== 'POST') return false
        request.resume().on('end', () => response.writeHead(202).end())
        return true
      },
    ],
  ] as const satisfies readonly (readonly [
    string,
    ErrorCode,
    (request: IncomingMessage, response: ServerResponse) => boolean,
  ])[])
    it(`give up on a registry that ${title}: ${code}`, async () => {
      const registry = await startMemoryRegistry(lie)
      const error = await refusal(convert(source, `docker://${registry.host}/app:1`))
      await registry.stop()
      assert.equal(error.code, code, error.message)
    })
})
