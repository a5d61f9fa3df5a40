import {existsSync} from 'node:fs'
import path from 'node:path'
import {setTimeout as wait} from 'node:timers/promises'
import {list} from '../../src/convert/list.js'
import {verify} from '../../src/convert/verify.js'
import {flagsOf, placed, type Direction} from './directions.js'
import type {Moments, Trial} from './kinds.js'
import {runProgram, stateOf, withRoot, type Bench} from './trial.js'

const ATTEMPTS = 200

/** Places that hold several images or packages, each writer adds one of its own. */
export async function* writersAtOnce(bench: Bench, direction: Direction, {each}: Moments): AsyncGenerator<Trial> {
  const transport = direction.destination.slice(0, direction.destination.indexOf(':'))
  if (!['inbox', 'appx', 'oci'].includes(transport) || direction.options.replace === true) return
  for (const count of each > 1 ? [2, 8] : [2]) {
    yield await withRoot(bench, direction, async (root) => {
      const before = stateOf(path.join(root, 'to'), {withWork: false})
      const wrong = (
        await Promise.all(Array.from({length: count}, (_, index) => oneWriter(direction, root, transport, index)))
      ).flat()
      const place = placed(direction.verified ?? direction.destination, root)
      if (!(await verify(place)).ok) wrong.push('does not verify')
      const after = stateOf(path.join(root, 'to'), {withWork: true})
      const lost = Object.keys(before).filter((name) => after[name] === undefined)
      wrong.push(...lost.map((name) => `lost ${name}`))
      const work = Object.keys(after).filter((name) => /(?:^|\/)\.(?:lock|.*tmp-)/.test(name))
      wrong.push(...work.map((name) => `left ${name}`))
      const {items} = await list(place)
      for (let index = 0; index < count; index++)
        if (!JSON.stringify(items).toLowerCase().includes(`writer${index}`))
          wrong.push(`lost the work of writer ${index}`)
      return {kind: 'writers', direction: direction.name, at: `${count} writers`, wrong}
    })
  }
}

/** Who finds the place locked comes again. */
async function oneWriter(direction: Direction, root: string, transport: string, index: number): Promise<string[]> {
  const isOci = transport === 'oci'
  const destination = isOci
    ? `${placed(direction.verified ?? '', root)}:writer${index}`
    : placed(direction.destination, root)
  const options = isOci ? direction.options : {...direction.options, name: `Writer${index}`}
  const args = ['convert', placed(direction.source, root), destination, ...flagsOf(options), '--json']
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const {exit, signal, code} = await runProgram(args, {})
    if (exit === 0) return []
    if (code !== 'LOCKED') return [`writer ${index} ended with ${exit ?? signal ?? ''} (${code ?? 'no code'})`]
    await wait(50 + 37 * index)
  }
  return existsSync(root) ? [`writer ${index} never found the place free`] : []
}
