import {mkdirSync} from 'node:fs'
import path from 'node:path'
import {dryRunBatch} from '../../../src/batch/dry-run.js'
import {convert} from '../../../src/convert/convert.js'
import {readHive} from '../../../src/convert/hive.js'
import {list} from '../../../src/convert/list.js'
import {verify} from '../../../src/convert/verify.js'
import {TransshipError} from '../../../src/model/errors.js'
import {writeInput, type HostileInput} from './input.js'

/** What transship says of an input. */
export interface OwnVerdict {
  readonly code: string
  readonly exit: number
  readonly message: string
}

const ACCEPTED: OwnVerdict = {code: 'accepted', exit: 0, message: ''}

/** Uses the input in a folder of its own, `in`, and writes what is made of it to `out`. */
export async function runOwn(input: HostileInput, folder: string): Promise<OwnVerdict> {
  const [from, to] = [path.join(folder, 'in'), path.join(folder, 'out')]
  mkdirSync(from, {recursive: true})
  const built = await input.build()
  writeInput(from, built)
  const reference = built.reference(from)
  try {
    switch (input.use) {
      case 'convert':
        await convert(reference, `inbox:${to}/repository`, {layers: 'chain'})
        return ACCEPTED
      case 'verify': {
        const [fault] = (await verify(reference)).faults
        return fault === undefined
          ? ACCEPTED
          : {code: fault.code, exit: 1, message: `${fault.subject}: ${fault.message}`}
      }
      case 'list':
        await list(reference)
        return ACCEPTED
      case 'hive':
        await readHive(reference, undefined)
        return ACCEPTED
      case 'batch':
        await dryRunBatch(reference, {environment: {}, checkSpace: false})
        return ACCEPTED
    }
  } catch (error) {
    if (error instanceof TransshipError) return {code: error.code, exit: error.exitCode, message: error.message}
    throw error
  }
}
