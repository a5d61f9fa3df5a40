import {execFileSync} from 'node:child_process'
import {mkdirSync} from 'node:fs'
import path from 'node:path'
import {benchBatch} from './batch-overhead.js'
import {hasTool} from './contenders.js'
import {ENCODER_COLUMNS, encoderRows} from './encoders.js'
import {writeFixture} from './fixture.js'
import {PIN_COLUMNS, pinRows} from './pins.js'
import {registryRows} from './registry.js'
import {renderTable} from './table.js'
import {WIM_COLUMNS, wimRows} from './wim.js'

/* What the benchmark measures beside the images of its tables, each in a folder of its own. */

export interface BenchPart {
  /** For `--only`. */
  readonly name: string
  readonly isPossible: () => boolean
  /** Gives its tables. */
  readonly run: (folder: string, rounds: number) => Promise<string>
}

const SIZE = {files: 5000, bytes: 300 * 2 ** 20, layers: 3}

export const PARTS: readonly BenchPart[] = [
  {name: 'registry', isPossible: () => hasTool('skopeo') && hasTool('docker-registry'), run: registry},
  {name: 'pins', isPossible: () => hasTool('skopeo') && hasTool('pigz'), run: pins},
  {name: 'wim', isPossible: () => hasTool('wimlib-imagex'), run: wim},
  {name: 'batch', isPossible: () => true, run: benchBatch},
]

/** Image registries. */
async function registry(folder: string, rounds: number): Promise<string> {
  const head = ['image registry on loopback, gzip layers', 'ratio to skopeo', 'rate', 'peak RSS', 'peak RSS of skopeo']
  return renderTable(head, await registryRows(folder, SIZE, rounds))
}

/** Kept compressed forms of layers that compress by half, as programs do, and encoders also of those that do by forty. */
async function pins(folder: string, rounds: number): Promise<string> {
  const size = {files: 800, layers: 4, isMixed: true}
  const dense = path.join(folder, 'dense.tar')
  await writeFixture(dense, {...size, bytes: 96 * 2 ** 20, isDense: true})
  const tables = [renderTable(PIN_COLUMNS, await pinRows(folder, dense, rounds))]
  const repetitive = path.join(folder, 'repetitive.tar')
  await writeFixture(repetitive, {...size, bytes: 60 * 2 ** 20})
  for (const tar of [dense, repetitive])
    tables.push(renderTable(ENCODER_COLUMNS, await encoderRows(folder, tar, rounds)))
  return tables.join('\n\n')
}

/** Windows image files. */
async function wim(folder: string, rounds: number): Promise<string> {
  const archive = path.join(folder, 'image.tar')
  await writeFixture(archive, SIZE)
  const tree = path.join(folder, 'unpacked')
  mkdirSync(tree)
  execFileSync('tar', ['-xf', archive, '-C', tree])
  return renderTable(WIM_COLUMNS, await wimRows(folder, tree, rounds))
}
