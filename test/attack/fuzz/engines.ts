import type {IncomingMessage} from 'node:http'
import {convert} from '../../../src/convert/convert.js'
import {list} from '../../../src/convert/list.js'
import {verify} from '../../../src/convert/verify.js'
import {classicMembers, tarOf} from '../../helpers/archives.js'
import {collect} from '../../helpers/bytes.js'
import {startServer} from '../../helpers/distribution.js'
import {type Answer, NETWORK, type Right, mutateAnswer, send, smallParts} from './answers.js'
import {refusalOf} from './corpus.js'
import {require, type Parser} from './parser.js'
import {Place} from './place.js'

const engine: Parser = {
  name: 'engine-answers',
  reads: 'answers of Docker engines',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const parts = await smallParts()
    const archive = await tarOf(classicMembers(parts, ['contoso/app:1']))
    const json = {'content-type': 'application/json'}
    const right = (body: unknown, status = 200): Right => ({
      status,
      headers: json,
      body: Buffer.from(JSON.stringify(body)),
    })
    const details = {
      Id: parts.imageId,
      RepoTags: ['contoso/app:1'],
      Os: 'windows',
      Architecture: 'amd64',
      OsVersion: '10.0.20348.2113',
      Created: '2024-01-02T03:04:05Z',
      Size: 400,
      RootFS: {Type: 'layers', Layers: parts.diffIds},
    }
    const rights = new Map<string, Right>([
      [
        'version',
        right({
          Version: '24.0.0',
          ApiVersion: '1.43',
          MinAPIVersion: '1.12',
          Os: 'windows',
          Arch: 'amd64',
          Components: [{Name: 'Engine'}],
        }),
      ],
      ['info', right({DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']]})],
      ['images', right([{Id: parts.imageId, RepoTags: ['contoso/app:1'], Size: 400}])],
      ['image', right(details)],
      ['get', {status: 200, headers: {'content-type': 'application/x-tar'}, body: archive}],
      ['load', {status: 200, headers: json, body: Buffer.from('{"stream":"Loaded image: contoso/app:1\\n"}\n')}],
      ['other', right({}, 201)],
    ])
    const kindOf = ({url = ''}: IncomingMessage): string => {
      if (url.endsWith('/version')) return 'version'
      if (url.endsWith('/info')) return 'info'
      if (url.includes('/images/json')) return 'images'
      if (url.includes('/get')) return 'get'
      if (url.includes('/load')) return 'load'
      return url.endsWith('/json') ? 'image' : 'other'
    }
    let wrong: Answer | undefined
    const server = await startServer((request, response) => {
      const kind = kindOf(request)
      const own = rights.get(kind)!
      collect(request as AsyncIterable<Uint8Array>).then(
        () => {
          send(response, kind === wrong?.to ? wrong : {...own, body: own.body.toString('base64')})
        },
        () => response.destroy(),
      )
    })
    const options = {...NETWORK, engine: {host: `tcp://${server.host}`}}
    return {
      make: (random) => mutateAnswer(random, rights),
      async run(input) {
        wrong = JSON.parse(input.toString('utf8')) as Answer
        place.begin('docker-archive', {'image.tar': archive})
        await place.judged(async () => {
          await refusalOf(() => list('docker-daemon:', options))
          const pulled = await refusalOf(async () => {
            await convert('docker-daemon:contoso/app:1', `oci:${place.out}/pulled`, options)
            const {ok, faults} = await verify(`oci:${place.out}/pulled`)
            require(ok, `it was taken from an engine, and is not sound: ${faults[0]?.message ?? ''}`)
          })
          if (/load|version|info|other|image$/.test(wrong?.to ?? ''))
            await refusalOf(() => convert(`docker-archive:${place.in}/image.tar`, 'docker-daemon:', options))
          if (pulled !== undefined) throw pulled
        })
      },
      close: () => server.stop(),
    }
  },
}

export const ENGINE_PARSERS: readonly Parser[] = [engine]
