import {unpackOptions} from '../model/limits.js'
import type {Reference} from '../model/reference.js'
import type {OpenOptions} from '../model/transport.js'
import {networkOf} from './network.js'
import type {ConvertOptions} from './options.js'

/** How the source of a conversion is opened. */
export function openOptions(options: ConvertOptions, bases: readonly Reference[]): OpenOptions {
  return {
    ...networkOf(options),
    bases,
    ...(options.platform === undefined ? {} : {platform: options.platform}),
    ...(options.acceptBaseMismatch === undefined ? {} : {acceptBaseMismatch: options.acceptBaseMismatch}),
    ...(options.signal === undefined ? {} : {signal: options.signal}),
    ...(options.onEvent === undefined ? {} : {onEvent: options.onEvent}),
    ...unpackOptions(options),
  }
}
