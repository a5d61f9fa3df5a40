import {readDocument} from '../convert/inspect.js'
import {InputError} from '../model/errors.js'
import type {OpenOptions} from '../model/transport.js'

/** The exact bytes of a configuration or manifest. Throws `CONFIG_MISSING`, `MANIFEST_MISSING` where there is none. */
export async function* documentBytes(
  text: string,
  which: 'config' | 'manifest',
  options: OpenOptions,
): AsyncGenerator<Uint8Array> {
  const bytes = await readDocument(text, which, options)
  if (bytes === undefined) {
    const isConfig = which === 'config'
    throw new InputError(isConfig ? 'CONFIG_MISSING' : 'MANIFEST_MISSING', {
      what: `It has no ${isConfig ? 'image configuration' : 'manifest'}.`,
      why: 'Packages and transport layouts have one only if they were made from an image.',
      at: {reference: text},
    })
  }
  yield bytes
}
