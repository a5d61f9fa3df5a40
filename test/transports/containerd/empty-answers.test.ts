import assert from 'node:assert/strict'
import path from 'node:path'
import {convert} from '../../../src/convert/convert.js'
import {inspect} from '../../../src/convert/inspect.js'
import {list} from '../../../src/convert/list.js'
import {verify} from '../../../src/convert/verify.js'
import {TransshipError} from '../../../src/model/errors.js'
import {partsOf, tarOf} from '../../helpers/archives.js'
import {
  answersOf,
  encodeAnswer,
  METHODS,
  startFakeContainerd,
  type FakeContainerd,
  type Method,
} from '../../helpers/fake-containerd.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const [, GET, LIST, INFO] = METHODS
const IMAGE = {name: 'docker.io/library/app:1', labels: {}, createdAt: {seconds: 1, nanos: 2}}

/** What protobuf allows any answer to be: without the message, or with one in which nothing is set. */
const ANSWERS: readonly (readonly [note: string, method: Method, message: object])[] = [
  ...METHODS.map((method) => ['nothing', method, {}] as const),
  ['an image without a target', GET, {image: IMAGE}],
  ['an image in which nothing is set', GET, {image: {}}],
  ['a target in which nothing is set', GET, {image: {...IMAGE, target: {}}}],
  ['images without a target', LIST, {images: [IMAGE, IMAGE]}],
  ['images in which nothing is set', LIST, {images: [{}, {}]}],
  ['facts in which nothing is set', INFO, {info: {}}],
]

describe('answers of containerd in which something is not set', () => {
  const folder = temporaryFolder()
  let containerd: FakeContainerd | undefined
  let odd: (typeof ANSWERS)[number] | undefined

  before(async () => {
    const answers = answersOf(
      partsOf([
        await tarOf([
          ['Files/', ''],
          ['Files/a.txt', 'a'],
        ]),
      ]),
    )
    containerd = await startFakeContainerd(path.join(folder.path, 'containerd'), (method, request) => {
      if (odd?.[1] === method) return encodeAnswer(method, odd[2])
      const message = answers[method](request)
      return message === undefined ? undefined : encodeAnswer(method, message)
    })
  })
  after(() => {
    containerd?.stop()
  })

  const reference = 'containerd:app:1'
  const optionsNow = () => ({containerd: {address: containerd?.address ?? ''}})
  const works: Readonly<Record<string, () => Promise<unknown>>> = {
    list: () => list('containerd:', optionsNow()),
    inspect: () => inspect(reference, optionsNow()),
    verify: () => verify(reference, optionsNow()),
    convert: () =>
      convert(reference, `docker-archive:${path.join(folder.path, 'out.tar')}`, {...optionsNow(), replace: true}),
  }

  it('has an image that is read where all is set', async () => {
    odd = undefined
    for (const [name, work] of Object.entries(works)) await assert.doesNotReject(work(), name)
  })

  it('has no image where the answer has none', async () => {
    odd = ['nothing', GET, {}]
    await assert.rejects(inspect(reference, optionsNow()), {code: 'NOT_FOUND'})
  })

  for (const answer of ANSWERS)
    it(`${answer[0]}, to ${answer[1]}, is no fault of our own`, async () => {
      odd = answer
      for (const [name, work] of Object.entries(works))
        try {
          await work()
        } catch (error) {
          assert.ok(error instanceof TransshipError, `${name}: ${String(error)}`)
          assert.notEqual(error.code, 'INTERNAL', name)
        }
    })
})
