import {isIP} from 'node:net'
import type {RedisOptions} from 'bullmq'
import {UsageError} from '../../model/errors.js'

/** Where a queue is. Only `told` may be shown: the options hold the password. */
export interface QueuePlace {
  readonly options: Pick<RedisOptions, 'host' | 'port' | 'path' | 'username' | 'password' | 'db' | 'tls'>
  /** Of the queue in that database. */
  readonly name: string
  /** The URL without user and password. */
  readonly told: string
}

const SUGGESTION = 'Write redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE][?name=QUEUE], or rediss:// for TLS.'
const DEFAULT_PORT = 6379
const DEFAULT_NAME = 'transship'
/** Of what BullMQ makes its keys. */
const NAME = /^[A-Za-z0-9_.-]{1,64}$/

/**
 * Parses `redis://` and `rediss://` URLs, and `unix:///path.sock`; `otherPassword` is for those that hold none. Throws
 * `BAD_OPTION`, with nothing in it of what was given: it may hold a password.
 */
export function parseRedisUrl(text: string, otherPassword?: string): QueuePlace {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw badUrl('It is not a URL.')
  }
  const protocols = ['redis:', 'rediss:', 'unix:']
  if (!protocols.includes(url.protocol)) throw badUrl(`Expected ${protocols.map((each) => `${each}//`).join(', ')}.`)
  const unknown = [...url.searchParams.keys()].filter((key) => key !== 'name')
  if (unknown.length > 0) throw badUrl('The only parameter allowed is name.')
  const name = url.searchParams.get('name') ?? DEFAULT_NAME
  if (!NAME.test(name))
    throw badUrl('The name of a queue may contain only letters, digits, dots, hyphens and underscores.')
  const password = url.password === '' ? otherPassword : decoded(url.password)
  const login = {
    ...(url.username === '' ? {} : {username: decoded(url.username)}),
    ...(password === undefined ? {} : {password}),
  }
  const behind = name === DEFAULT_NAME ? '' : `?name=${name}`
  if (url.protocol === 'unix:') {
    if (url.hostname !== '' || url.pathname.length < 2) throw badUrl('Write a socket as unix:///PATH.')
    const path = decoded(url.pathname)
    return {options: {path, ...login}, name, told: `unix://${path}${behind}`}
  }
  if (url.hostname === '') throw badUrl('It has no host.')
  const database = /^\/?(\d{0,4})$/.exec(url.pathname)?.[1]
  if (database === undefined) throw badUrl('Expected the number of a database after the host.')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return {
    options: {
      host,
      port: url.port === '' ? DEFAULT_PORT : Number(url.port),
      ...login,
      ...(database === '' ? {} : {db: Number(database)}),
      // TLS knows no server names that are addresses: the certificate is then held against the address itself.
      ...(url.protocol === 'rediss:' ? {tls: isIP(host) === 0 ? {servername: host} : {}} : {}),
    },
    name,
    told: `${url.protocol}//${url.host}${database === '' ? '' : `/${database}`}${behind}`,
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw badUrl('It has a % that does not start an escape; write %25 instead.')
  }
}

function badUrl(why: string): UsageError {
  return new UsageError('BAD_OPTION', {what: 'The queue URL is not valid.', why, suggestions: [SUGGESTION]})
}
