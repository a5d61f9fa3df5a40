import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {createWriteStream, writeFileSync} from 'node:fs'
import path from 'node:path'
import {keyOf, valueOf, type HiveKey} from '../../src/codecs/registry-hive/hive-key.js'
import {descriptorOf, hiveOf} from '../helpers/hives.js'
import {MAIN} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const KEYS = 500_000
const MAX_PEAK_BYTES = 200 * 2 ** 20
const security = descriptorOf(18)

const VALUES = Array.from({length: 256}, (_, index) => [valueOf('', 3, Buffer.alloc(8, index))])

function leaf(index: number): HiveKey {
  const name = `{00000000-0000-0000-0000-${String(index).padStart(12, '0')}}`
  return keyOf({name, security, values: VALUES[index % VALUES.length]!})
}

/** Keys in groups: as below Classes, or all below one key, which is worst for whoever holds the subkeys of a key. */
function treeOf(groups: number): HiveKey {
  const size = KEYS / groups
  const subkeys = Array.from({length: groups}, (_, group) =>
    keyOf({name: `Group${group}`, security, subkeys: Array.from({length: size}, (__, at) => leaf(at))}),
  )
  return keyOf({name: 'ROOT', security, subkeys})
}

const TELL_PEAK = new URL('../helpers/tell-peak.js', import.meta.url).href

async function peakOf(args: readonly string[], output: string): Promise<number> {
  const child = spawn(process.execPath, ['--import', TELL_PEAK, MAIN, ...args], {stdio: ['ignore', 'pipe', 'pipe']})
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdout.pipe(createWriteStream(output))
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(code, 0, stderr)
  const kibibytes = /^peak (\d+)$/m.exec(stderr)?.[1]
  assert.ok(kibibytes !== undefined, stderr)
  return Number(kibibytes) * 1024
}

describe(`reading a hive of ${KEYS} keys`, () => {
  const folder = temporaryFolder()

  for (const {title, groups} of [
    {title: 'in 1000 groups', groups: 1000},
    {title: 'below one key', groups: 1},
  ])
    it(`peaks below 200 MiB for the table, the document and the .reg text: ${title}`, async function () {
      this.timeout(900_000)
      const file = path.join(folder.path, 'large')
      writeFileSync(file, hiveOf(treeOf(groups)))
      // Beside one another: each tells its own peak, which does not depend on when it is given a processor.
      const peaks = await Promise.all(
        [[], ['--json'], ['--reg']].map(async (mode) => {
          const name = mode[0] ?? 'table'
          const output = path.join(folder.path, `output${name}`)
          return {name, peak: await peakOf(['hive', `hive:${file}`, ...mode], output)}
        }),
      )
      for (const {name, peak} of peaks) {
        console.log(`    ${title}, ${name}: peak ${(peak / 2 ** 20).toFixed(0)} MiB`)
        assert.ok(peak < MAX_PEAK_BYTES, `${name} took ${peak} bytes`)
      }
    })
})
