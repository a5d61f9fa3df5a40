import {Flags} from '@oclif/core'
import type {Reference} from '../model/reference.js'
import {networkFlags, networkOptions, type NetworkFlags} from './network-flags.js'
import {unpackFlagOptions, unpackFlags, type UnpackFlags} from './unpack-flags.js'
import {resolveReference} from '../transports/catalog.js'
import type {OpenOptions} from '../model/transport.js'

/** Flags of every command that opens one image or package. */
export const readingFlags = {
  platform: Flags.string({
    summary: 'Use only images and packages for this platform, e.g. windows/amd64.',
    helpValue: 'OS[(VERSION)]/ARCH[/VARIANT]',
  }),
  base: Flags.string({
    summary: 'Where to find a base that the source only names (repeatable, nearest first).',
    helpValue: 'REF',
    multiple: true,
    multipleNonGreedy: true,
  }),
  parent: Flags.string({
    summary: 'Transport layout that the source builds on (repeatable, nearest first).',
    helpValue: 'layout:DIR',
    multiple: true,
    multipleNonGreedy: true,
  }),
  'accept-base-mismatch': Flags.boolean({
    summary: 'Accept a base with a different version or payload from the one required.',
    description: 'A delta only fits the build it was made on, so the result may not run.',
  }),
  ...unpackFlags,
  ...networkFlags,
}

interface ReadingFlags extends NetworkFlags, UnpackFlags {
  readonly platform: string | undefined
  readonly base: readonly string[] | undefined
  readonly parent: readonly string[] | undefined
  readonly 'accept-base-mismatch': boolean
}

/** The library options for these flags. Throws `BAD_REFERENCE` for a base or parent that is not a reference. */
export async function readingOptions(flags: ReadingFlags): Promise<OpenOptions> {
  return {
    bases: await resolveAll(flags.base),
    parents: await resolveAll(flags.parent),
    acceptBaseMismatch: flags['accept-base-mismatch'],
    ...networkOptions(flags),
    ...unpackFlagOptions(flags),
    ...(flags.platform === undefined ? {} : {platform: flags.platform}),
  }
}

async function resolveAll(texts: readonly string[] | undefined): Promise<Reference[]> {
  const resolved = await Promise.all((texts ?? []).map((text) => resolveReference(text)))
  return resolved.map(({reference}) => reference)
}
