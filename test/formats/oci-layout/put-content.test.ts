import assert from 'node:assert/strict'
import type {LayoutFiles} from '../../../src/formats/oci-layout/layout-files.js'
import {isContentHeld, putContent} from '../../../src/formats/oci-layout/put-content.js'
import type {StoredContent} from '../../../src/model/content-graph.js'
import {digestOf} from '../../../src/model/digest.js'
import {InputError} from '../../../src/model/errors.js'
import type {WorkOptions} from '../../../src/model/events.js'
import {chunked, collect} from '../../helpers/bytes.js'
import {hearing} from '../../helpers/layout-store.js'
import {breakingOff} from '../../helpers/streams.js'

const refuse = (): never => {
  throw new Error('the source was read')
}

describe('content that is put into a layout', () => {
  const [ONE, TWO] = [Buffer.from('one'), Buffer.from('twofold')]
  const nameOf = (bytes: Buffer) => `blobs/sha256/${digestOf(bytes).slice(7)}`
  const contentOf = (bytes: Buffer, more: Partial<StoredContent> = {}): StoredContent => ({
    descriptor: {mediaType: 'a/type', digest: digestOf(bytes), size: bytes.length},
    open: () => chunked(bytes, 2),
    ...more,
  })
  const documentOf = (bytes: Buffer) => ({mediaType: 'a/document', digest: digestOf(bytes), bytes})

  /** Puts into a layout that has these files; gives the steps that were taken. */
  async function put(
    blobs: readonly StoredContent[],
    {
      existing = new Map<string, Buffer>(),
      isNew = () => true,
      documents = [],
      findExisting,
      ...options
    }: WorkOptions & {
      existing?: ReadonlyMap<string, Buffer>
      isNew?: (name: string) => boolean
      documents?: readonly Buffer[]
      findExisting?: LayoutFiles<number>['findExisting']
    } = {},
  ) {
    const steps: string[] = []
    const held: Buffer[] = []
    const files: Partial<LayoutFiles<number>> = {
      addBody: async (body) => held.push(await collect(body)) - 1,
      name: (at, name) => Promise.resolve(void steps.push(`${name} ${held[at]?.toString()}`)),
      addFile: (name, bytes) => Promise.resolve(void steps.push(`${name} ${Buffer.from(bytes).toString()}`)),
      findExisting:
        findExisting ??
        ((name) => {
          const bytes = existing.get(name)
          if (bytes === undefined) return Promise.resolve(undefined)
          return Promise.resolve({member: 0, sizeBytes: bytes.length, open: () => chunked(bytes, 2)})
        }),
    }
    const graph = {documents: documents.map(documentOf), blobs, absent: []}
    await putContent(files as LayoutFiles<number>, graph, {isNew, ...options})
    return steps
  }

  it('comes under its digest, blobs first', async () => {
    const steps = await put([contentOf(ONE), contentOf(TWO)], {documents: [Buffer.from('{}')]})
    assert.deepEqual(steps, [ONE, TWO, Buffer.from('{}')].map((bytes) => `${nameOf(bytes)} ${bytes.toString()}`)) // prettier-ignore
  })

  it('is not written twice in a run', async () => {
    const isNew = (name: string) => name !== nameOf(ONE)
    assert.deepEqual(await put([contentOf(ONE)], {isNew, documents: [ONE]}), [])
  })

  it('stays where it is sound, and is written again where it is not', async () => {
    const text = `${nameOf(TWO)} ${TWO.toString()}`
    for (const [there, steps] of [
      [TWO, []],
      [Buffer.from('TWOFOLD'), [text]],
      [TWO.subarray(1), [text]],
      [Buffer.concat([TWO, ONE]), [text]],
    ] as const)
      assert.deepEqual(await put([contentOf(TWO)], {existing: new Map([[nameOf(TWO), there]])}), steps)
  })

  it('is written again where what is there cannot be read, unless that says more', async () => {
    const gone = new InputError('NOT_FOUND', {what: 'gone'})
    for (const error of [gone, new Error('cut')]) {
      const findExisting = () => Promise.resolve({member: 0, sizeBytes: TWO.length, open: () => breakingOff(error)})
      const work = put([contentOf(TWO)], {findExisting})
      if (error === gone) assert.deepEqual(await work, [`${nameOf(TWO)} ${TWO.toString()}`])
      else await assert.rejects(work, /cut/)
    }
  })

  it('hears of an interruption while it looks at what is there', async () => {
    const options = {existing: new Map([[nameOf(TWO), TWO]]), signal: AbortSignal.abort(new Error('enough'))}
    await assert.rejects(put([contentOf(TWO)], options), /enough/)
  })

  it('is named only, and told of, where a foreign layer is elsewhere', async () => {
    const {told, onEvent} = hearing()
    const away = {isHeld: () => Promise.resolve(false), open: refuse}
    const here = {isHeld: () => Promise.resolve(true)}
    assert.deepEqual(await put([contentOf(ONE, away), contentOf(TWO, here)], {onEvent}), [`${nameOf(TWO)} ${TWO.toString()}`]) // prettier-ignore
    assert.deepEqual(told, [['layer-not-held', 'a/type']])
    for (const [more, isHeld] of [
      [away, false],
      [here, true],
      [{}, true],
    ] as const)
      assert.equal(await isContentHeld(contentOf(ONE, more), {}), isHeld)
  })

  for (const [mayOverlap, concurrency, most] of [
    [true, 2, 2],
    [true, 3, 3],
    [false, 3, 1],
    [undefined, 3, 1],
  ] as const)
    it(`comes ${most} at a time where ${concurrency} are allowed and overlapping is ${String(mayOverlap)}`, async () => {
      let [now, seen] = [0, 0]
      const files = {
        ...(mayOverlap === undefined ? {} : {mayOverlap}),
        addBody: async (body: AsyncIterable<Uint8Array>) => {
          seen = Math.max(seen, ++now)
          await new Promise(setImmediate)
          await collect(body)
          now -= 1
        },
        name: () => Promise.resolve(),
      }
      const blobs = ['a', 'b', 'c', 'd', 'e'].map((text) => contentOf(Buffer.from(text)))
      const graph = {documents: [], blobs, absent: []}
      await putContent(files as unknown as LayoutFiles<void>, graph, {isNew: () => true, concurrency})
      assert.equal(seen, most)
    })
})
