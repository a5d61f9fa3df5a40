import {open, rename, rm, stat} from 'node:fs/promises'
import path from 'node:path'
import {removeLeftovers} from '../disk/own-leftovers.js'
import {workPathBeside} from '../disk/work-name.js'
import {asTransshipError, InputError} from '../model/errors.js'

/** Throws `NOT_FOUND` where the folder of a file to be written is missing and `UNRECOGNISED_FORMAT` where the file is a folder. */
export async function requirePlace(file: string): Promise<void> {
  const folder = path.dirname(path.resolve(file))
  try {
    if (!(await stat(folder)).isDirectory()) throw notAFile(folder, 'The parent of the report is not a folder.')
  } catch (error) {
    throw asTransshipError(error, {path: folder})
  }
  const isFolder = await stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isFolder) throw notAFile(file, 'The report path is a folder, not a file.')
}

function notAFile(place: string, what: string): InputError {
  return new InputError('UNRECOGNISED_FORMAT', {what, suggestions: ['Check the path.'], at: {path: place}})
}

/** Writes a text to a file: whole or not at all, over what was there before. Throws `NO_ACCESS`, `NO_SPACE` and the like. */
export async function writeWhole(text: string, file: string): Promise<void> {
  removeLeftovers(file)
  const temporary = workPathBeside(file)
  try {
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, {force: true})
    throw asTransshipError(error, {path: file})
  }
}
