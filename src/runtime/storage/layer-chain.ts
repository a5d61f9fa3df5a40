import {writeFile} from 'node:fs/promises'
import path, {win32} from 'node:path'
import {compileSchema} from '../../codecs/json/validator.js'
import {readBounded} from '../../disk/safe-open.js'
import {asTransshipError, findSystemCode, InputError} from '../../model/errors.js'

/** Docker's record beside a runtime layer: absolute paths of its parents, nearest first; a base layer has none. */
const CHAIN_FILE = 'layerchain.json'
/** Docker allows 127 layers; the file's size is bounded by it. */
const MAX_LAYERS = 1000
const MAX_CHAIN_BYTES = MAX_LAYERS * 32_767
const isChain = compileSchema<readonly string[]>({
  type: 'array',
  maxItems: MAX_LAYERS,
  items: {type: 'string', minLength: 1, maxLength: 32_767},
})

/** Parents of a runtime layer by Docker's own record; none when there is no record. Throws `METADATA_INVALID`. */
// eslint-disable-next-line @typescript-eslint/require-await -- callers await it as they do other reads
export async function readLayerChain(layer: string): Promise<readonly string[]> {
  const file = path.join(layer, CHAIN_FILE)
  let text: string
  try {
    text = readBounded(file, MAX_CHAIN_BYTES, {links: 'followed'}).toString('utf8')
  } catch (error) {
    if (findSystemCode(error) === 'ENOENT') return []
    throw asTransshipError(error, {path: file})
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  // Docker writes null for a layer without parents.
  if (value === null) return []
  if (isChain(value) && value.every((parent) => win32.isAbsolute(parent))) return value
  throw new InputError('METADATA_INVALID', {
    what: 'The record of the parent layers is not valid.',
    why: 'Expected a JSON array of absolute paths.',
    suggestions: ['Pass the parents yourself with --parent PATH, nearest first.'],
    at: {path: file},
  })
}

/** Leaves the record that `readLayerChain` finds. */
export async function writeLayerChain(layer: string, parents: readonly string[]): Promise<void> {
  await writeFile(path.join(layer, CHAIN_FILE), JSON.stringify(parents), {flag: 'wx'})
}
