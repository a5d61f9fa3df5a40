import {Flags} from '@oclif/core'
import {parseSize} from '../convert/option-text.js'
import {LIMITS, type UnpackOptions} from '../model/limits.js'
import {flagText} from './flag-text.js'

/** Flags that bound what is unpacked. */
export const unpackFlags = {
  'max-unpacked': Flags.custom<number>({
    parse: flagText(parseSize),
    summary: 'The most that a compressed stream, or the holes of sparse files in one layer, may unpack to.',
    description:
      'Default: 256GiB for a stream, 16GiB for holes. A few bytes can stand for any number. Holes that stay holes do not count.',
    helpValue: 'SIZE',
  })(),
  'max-ratio': Flags.integer({
    summary: `How many times its own size a compressed stream may unpack to (default: ${LIMITS.ratio.value}).`,
    description: 'Applies from 1 MiB on; without this flag, from 64 MiB on.',
    helpValue: 'N',
    min: 1,
  }),
  'max-entries': Flags.integer({
    summary: 'The most entries of one layer, payload or archive.',
    description: `Default: ${LIMITS.entries.value}; of an archive of images, ${LIMITS.archiveEntries.value}.`,
    helpValue: 'N',
    min: 1,
  }),
  'max-name-depth': Flags.integer({
    summary: `The most folders in one name of a layer or payload (default: ${LIMITS.nameDepth.value}).`,
    helpValue: 'N',
    min: 1,
  }),
}

/** What those flags parse to. */
export interface UnpackFlags {
  readonly 'max-unpacked': number | undefined
  readonly 'max-ratio': number | undefined
  readonly 'max-entries': number | undefined
  readonly 'max-name-depth': number | undefined
}

/** The library's options that these flags stand for. */
export function unpackFlagOptions(flags: UnpackFlags): UnpackOptions {
  const given = {
    maxUnpackedBytes: flags['max-unpacked'],
    maxRatio: flags['max-ratio'],
    maxEntries: flags['max-entries'],
    maxNameDepth: flags['max-name-depth'],
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
