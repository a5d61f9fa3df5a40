import {mkdirSync, openSync, writeSync} from 'node:fs'
import path from 'node:path'
import {findParser} from './catalog.js'
import {inputOf, judge, stackOf, type Find} from './judge.js'

/*
 * Runs mutants one after the other, in a process of its own: one that hangs, dies or eats memory takes this process alone
 * with it. Which one is at work stands in a file, as words would not get out of a process that hangs.
 */

export interface Order {
  readonly parser: string
  readonly seed: number
  readonly from: number
  /** Cases, or until one of the times is over: of processors, or by the clock. */
  readonly end: number
  readonly cpuSeconds: number
  readonly untilMs: number
  readonly scratch: string
}

export interface Progress {
  readonly kind: 'find' | 'done'
  readonly find?: Find
  readonly accepted: number
  readonly refused: number
  readonly next: number
  /** Of this process, so far. */
  readonly cpuSeconds: number
}

const tell = (progress: Omit<Progress, 'cpuSeconds'>): Promise<void> =>
  new Promise((resolve) => {
    process.send?.({...progress, cpuSeconds: cpuSeconds()}, () => {
      resolve()
    })
  })

function cpuSeconds(): number {
  const {user, system} = process.cpuUsage()
  return (user + system) / 1e6
}

process.once('message', (order: Order) => {
  void run(order)
})

async function run({parser: name, seed, from, end, scratch, ...until}: Order): Promise<void> {
  const parser = findParser(name)
  if (parser === undefined) throw new Error(`no parser is called ${name}`)
  const own = path.join(scratch, 'own')
  mkdirSync(own, {recursive: true})
  const file = openSync(path.join(scratch, 'at'), 'w')
  const counts = {accepted: 0, refused: 0}
  let number = from
  const at = Buffer.alloc(8)
  process.on('uncaughtException', (error) => {
    const find: Find = {parser: name, seed, number, kind: 'crash', what: `not caught: ${stackOf(error)}`}
    void tell({kind: 'find', find, ...counts, next: number + 1}).then(() => process.exit(1))
  })
  const prepared = await parser.prepare(own)
  const isOver = () => cpuSeconds() > until.cpuSeconds || Date.now() > until.untilMs
  for (; number < end && !isOver(); number++) {
    at.writeDoubleLE(number)
    writeSync(file, at, 0, 8, 0)
    const outcome = await judge(prepared, await inputOf(prepared, {parser: name, seed, number}))
    if (typeof outcome === 'string') counts[outcome]++
    else await tell({kind: 'find', find: {parser: name, seed, number, ...outcome}, ...counts, next: number + 1})
    // Timers and closed handles get their turn.
    if (number % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await prepared.close?.()
  await tell({kind: 'done', ...counts, next: number})
  process.exit(0)
}
