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
      what: `There is no transport '${name}'.`,
      why: `In '${hidePassword(text)}'.`,
      suggestions: [`Did you mean '${nearest}:${hidePassword(location)}'?`],
    })
  return new UsageError('BAD_REFERENCE', {
    what: `'${hidePassword(text)}' names no transport and no existing file or folder.`,
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
      what: `There is no file or folder '${shown}'.`,
      suggestions: [`For the image of that name on a server: docker://${shown}`],
    })
  const folder = dirname(text)
  const names = await readdir(folder).catch(() => undefined)
  const nearest = findNearest(basename(text), names ?? [])
  const found = nearest === undefined ? undefined : folder === '.' ? nearest : join(folder, nearest)
  return new InputError('NOT_FOUND', {
    what: `There is no file or folder '${shown}'.`,
    ...(names === undefined ? {why: `There is no folder '${hidePassword(folder)}' either.`} : {}),
    suggestions: [
      ...(found === undefined ? [] : [`Did you mean '${found}'?`]),
      'Check the path, or write TRANSPORT:LOCATION for what is not on this disk, or not there yet.',
    ],
  })
}
