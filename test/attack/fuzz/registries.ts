import type {IncomingMessage} from 'node:http'
import {convert} from '../../../src/convert/convert.js'
import {list} from '../../../src/convert/list.js'
import {verify} from '../../../src/convert/verify.js'
import {findChallenge} from '../../../src/transports/docker/challenge.js'
import {nextPage} from '../../../src/transports/docker/pages.js'
import {parseTokenAnswer} from '../../../src/transports/docker/token.js'
import {classicMembers, sha256, tarOf} from '../../helpers/archives.js'
import {startServer} from '../../helpers/distribution.js'
import {OCI} from '../../helpers/layouts.js'
import {manifestOfOne} from '../../helpers/oci-manifest.js'
import {type Answer, type Right, mutateAnswer, send, NETWORK, smallParts} from './answers.js'
import {refusalOf} from './corpus.js'
import {mutateBytes} from './mutate-bytes.js'
import {mutateJson} from './mutate-json.js'
import {require, type Parser} from './parser.js'
import {Place} from './place.js'

const registry: Parser = {
  name: 'registry-answers',
  reads: 'answers of image registries',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const parts = await smallParts()
    const layer = parts.layers[0]!
    const manifest = manifestOfOne(parts)
    const json = {'content-type': 'application/json'}
    const digest = `sha256:${sha256(manifest)}`
    const type = {'content-type': OCI.manifest, 'docker-content-digest': digest}
    const rights = new Map<string, Right>([
      ['ping', {status: 200, headers: json, body: Buffer.from('{}')}],
      ['manifest', {status: 200, headers: type, body: manifest}],
      ['config', {status: 200, headers: {}, body: Buffer.from(parts.config)}],
      ['layer', {status: 200, headers: {}, body: layer}],
      ['tags', {status: 200, headers: json, body: Buffer.from('{"name":"app","tags":["1","2"]}')}],
      ['catalog', {status: 200, headers: json, body: Buffer.from('{"repositories":["app"]}')}],
      [
        'referrers',
        {
          status: 200,
          headers: {'content-type': OCI.index},
          body: Buffer.from(
            JSON.stringify({
              schemaVersion: 2,
              mediaType: OCI.index,
              manifests: [{mediaType: OCI.manifest, digest, size: manifest.byteLength, artifactType: 'x/y'}],
            }),
          ),
        },
      ],
      ['blob-head', {status: 404, headers: {}, body: Buffer.alloc(0)}],
      ['blob-there', {status: 200, headers: {'content-length': String(layer.byteLength)}, body: Buffer.alloc(0)}],
      [
        'upload-start',
        {status: 202, headers: {location: '/v2/pushed/blobs/uploads/1', range: '0-0'}, body: Buffer.alloc(0)},
      ],
      ['upload', {status: 202, headers: {location: '/v2/pushed/blobs/uploads/1', range: '0-9'}, body: Buffer.alloc(0)}],
      ['upload-end', {status: 201, headers: {}, body: Buffer.alloc(0)}],
      ['manifest-put', {status: 201, headers: {}, body: Buffer.alloc(0)}],
    ])
    const kindOf = ({method = '', url = ''}: IncomingMessage): string => {
      if (url === '/v2/') return 'ping'
      if (url.startsWith('/v2/_catalog')) return 'catalog'
      if (url.includes('/tags/')) return 'tags'
      if (url.includes('/referrers/')) return 'referrers'
      if (url.includes('/manifests/')) return method === 'PUT' ? 'manifest-put' : 'manifest'
      if (method === 'POST') return 'upload-start'
      if (method === 'PATCH') return 'upload'
      if (method === 'PUT') return 'upload-end'
      // What is pulled is there; what is pushed to the other repository is not there yet.
      if (method === 'HEAD') return url.startsWith('/v2/pushed/') ? 'blob-head' : 'blob-there'
      return url.includes(parts.imageId) ? 'config' : 'layer'
    }
    let wrong: Answer | undefined
    const server = await startServer((request, response) => {
      const kind = kindOf(request)
      const right = rights.get(kind)!
      request.resume().on('end', () => {
        send(response, kind === wrong?.to ? wrong : {...right, body: right.body.toString('base64')})
      })
      request.on('error', () => undefined)
    })
    const archive = await tarOf(classicMembers(parts))
    return {
      make: (random) => mutateAnswer(random, rights),
      async run(input) {
        wrong = JSON.parse(input.toString('utf8')) as Answer
        place.begin('docker-archive', {'image.tar': archive})
        const reference = `docker://${server.host}/app:1`
        await place.judged(async () => {
          const pulled = await refusalOf(async () => {
            await convert(reference, `oci:${place.out}/pulled`, NETWORK)
            const {ok, faults} = await verify(`oci:${place.out}/pulled`)
            require(ok, `it was pulled, and is not sound: ${faults[0]?.message ?? ''}`)
          })
          const kind = wrong?.to ?? ''
          const isPush = /upload|put|blob-head/.test(kind)
          if (/tags|catalog|ping/.test(kind))
            await refusalOf(() => list(`docker://${server.host}/${kind === 'catalog' ? '' : 'app'}`, NETWORK))
          if (/manifest|config|layer|referrers/.test(kind)) await refusalOf(() => verify(reference, NETWORK))
          if (isPush) {
            const pushed = await refusalOf(() =>
              convert(`docker-archive:${place.in}/image.tar`, `docker://${server.host}/pushed:2`, {
                ...NETWORK,
                replace: true,
              }),
            )
            if (pushed !== undefined) throw pushed
          }
          if (pulled !== undefined) throw pulled
        })
      },
      close: () => server.stop(),
    }
  },
}

const words: Parser = {
  name: 'registry-words',
  reads: 'headers and token answers of image registries',
  prepare() {
    const headers = [
      'Bearer realm="https://auth.example/token",service="s",scope="repository:a:pull,push"',
      'Basic realm="r", Bearer realm="https://auth.example/token"',
      'Negotiate YII==, Digest nonce="1"',
    ].map((text) => Buffer.from(text))
    const token = Buffer.from('{"token":"t","access_token":"u","expires_in":300,"issued_at":"2024-01-02T03:04:05Z"}')
    return {
      make: (random) =>
        random.chance(0.5)
          ? mutateJson(random, token)
          : mutateBytes(random, random.pick(headers), {words: ['Bearer ', '"', '\\"', ',', '=', 'realm=']}),
      run(input) {
        const text = input.toString('latin1')
        findChallenge(text)
        nextPage(`<${text}>; rel="next"`, new URL('http://127.0.0.1/v2/'))
        nextPage(text, new URL('http://127.0.0.1/v2/'))
        if (input[0] !== 0x7b) return
        const answer = parseTokenAnswer(input)
        require(answer === undefined || !/[\r\n]/.test(answer.token), 'a token would break the header')
      },
    }
  },
}

export const REGISTRY_PARSERS: readonly Parser[] = [registry, words]
