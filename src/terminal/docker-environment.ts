import {homedir} from 'node:os'
import path from 'node:path'
import type {ProxySettings} from '../model/proxies.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** A variable's value; an empty one counts as not set. */
export function set(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

/** Docker's folder: DOCKER_CONFIG, or `.docker` at home. */
export function dockerFolder(env: Environment = process.env): string {
  return set(env['DOCKER_CONFIG']) ?? path.join(homedir(), '.docker')
}

/** Where the certificates for DOCKER_HOST are, when DOCKER_TLS_VERIFY asks for them. */
export function certificateFolder(env: Environment = process.env): string | undefined {
  if (set(env['DOCKER_TLS_VERIFY']) === undefined) return undefined
  return set(env['DOCKER_CERT_PATH']) ?? dockerFolder(env)
}

/** HTTPS_PROXY, HTTP_PROXY and NO_PROXY; where both spellings are set, the lower case counts, as with curl. */
export function proxySettings(env: Environment = process.env): ProxySettings {
  const either = (name: string) => set(env[name]) ?? set(env[name.toUpperCase()])
  const [https, http, exceptions] = [either('https_proxy'), either('http_proxy'), either('no_proxy')]
  return {
    ...(https === undefined ? {} : {https}),
    ...(http === undefined ? {} : {http}),
    ...(exceptions === undefined ? {} : {exceptions}),
  }
}
