import {readdir} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {findNearest} from '../model/did-you-mean.js'
import {InputError, UsageError, type TransshipError} from '../model/errors.js'
import {hidePassword} from '../model/hidden-password.js'
import type {Transport} from '../model/transport.js'

/** What is written like a transport: more than a drive letter, and nothing that belongs in a path. */
const TRANSPORT_LIKE = /^([A-Za-z][\w-]+):(.*)$/s

/** An image of a server, as `docker pull` names it: its first part is a host. */
const HOSTED_IMAGE = /^(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?\/[a-z0-9][a-z0-9._/-]*(?::[\w.-]+|@sha256:[0-9a-f]{64})?$/

/** The error for a text whose transport there is not, with the one that was most likely meant, or all. `BAD_REFERENCE`. */
export function unknownTransport(text: string, transports: readonly Transport[]): UsageError {
  const [, name, location = ''] = TRANSPORT_LIKE.exec(text) ?? []
  const nearest =
    name === undefined
      ? undefined
      : findNearest(
          name,
          transports.map((each) => each.name),
        )
  if (name !== undefined && nearest !== undefined)
    return new UsageError('BAD_REFERENCE', {
      what: `'${name}' is not a transport.`,
      why: `In '${hidePassword(text)}'.`,
      suggestions: [`Did you mean '${nearest}:${hidePassword(location)}'?`],
    })
  return new UsageError('BAD_REFERENCE', {
    what: `'${hidePassword(text)}' is not a transport, and no such file or folder exists.`,
    why: 'Expected TRANSPORT:LOCATION.',
    suggestions: grammars(transports),
  })
}

/** How each transport is written. */
export function grammars(transports: readonly Transport[]): readonly string[] {
  return transports.map((transport) => `${transport.name}:${transport.grammar}`)
}

/**
 * The error for a text that is no reference and no path of something that exists: a path that is missing is called so
 * (`NOT_FOUND`), with the name beside it that was most likely meant; anything else is an unknown transport.
 */
export async function missing(text: string, transports: readonly Transport[]): Promise<TransshipError> {
  if (TRANSPORT_LIKE.test(text)) return unknownTransport(text, transports)
  const shown = hidePassword(text)
  if (HOSTED_IMAGE.test(text))
    return new InputError('NOT_FOUND', {
      what: `'${shown}' does not exist.`,
      suggestions: [`To read the image from a registry, write docker://${shown}`],
    })
  const folder = dirname(text)
  const names = await readdir(folder).catch(() => undefined)
  const nearest = findNearest(basename(text), names ?? [])
  const found = nearest === undefined ? undefined : folder === '.' ? nearest : join(folder, nearest)
  return new InputError('NOT_FOUND', {
    what: `'${shown}' does not exist.`,
    ...(names === undefined ? {why: `The folder '${hidePassword(folder)}' does not exist either.`} : {}),
    suggestions: [
      ...(found === undefined ? [] : [`Did you mean '${found}'?`]),
      'Check the path. For anything not on this disk, write TRANSPORT:LOCATION.',
    ],
  })
}
