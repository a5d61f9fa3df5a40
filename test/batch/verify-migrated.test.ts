import assert from 'node:assert/strict'
import {cpSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import type {BatchReport} from '../../src/batch/batch-report.js'
import {verifyMigrated} from '../../src/batch/migrate/run-migration.js'
import {convert} from '../../src/convert/convert.js'
import {list} from '../../src/convert/list.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const SHOP = 'CN=Contoso_Shop_1.2.0.0'

/** The report of a batch that made these. */
function madeOf(references: readonly string[]): BatchReport {
  const items = references.map((reference) => ({result: {artifacts: [{reference}]}}))
  return {items} as unknown as BatchReport
}

describe('what a migration made is verified', () => {
  const folder = temporaryFolder()
  let made = 0

  const PLACES: readonly {readonly transport: 'inbox' | 'appx'; readonly fill: () => Promise<string>}[] = [
    {
      transport: 'inbox',
      fill() {
        const repository = path.join(folder.path, `inbox-${made++}`)
        cpSync('samples/repository', repository, {recursive: true})
        return Promise.resolve(repository)
      },
    },
    {
      transport: 'appx',
      async fill() {
        const place = path.join(folder.path, `appx-${made++}`)
        mkdirSync(place)
        await convert('inbox:samples/repository:Shop', `appx:${place}`)
        return place
      },
    },
  ]

  async function referencesIn(place: string): Promise<readonly string[]> {
    return (await list(place)).items.map(({reference}) => reference)
  }

  for (const {transport, fill} of PLACES) {
    it(`and sound, each by its reference, in their order: ${transport}`, async () => {
      const references = (await referencesIn(`${transport}:${await fill()}`)).toReversed()
      assert.equal(references.length, 3)
      const events: unknown[] = []
      const verified = await verifyMigrated(madeOf([...references, ...references]), {
        onEvent: (event) => events.push(event),
      })
      assert.deepEqual(
        verified,
        references.map((reference) => ({reference, ok: true, faults: []})),
      )
      const parts = events.filter((event) => (event as {kind: string}).kind === 'part')
      assert.deepEqual(parts.at(-1), {kind: 'part', id: 'verify all', noun: 'artifact', done: 3, of: 3})
    })

    it(`and one is damaged: that one alone has faults: ${transport}`, async () => {
      const place = await fill()
      const references = await referencesIn(`${transport}:${place}`)
      const damaged = references.find((reference) => reference.includes('Shop'))!
      const file =
        transport === 'inbox'
          ? path.join(place, SHOP, 'payload-index.jsonl')
          : path.join(place, `${path.basename(damaged.slice(damaged.indexOf('CN=')))}.appx`)
      const bytes = readFileSync(file)
      const at = Math.floor(bytes.length / 2)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at)
      writeFileSync(file, bytes)
      const verified = await verifyMigrated(madeOf(references), {})
      assert.deepEqual(
        verified.map(({reference, ok}) => [reference, ok]),
        references.map((reference) => [reference, reference !== damaged]),
      )
      assert.ok(verified.every(({ok, faults}) => ok === (faults.length === 0)))
    })
  }

  it('and one is gone: it is none that is sound', async () => {
    const place = await PLACES[0]!.fill()
    const references = await referencesIn(`inbox:${place}`)
    rmSync(path.join(place, SHOP), {recursive: true})
    const verified = await verifyMigrated(madeOf(references), {})
    const gone = verified.find(({reference}) => reference.includes('Shop'))
    assert.deepEqual([gone?.ok, gone?.faults.map(({code}) => code)], [false, ['NOT_FOUND']])
    assert.equal(verified.filter(({ok}) => ok).length, 2)
  })

  it('and the whole place is gone', async () => {
    const place = await PLACES[0]!.fill()
    const references = await referencesIn(`inbox:${place}`)
    rmSync(place, {recursive: true})
    const verified = await verifyMigrated(madeOf(references), {})
    assert.deepEqual(verified.map(({ok}) => ok), [false, false, false]) // prettier-ignore
  })
})
