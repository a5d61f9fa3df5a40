import {CODEC_PARSERS} from './codecs.js'
import {HIVE_PARSERS} from './hives.js'
import {IMAGE_PARSERS} from './images.js'
import {NETWORK_PARSERS} from './network.js'
import {PACKAGE_PARSERS} from './packages.js'
import type {Parser} from './parser.js'
import {TEXT_PARSERS} from './plans.js'
import {WIM_PARSERS} from './wims.js'

/** Everything that reads bytes of others, each for itself or end to end. */
export const PARSERS: readonly Parser[] = [
  ...CODEC_PARSERS,
  ...HIVE_PARSERS,
  ...WIM_PARSERS,
  ...IMAGE_PARSERS,
  ...PACKAGE_PARSERS,
  ...TEXT_PARSERS,
  ...NETWORK_PARSERS,
]

export function findParser(name: string): Parser | undefined {
  return PARSERS.find((parser) => parser.name === name)
}
