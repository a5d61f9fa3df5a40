import assert from 'node:assert/strict'
import {appendFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {prepareMigration} from '../../src/batch/migrate/prepare-migration.js'
import {runBatch, convert, verify} from '../../src/index.js'
import type {FileEdit, PayloadEdits} from '../../src/model/payload-edits.js'
import {renderCsv} from '../../src/report/render-csv.js'
import {renderHtml} from '../../src/report/render-html.js'
import {formatConvert} from '../../src/terminal/convert-text.js'
import {formatMigration} from '../../src/terminal/migrate-text.js'
import {formatVerify} from '../../src/terminal/verify-text.js'
import {sha256} from '../helpers/archives.js'
import {assertSchema} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const SHOP = 'CN=contoso_shop_1.2.0.0'
const SETTINGS = 'Files/Shop/settings.json'

interface Row {
  readonly title: string
  /** Works in the folder of the package. */
  readonly edit: (at: (name: string) => string) => void
  readonly want: readonly string[]
  /** The same where the index was made anew, as a tool does that knows the format; only the recipe knows then. */
  readonly remade?: readonly string[]
}

/** Changes the bytes of a file and keeps its length. */
const replaced = (file: string, from: string, to: string) => {
  const before = readFileSync(file, 'latin1')
  const after = before.replace(from, to)
  assert.notEqual(after, before, `${from} is not in ${file}`)
  writeFileSync(file, after, 'latin1')
}

const ROWS: readonly Row[] = [
  {
    title: 'content of the same length',
    edit: (at) => {
      replaced(at(SETTINGS), '"EUR"', '"USD"')
    },
    want: [`${SETTINGS} (changed)`],
    // Neither a size nor anything else that a recipe remembers is another one.
    remade: [],
  },
  {
    title: 'content of another length',
    edit: (at) => {
      // The data stream: id 1, no attributes, its size.
      const [size, longer] = [20, 22].map((bytes) => Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, bytes]).toString('latin1'))
      const file = at(SETTINGS)
      if (readFileSync(file, 'latin1').includes(size!)) replaced(file, size!, longer!)
      replaced(file, '"EUR"', '"EURO!"')
    },
    want: [`${SETTINGS} (changed)`],
  },
  {
    title: 'attributes',
    edit: (at) => {
      const bytes = readFileSync(at(SETTINGS))
      bytes[0] = bytes[0]! ^ 1
      writeFileSync(at(SETTINGS), bytes)
    },
    want: [`${SETTINGS} (changed)`],
    remade: [],
  },
  {
    title: 'attributes of a folder',
    edit: (at) => {
      const bytes = readFileSync(at('Files/Shop.$wcidirs$'))
      bytes[0] = bytes[0]! ^ 2
      writeFileSync(at('Files/Shop.$wcidirs$'), bytes)
    },
    want: ['Files/Shop (changed)'],
    remade: [],
  },
  {
    title: 'a time',
    edit: (at) => {
      writeFileSync(
        at('payload-index.jsonl'),
        readFileSync(at('payload-index.jsonl'), 'utf8').replace(/(settings\.json".*"w":"13)\d/, '$19'),
      )
    },
    // Times are in the index: it is what was edited.
    want: ['payload-index.jsonl (changed)'],
    remade: [],
  },
  {
    title: 'an alternate stream',
    edit: (at) => {
      replaced(at(SETTINGS), 'none', 'some')
    },
    want: [`${SETTINGS} (changed)`],
    remade: [],
  },
  {
    title: 'an alternate stream that was removed',
    edit: (at) => {
      const bytes = readFileSync(at(SETTINGS))
      // Header of 20 bytes, name of 40, and four of data: the last stream.
      writeFileSync(at(SETTINGS), bytes.subarray(0, -64))
    },
    want: [`${SETTINGS} (changed)`],
    remade: [],
  },
  {
    title: 'a registry delta',
    edit: (at) => {
      const bytes = readFileSync(at('Hives/Software_Delta'))
      writeFileSync(at('Hives/Software_Delta'), Buffer.concat([bytes, Buffer.alloc(512)]))
    },
    want: ['Hives/Software_Delta (changed)'],
    remade: ['Hives/Software_Delta (changed)'],
  },
  {
    title: 'a file that was added',
    edit: (at) => {
      cpSync(at(SETTINGS), at('Files/Shop/more.json'), {preserveTimestamps: true})
    },
    want: ['Files/Shop/more.json (added)'],
    remade: ['Files/Shop/more.json (added)'],
  },
  {
    title: 'a file that was removed',
    edit: (at) => {
      rmSync(at('Files/Shop/empty.log'))
    },
    want: ['Files/Shop/empty.log (removed)'],
    remade: ['Files/Shop/empty.log (removed)'],
  },
  {
    title: 'a file that was renamed',
    edit: (at) => {
      renameSync(at(SETTINGS), at('Files/Shop/config.json'))
    },
    want: ['Files/Shop/config.json (added)', `${SETTINGS} (removed)`],
    remade: ['Files/Shop/config.json (added)', `${SETTINGS} (removed)`],
  },
  {
    title: 'a file that was renamed in case alone',
    edit: (at) => {
      renameSync(at(SETTINGS), at('Files/Shop/Settings.json'))
    },
    want: [`${SETTINGS} (changed)`],
  },
  {
    title: 'a folder that was added, with and without metadata',
    edit: (at) => {
      mkdirSync(at('Files/Shop/Logs'))
      mkdirSync(at('Files/Shop/Cache'))
      cpSync(at('Files/Shop.$wcidirs$'), at('Files/Shop/Logs.$wcidirs$'), {preserveTimestamps: true})
    },
    want: ['Files/Shop/Cache (added)', 'Files/Shop/Logs (added)'],
  },
  {
    title: 'a deletion that was added',
    edit: (at) => {
      appendFileSync(at('tombstones.txt'), '\\Shop\\old.txt\n')
    },
    want: ['tombstones.txt (changed)'],
    remade: ['tombstones.txt (changed)'],
  },
  {
    title: 'several at once',
    edit: (at) => {
      replaced(at(SETTINGS), '"EUR"', '"USD"')
      rmSync(at('Files/Shop/empty.log'))
    },
    want: ['Files/Shop/empty.log (removed)', `${SETTINGS} (changed)`],
    remade: ['Files/Shop/empty.log (removed)'],
  },
]

const spelt = (edits: PayloadEdits | undefined) =>
  (edits?.files ?? []).map(({file, kind}: FileEdit) => `${file} (${kind})`)

describe('a package that was edited', () => {
  const folder = temporaryFolder()
  const ready = () => path.join(folder.path, 'ready')
  let count = 0
  const fresh = (name: string) => path.join(folder.path, `${String(count++)}-${name}`)

  before(async () => {
    await convert('docker-archive:samples/shop.tar', `inbox:${ready()}`, {layers: 'chain'})
  })

  function edited({edit}: Pick<Row, 'edit'>, isRemade: boolean): string {
    const root = fresh('repository')
    cpSync(ready(), root, {recursive: true, preserveTimestamps: true})
    const at = (name: string) => path.join(root, SHOP, name)
    edit(at)
    if (isRemade) remakeIndex(at)
    return root
  }

  for (const row of ROWS)
    for (const isRemade of row.remade === undefined ? [false] : [false, true])
      it(`is named with its files: ${row.title}${isRemade ? ', the index made anew' : ''}`, async () => {
        const root = edited(row, isRemade)
        const source = `inbox:${root}:${SHOP}`
        const want = (isRemade ? row.remade : row.want) ?? []

        const converted = await convert(source, `oci:${fresh('image')}`)
        assert.equal(converted.exact, false)
        const reason = converted.inexact.find(({code}) => code === 'layer-changed')!
        assert.equal(reason.subject, SHOP)
        assert.deepEqual(spelt(reason.edits), want)
        await assertSchema('convert', converted)
        const packed = await convert(source, `appx:${fresh('packed')}`)
        assert.deepEqual(spelt(packed.inexact.find(({subject}) => subject === SHOP)?.edits), want)

        const verdict = await verify(source)
        assert.equal(verdict.ok, false)
        assert.deepEqual(spelt(verdict.layers[0]?.edits), want)
        await assertSchema('verify', verdict)

        const {report} = await prepareMigration(`inbox:${root}`, 'docker-archive:out/', {
          folder: folder.path,
          journal: fresh('journal'),
          environment: {},
        })
        const [item] = report.items
        assert.equal(item!.content, 'edited')
        await assertSchema('migrate', JSON.parse(JSON.stringify(report)))
        if (want.length > 0)
          assert.deepEqual(
            item!.changes.map(({package: name, file, kind}) => [name, `${file} (${kind})`]),
            want.map((each) => [SHOP, each]),
          )
        else
          assert.deepEqual(
            item!.changes.map(({file}) => file),
            [''],
          )

        for (const each of want) {
          assert.ok(formatConvert(converted).includes(each))
          assert.ok(formatVerify(verdict).includes(each))
          const [, file = '', kind = ''] = /^(.*) \((\w+)\)$/.exec(each)!
          assert.ok(formatMigration(report).includes(`  ${kind.padEnd(7)}  ${file}`))
        }
      })

  it('is not one whose files got other times on the disk alone, as a copy gives them', async () => {
    const root = edited(
      {
        edit: (at) => {
          utimesSync(at(SETTINGS), 1, 1)
        },
      },
      false,
    )
    const converted = await convert(`inbox:${root}:${SHOP}`, `oci:${fresh('image')}`)
    assert.deepEqual([converted.inexact, converted.exact], [[], true])
  })

  it('is refused by name where another was made on it', async () => {
    const root = fresh('repository')
    cpSync(ready(), root, {recursive: true, preserveTimestamps: true})
    const below = 'CN=contoso_shop-L01_1.2.0.0'
    appendFileSync(path.join(root, below, 'Hives', 'System_Delta'), 'x')
    await assert.rejects(convert(`inbox:${root}:${SHOP}`, `oci:${fresh('image')}`), (error: Error) => {
      assert.match(error.message, /Hives\/System_Delta \(changed\)/)
      return true
    })
    const accepted = await convert(`inbox:${root}:${SHOP}`, `oci:${fresh('image')}`, {acceptBaseMismatch: true})
    const reason = accepted.inexact.find(({edits}) => edits !== undefined)
    assert.deepEqual([reason?.subject, spelt(reason?.edits)], [below, ['Hives/System_Delta (changed)']])
  })

  it('is named with its files in each form of the report of a batch, all of them in JSON and CSV', async () => {
    const root = edited(
      {
        edit: (at) => {
          for (let index = 0; index < 35; index++)
            cpSync(at(SETTINGS), at(`Files/Shop/more-${String(index).padStart(2, '0')}.json`))
        },
      },
      false,
    )
    const plan = fresh('plan.json')
    const items = [{source: `inbox:${root}:${SHOP}`, destination: `oci:${fresh('image')}`}]
    writeFileSync(plan, JSON.stringify({items}))
    const report = await runBatch(plan, {environment: {}})
    await assertSchema('batch', JSON.parse(JSON.stringify(report)))
    const {inexact} = report.items[0]!.result!
    const reason = inexact.find(({code}) => code === 'layer-changed')!
    assert.equal(reason.edits!.total, 35)
    assert.match(
      reason.message,
      /^Edited: Files\/Shop\/more-00\.json \(added\), .*more-19\.json \(added\) and 15 more\. /,
    )
    assert.ok(!reason.message.includes('more-20'))
    const [html, csv] = [renderHtml(report), renderCsv(report)]
    assert.match(html, /All 35 files/)
    for (let index = 0; index < 35; index++) {
      const name = `Files/Shop/more-${String(index).padStart(2, '0')}.json`
      assert.ok(html.includes(name) && csv.includes(`,${name},`), name)
    }
  })
})

/** States the payload as it is now, as a tool does that knows the format: each file, the index and the metadata. */
function remakeIndex(at: (name: string) => string): void {
  const names = new Map<string, string>()
  for (const line of readFileSync(at('payload-index.jsonl'), 'utf8').trimEnd().split('\n'))
    names.set((JSON.parse(line) as {p: string}).p, line)
  const template = JSON.parse(names.get(SETTINGS)!) as Record<string, unknown>
  for (const added of ['Files/Shop/more.json', 'Files/Shop/config.json'])
    names.set(added, JSON.stringify({...template, p: added}))
  const lines = [...names.keys()].sort(inWalkOrder).flatMap((name) => {
    const bytes = findFile(at(name))
    const line = JSON.parse(names.get(name)!) as Record<string, unknown>
    return bytes === undefined ? [] : [JSON.stringify({...line, s: bytes.byteLength, d: sha256(bytes)})]
  })
  const index = `${lines.join('\n')}\n`
  writeFileSync(at('payload-index.jsonl'), index)
  const metadata = readFileSync(at('metadata.json'), 'utf8')
  const stated = metadata.replace(
    /("Payload":\{[^}]*"Digest":")sha256:[0-9a-f]+/,
    `$1sha256:${sha256(Buffer.from(index))}`,
  )
  assert.notEqual(stated, metadata)
  writeFileSync(at('metadata.json'), stated)
}

function inWalkOrder(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one.replaceAll('/', '\0')), Buffer.from(other.replaceAll('/', '\0')))
}

function findFile(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}
