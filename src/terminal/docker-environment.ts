import {homedir} from 'node:os'
import path from 'node:path'

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
