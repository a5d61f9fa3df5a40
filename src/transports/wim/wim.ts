import {isWim} from '../../codecs/wim/header.js'
import {UsageError} from '../../model/errors.js'
import type {Reference} from '../../model/reference.js'
import {SeekableFile} from '../../disk/seekable-file.js'
import type {Destination, Transport} from '../../model/transport.js'
import {formatWimReference, GRAMMAR, parseWimLocation, WIM} from './reference.js'
import {listWim, openWim} from './source.js'
import {verifyWim} from './verify.js'

const MAGIC_BYTES = 12

/** Windows image files, as the base images of both stacks began: a source only. */
export const wim: Transport = {
  name: WIM,
  grammar: GRAMMAR,
  isSourceOnly: true,
  parse: parseWimLocation,
  format: formatWimReference,
  recognises,
  list: listWim,
  open: openWim,
  create: refuse,
  verify: verifyWim,
}

async function recognises(path: string): Promise<boolean> {
  try {
    const file = await SeekableFile.open(path)
    try {
      return isWim(await file.read(0, MAGIC_BYTES))
    } finally {
      await file.close()
    }
  } catch {
    // What cannot be read is not recognised; opening it by name tells why.
    return false
  }
}

function refuse(reference: Reference): Promise<Destination> {
  return Promise.reject(
    new UsageError('BAD_REFERENCE', {
      what: `transship can read Windows image files, but not write them.`,
      suggestions: ['Write a transport layout (layout:DIR) and capture its folder Files with DISM or wimlib-imagex.'],
      at: {reference: formatWimReference(reference)},
    }),
  )
}
