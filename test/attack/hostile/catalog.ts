import {APPX_INPUTS} from './appx.js'
import {ARCHIVE_INPUTS} from './archives.js'
import {CONTAINERD_INPUTS} from './containerds.js'
import {ENGINE_INPUTS} from './engines.js'
import {HIVE_INPUTS} from './hives.js'
import type {HostileInput} from './input.js'
import {LAYER_INPUTS} from './layers.js'
import {LAYOUT_INPUTS} from './layouts.js'
import {PACKAGE_INPUTS} from './packages.js'
import {PLAN_INPUTS} from './plans.js'
import {RECORD_INPUTS} from './records.js'
import {REGISTRY_INPUTS} from './registries.js'
import {WIM_INPUTS} from './wims.js'

/** Every hostile input, by format. */
export const ALL_INPUTS: readonly HostileInput[] = [
  ...LAYER_INPUTS,
  ...ARCHIVE_INPUTS,
  ...LAYOUT_INPUTS,
  ...PACKAGE_INPUTS,
  ...APPX_INPUTS,
  ...WIM_INPUTS,
  ...HIVE_INPUTS,
  ...PLAN_INPUTS,
  ...RECORD_INPUTS,
  ...REGISTRY_INPUTS,
  ...ENGINE_INPUTS,
  ...CONTAINERD_INPUTS,
]
