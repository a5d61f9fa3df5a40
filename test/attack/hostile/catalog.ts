import {IMAGE_INPUTS} from './images.js'
import type {HostileInput} from './input.js'
import {LAYER_INPUTS} from './layers.js'
import {PACKAGE_INPUTS} from './packages.js'

/** Every hostile input, by format. */
export const ALL_INPUTS: readonly HostileInput[] = [...LAYER_INPUTS, ...IMAGE_INPUTS, ...PACKAGE_INPUTS]
