import {InputError} from '../model/errors.js'
import {errorsText, type Validator} from '../codecs/json/validator.js'

/** The answer, checked. Throws `MANIFEST_INVALID` when it is of another shape than the engine API's. */
export function requireAnswer<T>(validate: Validator<T>, body: unknown, request: string): T {
  if (validate(body)) return body
  throw new InputError('MANIFEST_INVALID', {
    what: `The engine's answer to '${request}' does not follow its API.`,
    why: errorsText(validate, 'answer'),
  })
}
