import {accessSync, constants, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'

/** A file system in memory, where the machine has one: thousands of small files are made and removed. */
function memoryFolder(): string | undefined {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return undefined
  }
}

/** A folder that is there while the suite's tests run; call inside `describe`. */
export function temporaryFolder(): {readonly path: string} {
  let folder = ''
  before(() => {
    folder = mkdtempSync(path.join(memoryFolder() ?? tmpdir(), 'transship-test-'))
  })
  after(() => {
    rmSync(folder, {recursive: true, force: true})
  })
  return {
    get path() {
      return folder
    },
  }
}
