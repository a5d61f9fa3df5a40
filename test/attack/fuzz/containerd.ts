import path from 'node:path'
import {convert} from '../../../src/convert/convert.js'
import {inspect} from '../../../src/convert/inspect.js'
import {list} from '../../../src/convert/list.js'
import {verify} from '../../../src/convert/verify.js'
import {decodeTaskMetrics} from '../../../src/engine-api/containerd/services.js'
import {answersOf, encodeAnswer, METHODS, startFakeContainerd} from '../../helpers/fake-containerd.js'
import {NETWORK, smallParts} from './answers.js'
import {refusalOf} from './corpus.js'
import {mutateBytes} from './mutate-bytes.js'
import {BAD_NAMES} from './mutate-json.js'
import {require, type Parser} from './parser.js'
import {Place} from './place.js'

const containerd: Parser = {
  name: 'containerd-answers',
  reads: 'answers of containerd, and metrics of its tasks',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const parts = await smallParts()
    const answers = answersOf(parts)
    let wrong: {readonly method: number; readonly bytes: Buffer} = {method: -1, bytes: Buffer.alloc(0)}
    const server = await startFakeContainerd(path.join(scratch, 'containerd'), (method, request) => {
      // Of the blobs, the configuration alone is answered wrongly: the others are right for themselves.
      const isMeant = (request.digest ?? parts.imageId) === parts.imageId
      if (METHODS.indexOf(method) === wrong.method && isMeant) return wrong.bytes
      const right = answers[method](request)
      return right === undefined ? undefined : encodeAnswer(method, right)
    })
    const options = {...NETWORK, containerd: {address: server.address}}
    const originals = METHODS.map((method) => encodeAnswer(method, answers[method]({digest: parts.imageId}) ?? {}))
    return {
      make(random) {
        const method = random.int(METHODS.length)
        return Buffer.concat([
          Buffer.of(method),
          mutateBytes(random, originals[method]!, {corpus: originals, words: BAD_NAMES}),
        ])
      },
      async run(input) {
        wrong = {method: input[0] ?? 0, bytes: input.subarray(1)}
        place.begin('oci', {})
        await place.judged(async () => {
          await refusalOf(() => list('containerd:', options))
          await refusalOf(() => inspect('containerd:app:1', options))
          for (const version of ['v1', 'v2'])
            await refusalOf(() =>
              decodeTaskMetrics({
                id: 'x',
                data: {typeUrl: `x/io.containerd.cgroups.${version}.Metrics`, value: wrong.bytes},
              }),
            )
          await convert('containerd:app:1', `oci:${place.out}/pulled`, options)
          const {ok, faults} = await verify(`oci:${place.out}/pulled`)
          require(ok, `it was taken from containerd, and is not sound: ${faults[0]?.message ?? ''}`)
        })
      },
      close() {
        server.stop()
      },
    }
  },
}

export const CONTAINERD_PARSERS: readonly Parser[] = [containerd]
