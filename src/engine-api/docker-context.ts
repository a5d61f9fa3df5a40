import {createHash} from 'node:crypto'
import path from 'node:path'
import {clientConfigText} from '../codecs/json/client-config.js'
import {compileSchema, errorsText, type Validator} from '../codecs/json/validator.js'
import {InputError, UsageError} from '../model/errors.js'
import {findText, readCertificates} from './certificates.js'
import {parseEngineEndpoint, type EngineEndpoint, type EngineTls} from './endpoint.js'

interface ContextMeta {
  readonly Endpoints?: {readonly docker?: {readonly Host?: string; readonly SkipTLSVerify?: boolean} | null} | null
}

const isContextMeta = compileSchema<ContextMeta>({
  type: 'object',
  properties: {
    Endpoints: {
      type: 'object',
      nullable: true,
      properties: {
        docker: {
          type: 'object',
          nullable: true,
          properties: {Host: {type: 'string'}, SkipTLSVerify: {type: 'boolean'}},
        },
      },
    },
  },
})

const isClientConfig = compileSchema<{readonly currentContext?: string | null}>({
  type: 'object',
  properties: {currentContext: {type: 'string', nullable: true}},
})

/** The context that Docker's `config.json` in this folder makes the current one; undefined = the default. */
export async function findCurrentContext(folder: string): Promise<string | undefined> {
  const name = (await readJson(path.join(folder, 'config.json'), isClientConfig))?.currentContext
  return name === undefined || name === null || name === '' || name === 'default' ? undefined : name
}

/**
 * Where the engine of a Docker context listens, with its certificates. Source: docker/cli cli/context/store: metadata
 * in `contexts/meta/<sha256 of the name>/meta.json`, certificates in `contexts/tls/<the same>/docker`. Throws `NOT_FOUND`,
 * `BAD_OPTION` for what is no context, or an address that is not spoken to.
 */
export async function readContext(folder: string, name: string): Promise<EngineEndpoint> {
  const id = createHash('sha256').update(name).digest('hex')
  const file = path.join(folder, 'contexts', 'meta', id, 'meta.json')
  const docker = (await readJson(file, isContextMeta))?.Endpoints?.docker
  if (docker?.Host === undefined || docker.Host === '') {
    throw new InputError('NOT_FOUND', {
      what: `No Docker context '${name}' has the address of an engine.`,
      suggestions: ['List the contexts: docker context ls', 'Or pass --engine URL.'],
      at: {path: file},
    })
  }
  const read = await readCertificates(path.join(folder, 'contexts', 'tls', id, 'docker'))
  const tls: EngineTls = {...read, ...(docker.SkipTLSVerify === true ? {rejectUnauthorized: false} : {})}
  return parseEngineEndpoint(docker.Host, Object.keys(tls).length === 0 ? undefined : tls)
}

async function readJson<T>(file: string, validate: Validator<T>): Promise<T | undefined> {
  const text = await findText(file)
  if (text === undefined) return undefined
  let json: unknown
  try {
    json = JSON.parse(clientConfigText(text))
  } catch (cause) {
    throw new UsageError('BAD_OPTION', {what: `'${file}' is not valid JSON.`, at: {path: file}, cause})
  }
  if (validate(json)) return json
  throw new UsageError('BAD_OPTION', {
    what: `'${file}' is not a valid Docker file.`,
    why: errorsText(validate, path.basename(file)),
    at: {path: file},
  })
}
