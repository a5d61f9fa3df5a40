import {InputError} from '../../model/errors.js'

/** Bytes of the base block; what a hive calls an offset counts from its end. */
export const BASE_BLOCK_BYTES = 4096

/** `HIVE_CORRUPT` at an offset of the hive-bins data; the error tells the offset in the file. */
export function corruptAt(offset: number, why: string): InputError {
  return corruptInFile(BASE_BLOCK_BYTES + offset, why)
}

/** `HIVE_CORRUPT` at an offset of the file. */
export function corruptInFile(offset: number, why: string): InputError {
  return new InputError('HIVE_CORRUPT', {
    what: 'The registry hive is damaged.',
    why,
    suggestions: ['Load the hive on Windows, which repairs what it can, then save it again.'],
    at: {offset},
  })
}

/** `0x1a2b` for messages. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`
}
