import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'

/** A folder that is there while the suite's tests run; call inside `describe`. */
export function temporaryFolder(): {readonly path: string} {
  let folder = ''
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'transship-test-'))
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
