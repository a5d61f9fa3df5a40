import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {Disproved} from './parser.js'

/** Where names that lead out would lead to; what is there before is no find. */
const OUTSIDE = ['/canary', '/tmp/canary', path.resolve('canary'), path.resolve('..', 'canary')]

/**
 * Folders for one input at a time: `in` with the input, `out` for what is made of it, and around them what must stay as
 * it is.
 */
export class Place {
  readonly root: string
  readonly in: string
  readonly out: string
  readonly #before: string[]

  constructor(scratch: string) {
    this.root = path.join(scratch, 'deep', 'place')
    this.in = path.join(this.root, 'in')
    this.out = path.join(this.root, 'out')
    mkdirSync(this.root, {recursive: true})
    for (const folder of [scratch, path.dirname(this.root), this.root])
      writeFileSync(path.join(folder, 'mark'), 'stays')
    this.#before = OUTSIDE.filter((file) => existsSync(file))
  }

  /** Empties both folders and writes the files of the input; its reference. */
  begin(transport: string, files: Readonly<Record<string, Uint8Array>>, selector = ''): {readonly reference: string} {
    this.clear()
    mkdirSync(this.in)
    mkdirSync(this.out)
    for (const [name, bytes] of Object.entries(files)) {
      const file = path.join(this.in, name)
      mkdirSync(path.dirname(file), {recursive: true})
      writeFileSync(file, bytes)
    }
    return {reference: `${transport}:${this.in}${selector === '' ? '' : `/${selector}`}`}
  }

  /** Only what earlier runs of the same process left. */
  clear(): void {
    rmSync(this.in, {recursive: true, force: true})
    rmSync(this.out, {recursive: true, force: true})
  }

  /** Runs, and looks at what is around the folders whatever comes of it. */
  async judged(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } finally {
      this.#requireUntouched()
    }
  }

  #requireUntouched(): void {
    const names = readdirSync(this.root).sort()
    const allowed = ['in', 'mark', 'out']
    const strangers = names.filter((name) => !allowed.includes(name))
    const above = readdirSync(path.dirname(this.root)).filter((name) => name !== 'mark' && name !== 'place')
    const left = readdirSync(this.out).filter((name) => name.startsWith('.'))
    const spools = readdirSync(tmpdir()).filter((name) => /^transship-[0-9a-f]{12}/.test(name))
    const outside = OUTSIDE.filter((file) => existsSync(file) && !this.#before.includes(file))
    const found = [...strangers, ...above, ...outside]
    if (found.length > 0) throw new Disproved(`written outside of the destination: ${found.join(', ')}`)
    if (left.length > 0) throw new Disproved(`left behind: ${left.join(', ')}`)
    if (spools.length > 0) throw new Disproved(`left in the temporary folder: ${spools.join(', ')}`)
    for (const folder of [path.dirname(this.root), this.root])
      if (readFileSync(path.join(folder, 'mark'), 'utf8') !== 'stays') throw new Disproved('a file outside was changed')
  }
}
