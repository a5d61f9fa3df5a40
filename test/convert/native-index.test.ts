import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {cpSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, verify} from '../../src/index.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const TOP = 'CN=Contoso_WebServer_1.0.0.0'
type Line = Record<string, unknown>

/** A package that never was an image has only its index to say what it is. */
describe('the index of a package that never was an image', () => {
  const folder = temporaryFolder()
  let made = 0

  /** The sample's repository with another index of its top package, whose digest fits. */
  function changed(change: (lines: Line[]) => Line[]): string {
    const root = path.join(folder.path, String(made++))
    cpSync('samples/repository', root, {recursive: true, preserveTimestamps: true})
    const file = path.join(root, TOP, 'payload-index.jsonl')
    const before = readFileSync(file, 'utf8')
    const lines = before
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
    const after = change(lines)
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('')
    writeFileSync(file, after)
    const metadata = path.join(root, TOP, 'metadata.json')
    const digest = (text: string) => createHash('sha256').update(text).digest('hex')
    writeFileSync(metadata, readFileSync(metadata, 'utf8').replaceAll(digest(before), digest(after)))
    return root
  }

  /** Whether it was called exact, and what the index is after the way back. */
  async function roundTrip(root: string): Promise<{exact: boolean; isSame: boolean}> {
    const {exact} = await convert(`inbox:${root}:${TOP}`, `oci:${root}-image`)
    await convert(`oci:${root}-image`, `inbox:${root}-back`, {layers: 'chain'})
    const [there, back] = [root, `${root}-back`].map((each) =>
      readFileSync(path.join(each, TOP, 'payload-index.jsonl')),
    )
    return {exact, isSame: there!.equals(back!)}
  }

  const edit = (name: string, how: (line: Line) => Line) => (lines: Line[]) =>
    lines.map((line) => (line['p'] === name ? how(line) : line))
  const without =
    (...keys: string[]) =>
    (line: Line) =>
      Object.fromEntries(Object.entries(line).filter(([key]) => !keys.includes(key)))
  const HIVE = 'Hives/Software_Delta'
  const FILE = 'Files/inetpub/wwwroot/iisstart.htm'
  const SIDECAR = 'Files/inetpub.$wcidirs$'
  const TIMES = ['c', 'a', 'w', 'h']

  it('gives the same index again where nothing was changed', async () => {
    assert.deepEqual(await roundTrip(changed((lines) => lines)), {exact: true, isSame: true})
  })

  for (const {title, change} of [
    {title: 'a file without a size', change: edit(FILE, without('s'))},
    {title: 'a file without a digest', change: edit(FILE, without('d'))},
    {title: 'a file without either', change: edit(FILE, without('s', 'd'))},
    {title: 'a file without times', change: edit(FILE, without(...TIMES))},
    {title: 'a carrier with attributes of its own', change: edit(FILE, (line) => ({...line, attr: 32}))},
    {title: 'metadata of a folder without a size', change: edit(SIDECAR, without('s'))},
    {title: 'metadata of a folder without a digest', change: edit(SIDECAR, without('d'))},
    {title: 'metadata of a folder without times', change: edit(SIDECAR, without(...TIMES))},
    {title: 'a hive without attributes', change: edit(HIVE, without('attr'))},
    {title: 'a hive that is a folder by its attributes', change: edit(HIVE, (line) => ({...line, attr: 48}))},
    {title: 'deletions without a digest', change: edit('tombstones.txt', without('d'))},
    {title: 'a link that is none', change: edit(FILE, (line) => ({...line, link: HIVE}))},
    {
      title: 'a folder beside its metadata',
      change: (lines: Line[]) => {
        const at = lines.findIndex(({p}) => p === SIDECAR)
        const {c, a, w, h} = lines[at]!
        return lines.toSpliced(at, 0, {p: 'Files/inetpub', c, a, w, h})
      },
    },
    {title: 'a line too few', change: (lines: Line[]) => lines.filter(({p}) => p !== SIDECAR)},
  ])
    it(`is not called exact with ${title}`, async () => {
      const root = changed(change)
      assert.deepEqual(await roundTrip(root), {exact: false, isSame: false})
    })

  it('without a size still tells the times of its file', async () => {
    const root = changed(edit(FILE, without('s')))
    await convert(`inbox:${root}:${TOP}`, `oci:${root}-image`)
    await convert(`oci:${root}-image`, `inbox:${root}-back`, {layers: 'chain'})
    const lineIn = (place: string) =>
      readFileSync(path.join(place, TOP, 'payload-index.jsonl'), 'utf8')
        .split('\n')
        .find((line) => line.includes(`"${FILE}"`))!
    const {s: size, ...times} = JSON.parse(lineIn(`${root}-back`)) as Line
    assert.equal(typeof size, 'number')
    assert.deepEqual(times, JSON.parse(lineIn(root)))
    assert.deepEqual((await verify(`inbox:${root}-back`)).faults, [])
  })
})
