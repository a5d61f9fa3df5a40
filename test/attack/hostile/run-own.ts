import {mkdirSync, rmSync} from 'node:fs'
import path from 'node:path'
import {dryRunBatch} from '../../../src/batch/dry-run.js'
import {convert} from '../../../src/convert/convert.js'
import {readHive} from '../../../src/convert/hive.js'
import {list} from '../../../src/convert/list.js'
import {verify} from '../../../src/convert/verify.js'
import {TransshipError} from '../../../src/model/errors.js'
import type {WorkOptions} from '../../../src/model/events.js'
import type {NetworkOptions} from '../../../src/model/transport.js'
import {readLayerChain} from '../../../src/runtime/storage/layer-chain.js'
import {writeInput, type HostileInput, type Use} from './input.js'

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
  const service = await built.start?.(path.join(from, 'service'))
  const reference = service?.reference ?? built.reference(from)
  try {
    return await use(input.use, reference, {from: built.reference(from), to, options: service?.options ?? {}})
  } catch (error) {
    if (error instanceof TransshipError) return {code: error.code, exit: error.exitCode, message: error.message}
    throw error
  } finally {
    await service?.stop()
    rmSync(path.join(from, 'service'), {recursive: true, force: true})
  }
}

interface UseOptions {
  /** What is pushed. */
  readonly from: string
  /** A folder for what is made. */
  readonly to: string
  readonly options: WorkOptions & NetworkOptions
}

async function use(how: Use, reference: string, {from, to, options}: UseOptions): Promise<OwnVerdict> {
  switch (how) {
    case 'convert':
      await convert(reference, `inbox:${to}/repository`, {...options, layers: 'chain'})
      return ACCEPTED
    case 'push':
      await convert(from, reference, options)
      return ACCEPTED
    case 'chain':
      await readLayerChain(reference)
      return ACCEPTED
    case 'verify': {
      const [fault] = (await verify(reference, options)).faults
      return fault === undefined ? ACCEPTED : {code: fault.code, exit: 1, message: `${fault.subject}: ${fault.message}`}
    }
    case 'list':
      await list(reference, options)
      return ACCEPTED
    case 'hive':
      await readHive(reference, undefined)
      return ACCEPTED
    case 'batch':
      await dryRunBatch(reference, {environment: {}, checkSpace: false})
      return ACCEPTED
  }
}
