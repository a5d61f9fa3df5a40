import {CONTAINER_PARSERS} from './containers.js'
import {STREAM_PARSERS} from './metadata-streams.js'
import {TAR_PARSERS} from './tars.js'
import {HIVE_PARSERS} from './hives.js'
import {IMAGE_PARSERS} from './images.js'
import {CONTAINERD_PARSERS} from './containerd.js'
import {ENGINE_PARSERS} from './engines.js'
import {REGISTRY_PARSERS} from './registries.js'
import {KEPT_PARSERS} from './kept-forms.js'
import {FILE_PARSERS} from './package-files.js'
import {PACKAGE_PARSERS} from './packages.js'
import type {Parser} from './parser.js'
import {TEXT_PARSERS} from './plans.js'
import {WIM_PARSERS} from './wims.js'

/** Everything that reads bytes of others, each for itself or end to end. */
export const PARSERS: readonly Parser[] = [
  ...TAR_PARSERS,
  ...STREAM_PARSERS,
  ...CONTAINER_PARSERS,
  ...HIVE_PARSERS,
  ...WIM_PARSERS,
  ...IMAGE_PARSERS,
  ...PACKAGE_PARSERS,
  ...KEPT_PARSERS,
  ...FILE_PARSERS,
  ...TEXT_PARSERS,
  ...REGISTRY_PARSERS,
  ...ENGINE_PARSERS,
  ...CONTAINERD_PARSERS,
]

export function findParser(name: string): Parser | undefined {
  return PARSERS.find((parser) => parser.name === name)
}
