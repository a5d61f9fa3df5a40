import {compileSchema} from '../../codecs/json/validator.js'
import {parseDocument} from '../../codecs/json/json-document.js'

export interface TokenAnswer {
  readonly token: string
  /** Seconds it is good for. */
  readonly lifetime: number
}

/** Token servers fill in what they do not use in many ways; so each value is looked at by itself. */
const validate = compileSchema<{
  readonly token?: unknown
  readonly access_token?: unknown
  readonly expires_in?: unknown
}>({type: 'object'})

/** What a token lives for when nobody says; never assume more. Source: distribution docs/spec/auth/token.md. */
const DEFAULT_LIFETIME = 60

/** Reads the answer of a token server; undefined when there is no token in it. Throws `MANIFEST_INVALID`. */
export function parseTokenAnswer(bytes: Uint8Array): TokenAnswer | undefined {
  const answer = parseDocument(bytes, {
    title: 'the answer of the token server',
    validate,
    code: 'MANIFEST_INVALID',
    isSecret: true,
  })
  const token = [answer.token, answer.access_token].find((each) => typeof each === 'string' && each !== '')
  // Anything but visible characters would break the header that it goes into.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return undefined
  return {token, lifetime: lifetimeOf(answer.expires_in)}
}

/** A number, also as text; what is none, or no time at all, is as good as not said. */
function lifetimeOf(stated: unknown): number {
  const seconds = typeof stated === 'string' && stated.trim() !== '' ? Number(stated) : stated
  return typeof seconds === 'number' && seconds > 0 ? seconds : DEFAULT_LIFETIME
}
