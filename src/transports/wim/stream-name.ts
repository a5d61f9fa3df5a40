import {InputError} from '../../model/errors.js'
import type {LayerPath} from '../../model/layer-path.js'

/** Throws `NAME_UNSAFE` for the name of an alternate stream that would name something else on Windows. */
export function requireStreamName(name: string, path: LayerPath): void {
  if (name.length <= 255 && !/[:/\\\0]/.test(name)) return
  throw new InputError('NAME_UNSAFE', {
    what: `The alternate stream ${JSON.stringify(name.slice(0, 300))} of '${path}' is not allowed.`,
    why: 'A stream name can have up to 255 UTF-16 units, without colon, slash, backslash or NUL.',
    suggestions: ['Do not convert this input unless you trust whoever made it; the name must be changed there.'],
    at: {path},
  })
}
