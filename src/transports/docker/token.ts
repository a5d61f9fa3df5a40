import {compileSchema} from '../../codecs/json/validator.js'
import {parseDocument} from '../shared/json-document.js'

/** What a registry asks for in `WWW-Authenticate`. */
export type Challenge =
  | {readonly kind: 'basic'}
  | {readonly kind: 'bearer'; readonly realm: string; readonly service?: string; readonly scope?: string}

/** Takes the header apart; undefined when it holds neither scheme. Source: RFC 9110, 11.6; distribution token spec. */
export function findChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined) return undefined
  const bearer = /(?:^|,\s*)bearer\s+(.*)$/is.exec(header)?.[1]
  if (bearer !== undefined) {
    const values = new Map<string, string>()
    for (const [, key, quoted, plain] of bearer.matchAll(/([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/gi)) {
      if (key !== undefined) values.set(key.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '')
    }
    const realm = values.get('realm')
    const service = values.get('service')
    const scope = values.get('scope')
    if (realm === undefined) return undefined
    return {
      kind: 'bearer',
      realm,
      ...(service === undefined ? {} : {service}),
      ...(scope === undefined ? {} : {scope}),
    }
  }
  return /(?:^|,\s*)basic\b/i.test(header) ? {kind: 'basic'} : undefined
}

export interface TokenAnswer {
  readonly token: string
  /** Seconds it is good for. */
  readonly lifetime: number
}

const text = {type: 'string'} as const
const validate = compileSchema<{
  readonly token?: string
  readonly access_token?: string
  readonly expires_in?: number
}>({type: 'object', properties: {token: text, access_token: text, expires_in: {type: 'number'}}})

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
  const token = [answer.token, answer.access_token].find((each) => each !== undefined && each !== '')
  // Such a token would end up in a header.
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) return undefined
  return {token, lifetime: answer.expires_in ?? DEFAULT_LIFETIME}
}
