import {Flags} from '@oclif/core'
import {resolveReference} from '../transports/catalog.js'
import type {OpenOptions} from '../transports/transport.js'

/** Flags of every command that opens one image or package. */
export const readingFlags = {
  platform: Flags.string({
    summary: 'Which image to take where there are several.',
    helpValue: 'OS/ARCH[/VARIANT]',
  }),
  base: Flags.string({
    summary: 'Where to find a base that the source only names; may be repeated, nearest first.',
    helpValue: 'REF',
    multiple: true,
    multipleNonGreedy: true,
  }),
  'accept-base-mismatch': Flags.boolean({
    summary: 'Accept a base of another version than the one named.',
    description: 'A delta only fits the build it was made on: the result may not run.',
  }),
}

interface ReadingFlags {
  readonly platform: string | undefined
  readonly base: readonly string[] | undefined
  readonly 'accept-base-mismatch': boolean
}

/** The library's options that these flags stand for. Throws `BAD_REFERENCE` for a base that is none. */
export async function readingOptions(flags: ReadingFlags): Promise<OpenOptions> {
  const bases = await Promise.all((flags.base ?? []).map((base) => resolveReference(base)))
  return {
    bases: bases.map((base) => base.reference),
    acceptBaseMismatch: flags['accept-base-mismatch'],
    ...(flags.platform === undefined ? {} : {platform: flags.platform}),
  }
}
