import {spawn} from 'node:child_process'
import {homedir} from 'node:os'
import path from 'node:path'
import {EnvironmentError, findSystemCode} from '../../model/errors.js'
import {readBounded} from '../../disk/safe-open.js'
import {clientConfigText, MAX_CLIENT_CONFIG_BYTES} from '../../codecs/json/client-config.js'
import {compileSchema} from '../../codecs/json/validator.js'
import {parseDocument} from '../../codecs/json/json-document.js'
import {findProgram} from './find-program.js'
import type {RepositoryPlace} from './reference.js'
import {withoutEnd} from '../../model/text-ends.js'

/** What a registry is told to know its user. */
export type Credentials =
  | {readonly kind: 'password'; readonly user: string; readonly password: string}
  /** An OAuth refresh token, which `docker login` keeps as `identitytoken`. */
  | {readonly kind: 'identity-token'; readonly token: string}
  /** A bearer token ready for use. */
  | {readonly kind: 'registry-token'; readonly token: string}

interface AuthEntry {
  readonly auth?: string | null
  readonly username?: string | null
  readonly password?: string | null
  readonly identitytoken?: string | null
  readonly registrytoken?: string | null
}

interface DockerConfig {
  readonly auths?: Readonly<Record<string, AuthEntry | null>> | null
  readonly credHelpers?: Readonly<Record<string, string | null>> | null
  readonly credsStore?: string | null
}

/** Docker takes `null` for what is not there, at any place. */
const text = {type: 'string', nullable: true} as const

const validate = compileSchema<DockerConfig>({
  type: 'object',
  properties: {
    auths: {
      type: 'object',
      nullable: true,
      additionalProperties: {
        type: 'object',
        nullable: true,
        properties: {auth: text, username: text, password: text, identitytoken: text, registrytoken: text},
      },
    },
    credHelpers: {type: 'object', nullable: true, additionalProperties: text},
    credsStore: text,
  },
})

const validateAnswer = compileSchema<{readonly Username: string; readonly Secret: string}>({
  type: 'object',
  required: ['Username', 'Secret'],
  properties: {Username: {type: 'string'}, Secret: {type: 'string'}},
})

/** Docker Hub's key in the configuration is the address of its first interface. */
const HUB_KEY = 'https://index.docker.io/v1/'

/**
 * The credentials that Docker's own configuration holds for a host; undefined = anonymous. In Docker's order: the
 * host's helper, the store for all, the file itself. Source: docker/cli cli/config/credentials. Throws
 * `METADATA_INVALID` for a damaged file, `TOOL_MISSING` and `UNAUTHORIZED` for a helper that is not there or fails.
 */
export async function findCredentials(host: string, folder?: string): Promise<Credentials | undefined> {
  const file = path.join(folder ?? path.join(homedir(), '.docker'), 'config.json')
  const bytes = readIfThere(file)
  return bytes === undefined ? undefined : credentialsFor(keysOf(host), parseConfig(bytes, file))
}

/**
 * The same of a file as podman and skopeo keep it: its keys may name a part of a registry, and the longest that fits is
 * taken. Source: containers-auth.json(5). Throws what `findCredentials` does.
 */
export async function findInAuthFile(
  {host, repository}: RepositoryPlace,
  file: string,
): Promise<Credentials | undefined> {
  const bytes = readIfThere(file)
  const parts = repository.split('/')
  const within = parts.map((_, index) => [host, ...parts.slice(0, parts.length - index)].join('/'))
  return bytes === undefined ? undefined : credentialsFor([...within, ...keysOf(host)], parseConfig(bytes, file))
}

function readIfThere(file: string): Uint8Array | undefined {
  try {
    return readBounded(file, MAX_CLIENT_CONFIG_BYTES, {links: 'followed'})
  } catch (error) {
    const code = findSystemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return undefined
    throw error
  }
}

function keysOf(host: string): readonly string[] {
  return host === 'docker.io' ? [HUB_KEY, 'docker.io', 'index.docker.io'] : [host]
}

const EMPTY = clientConfigText('')

function parseConfig(bytes: Uint8Array, file: string): DockerConfig {
  const isEmpty = clientConfigText(Buffer.from(bytes).toString('utf8')) === EMPTY
  return parseDocument(isEmpty ? Buffer.from(EMPTY) : bytes, {
    title: file,
    validate,
    code: 'METADATA_INVALID',
    isSecret: true,
  })
}

async function credentialsFor(keys: readonly string[], config: DockerConfig): Promise<Credentials | undefined> {
  for (const key of keys) {
    const helper = config.credHelpers?.[key] ?? config.credsStore
    const found = helper === undefined || helper === null || helper === '' ? undefined : await askHelper(helper, key)
    if (found !== undefined) return found
  }
  const entries = Object.entries(config.auths ?? {})
  for (const key of keys) {
    const entry = (entries.find(([own]) => own === key) ?? entries.find(([own]) => isAddressOf(own, key)))?.[1]
    const found = entry === undefined || entry === null ? undefined : credentialsIn(entry)
    if (found !== undefined) return found
  }
  return undefined
}

/** Old configurations have addresses as keys, with the version of the interface behind the host. */
function isAddressOf(key: string, host: string): boolean {
  return key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '') === host
}

function credentialsIn(entry: AuthEntry): Credentials | undefined {
  const {identitytoken, registrytoken} = entry
  if (typeof identitytoken === 'string' && identitytoken !== '') return {kind: 'identity-token', token: identitytoken}
  if (typeof registrytoken === 'string' && registrytoken !== '') return {kind: 'registry-token', token: registrytoken}
  const pair = withoutEnd(Buffer.from(entry.auth ?? '', 'base64').toString('utf8'), '\0')
  const colon = pair.indexOf(':')
  if (colon > 0) return {kind: 'password', user: pair.slice(0, colon), password: pair.slice(colon + 1)}
  const {username, password} = entry
  if (typeof username !== 'string' || typeof password !== 'string' || username === '') return undefined
  return {kind: 'password', user: username, password}
}

/** Longest answer of a helper; tokens have a few kilobytes. */
const MAX_ANSWER_BYTES = 2 ** 20

/** Runs `docker-credential-NAME get`, without a shell: the name comes from a file. */
async function askHelper(name: string, server: string): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) {
    throw new EnvironmentError('TOOL_MISSING', {
      what: `'${name.slice(0, 100)}' is not a valid name of a credential helper.`,
      suggestions: ["Check credHelpers and credsStore in Docker's config.json."],
    })
  }
  const file = await findProgram(program)
  if (file === undefined) throw missing(program)
  const {code, output} = await run(file, program, server)
  // What helpers say of a server that they do not know; anonymous is fine then.
  if (code !== 0 && /not found/i.test(output)) return undefined
  if (code !== 0) {
    throw new EnvironmentError('UNAUTHORIZED', {
      what: `The credential helper ${program} failed.`,
      why: `It exited with ${String(code)}.`,
      suggestions: [`Try: echo ${server} | ${program} get`],
    })
  }
  const answer = parseDocument(Buffer.from(output), {
    title: `the answer of ${program}`,
    validate: validateAnswer,
    code: 'METADATA_INVALID',
    isSecret: true,
  })
  if (answer.Secret === '') return undefined
  if (answer.Username === '<token>') return {kind: 'identity-token', token: answer.Secret}
  return {kind: 'password', user: answer.Username, password: answer.Secret}
}

function missing(program: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('TOOL_MISSING', {
    what: `transship cannot run the credential helper ${program}.`,
    why: "Docker's config.json names it.",
    suggestions: ['Install it in a folder of PATH, or remove it from config.json and log in again.'],
    ...(cause === undefined ? {} : {cause}),
  })
}

async function run(file: string, program: string, input: string): Promise<{code: number | null; output: string}> {
  const child = spawn(file, ['get'], {stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true})
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(missing(program, cause))
    })
    child.once('close', resolve)
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const reading = (async () => {
    let output = ''
    for await (const chunk of child.stdout as AsyncIterable<Uint8Array>) {
      output += Buffer.from(chunk).toString('utf8')
      if (output.length > MAX_ANSWER_BYTES) child.kill()
    }
    return output
  })()
  const [code, output] = await Promise.all([ended, reading])
  return {code, output}
}
