import {mkdtempSync, rmSync, statSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {keyOf, valueOf, type HiveKey} from '../../src/codecs/registry-hive/hive-key.js'
import {deltaOf, descriptorOf, hiveOf} from '../helpers/hives.js'
import {CONFIG, fileOf, saveImage} from '../helpers/layer-archives.js'
import {writeFixture} from './fixture.js'
import {measure, type Measured} from './measured.js'
import {renderTable} from './table.js'

/*
 * What squashing costs where it is hardest, run by hand: as many entries as a large image has, a registry hive as large as
 * SOFTWARE of a full server, and a usual image against its conversion as a chain.
 *   npm run bench:squash -- [--entries N] [--keys N] [--megabytes N]
 */

const MAIN = path.resolve(import.meta.dirname, '..', '..', 'src', 'main.js')
const LAYERS = 12

function numberOf(flag: string, otherwise: number): number {
  const at = process.argv.indexOf(flag)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}

const entries = numberOf('--entries', 1_000_000)
const keys = numberOf('--keys', 500_000)
const megabytes = numberOf('--megabytes', 300)
const folder = mkdtempSync(path.join(tmpdir(), 'transship-bench-'))
const transship = (...args: string[]): Promise<Measured> =>
  measure(process.execPath, [MAIN, 'convert', ...args, '--quiet'], folder)

/** Keys in groups of 500, each with a value, as below Classes. */
function largeTree(count: number): HiveKey {
  const security = descriptorOf(18)
  const group = (index: number): HiveKey =>
    keyOf({
      name: `Group${String(index)}`,
      security,
      subkeys: Array.from({length: 499}, (_, at) =>
        keyOf({
          name: `{00000000-0000-0000-0000-${String(at).padStart(12, '0')}}`,
          security,
          values: [valueOf('', 3, Buffer.alloc(8, at))],
        }),
      ),
    })
  return keyOf({name: 'ROOT', security, subkeys: Array.from({length: Math.ceil(count / 500)}, (_, at) => group(at))})
}

async function hiveRow(): Promise<string[]> {
  const whole = hiveOf(largeTree(keys))
  const changes = keyOf({
    name: 'ROOT',
    security: descriptorOf(18),
    subkeys: Array.from({length: 100}, (_, at) => keyOf({name: `Group${String(at)}`, disposition: 'tombstone'})),
  })
  const layers = [
    [fileOf(`${CONFIG}/SYSTEM`, hiveOf(keyOf({name: 'ROOT'}))), fileOf(`${CONFIG}/SOFTWARE`, whole)],
    [fileOf('Hives/Software_Delta', deltaOf(changes))],
  ]
  await saveImage(path.join(folder, 'hive.tar'), layers)
  const measured = await transship('docker-archive:hive.tar', 'docker-archive:flat.tar', '--with-base')
  return row(`flatten ${keys} keys of a hive of ${mebibytes(whole.byteLength)} with a delta`, measured)
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`
}

function row(what: string, {seconds, peakBytes}: Measured): string[] {
  return [what, `${seconds.toFixed(1)} s`, mebibytes(peakBytes)]
}

async function imageRows(): Promise<string[][]> {
  await writeFixture(path.join(folder, 'image.tar'), {files: 5000, bytes: megabytes * 2 ** 20, layers: LAYERS})
  const size = mebibytes(statSync(path.join(folder, 'image.tar')).size)
  const rows: string[][] = []
  for (const mode of ['chain', 'squash']) {
    const measured = await transship('docker-archive:image.tar', `inbox:${mode}`, '--layers', mode)
    rows.push(row(`${LAYERS} layers of ${size} to packages (${mode})`, measured))
  }
  return rows
}

async function entriesRow(): Promise<string[]> {
  await writeFixture(path.join(folder, 'entries.tar'), {files: entries, bytes: entries * 16, layers: LAYERS})
  const measured = await transship('docker-archive:entries.tar', 'docker-archive:one.tar', '--with-base')
  return row(`squash ${LAYERS} layers of ${entries} entries`, measured)
}

try {
  const rows = [...(await imageRows()), await hiveRow(), await entriesRow()]
  console.log(renderTable(['what', 'time', 'peak RSS'], rows))
} finally {
  rmSync(folder, {recursive: true, force: true})
}
