import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'

/*
 * Imported by every instrumented module. `MUTANT_ACTIVE` is the number of the mutant that this process runs with;
 * `MUTANT_HITS` a folder in which each process leaves the numbers of those that it came by.
 */

const active = Number(process.env['MUTANT_ACTIVE'] ?? '-1')
const hitsFolder = process.env['MUTANT_HITS']
const hits = new Uint8Array(hitsFolder === undefined ? 0 : 65_536)

export function isActive(id: number): boolean {
  hits[id] = 1
  return id === active
}

if (hitsFolder !== undefined)
  process.once('exit', () => {
    const found = [...hits.keys()].filter((id) => hits[id] === 1)
    mkdirSync(hitsFolder, {recursive: true})
    writeFileSync(path.join(hitsFolder, `${process.pid}.json`), JSON.stringify(found))
  })
