import assert from 'node:assert/strict'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import path from 'node:path'

/** The folder of the sources: tests run from `dist/test`. */
export const PROJECT = path.resolve(import.meta.dirname, '../../..')

/** Compares a text with the stored one of that path; `UPDATE_SNAPSHOTS=1` stores it instead. */
export async function assertStored(file: string, actual: string): Promise<void> {
  const target = path.join(PROJECT, file)
  if (process.env['UPDATE_SNAPSHOTS'] === '1') {
    await mkdir(path.dirname(target), {recursive: true})
    await writeFile(target, actual)
    return
  }
  const expected = await readFile(target, 'utf8').catch(() => '')
  assert.equal(actual, expected, `${file} is out of date: if the change is meant, run with UPDATE_SNAPSHOTS=1`)
}
