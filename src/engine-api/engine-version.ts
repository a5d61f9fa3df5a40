import {compileSchema} from '../codecs/json/validator.js'
import {EnvironmentError, InputError} from '../model/errors.js'
import {requireAnswer} from './answers.js'
import {formatEngineEndpoint} from './endpoint.js'
import type {EngineClient} from './engine-client.js'

/** Answer of `GET /version`. */
export interface EngineVersion {
  readonly Version?: string
  readonly ApiVersion?: string
  readonly MinAPIVersion?: string
  readonly Os?: string
  readonly Arch?: string
  readonly Components?: readonly {readonly Name?: string}[] | null
}

const text = {type: 'string'} as const

export const isEngineVersion = compileSchema<EngineVersion>({
  type: 'object',
  properties: {
    Version: text,
    ApiVersion: text,
    MinAPIVersion: text,
    Os: text,
    Arch: text,
    Components: {type: 'array', nullable: true, items: {type: 'object', properties: {Name: text}}},
  },
})

/** Asks who it is. Throws `ENGINE_UNAVAILABLE` for what answers and is no engine, and what connecting throws. */
export async function askVersion(client: EngineClient, signal: AbortSignal | undefined): Promise<EngineVersion> {
  try {
    return requireAnswer(isEngineVersion, await client.get('/version', signal), '/version')
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new EnvironmentError('ENGINE_UNAVAILABLE', {
      what: 'The server at this address is not a container engine.',
      why: error.why ?? error.what,
      suggestions: ['Check the address of the engine: --engine, DOCKER_HOST or the context.'],
      at: {reference: formatEngineEndpoint(client.endpoint)},
      cause: error,
    })
  }
}

/** podman-docker puts Podman behind Docker's own socket: only the engine knows who it is. */
export function isPodman({Components}: EngineVersion): boolean {
  return Components?.some((component) => component.Name === 'Podman Engine') === true
}

/** Oldest and newest version of the API that is spoken here: Docker 1.12 to 28. */
export const API_RANGE = {oldest: '1.24', newest: '1.48'} as const

/** A version of the API as a number that compares: minor versions stay below 1000. */
export function apiNumber(version: string): number {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})$/.exec(version) ?? []
  return major === undefined || minor === undefined ? 0 : Number(major) * 1000 + Number(minor)
}

/** The newest version that both sides speak. Throws `ENGINE_UNSUPPORTED`. Source: Docker Engine API, "Versioned API". */
export function negotiateApi(version: EngineVersion, endpoint: string): string {
  const newest = version.ApiVersion ?? ''
  const oldest = version.MinAPIVersion ?? newest
  const refuse = (why: string, suggestion: string) =>
    new EnvironmentError('ENGINE_UNSUPPORTED', {
      what: 'transship does not support the API version of this container engine.',
      why: `It ${why}; transship supports ${API_RANGE.oldest} to ${API_RANGE.newest}.`,
      suggestions: [suggestion],
      at: {reference: endpoint},
    })
  if (apiNumber(newest) < apiNumber(API_RANGE.oldest)) {
    throw refuse(newest === '' ? 'states none' : `supports none after ${newest}`, 'Update the engine.')
  }
  if (apiNumber(oldest) > apiNumber(API_RANGE.newest)) {
    throw refuse(`accepts none before ${oldest}`, 'Update transship, or lower the minimum API version of the engine.')
  }
  return apiNumber(newest) < apiNumber(API_RANGE.newest) ? newest : API_RANGE.newest
}
