import {trace} from '../model/trace.js'
import {lstat} from 'node:fs/promises'
import {UsageError} from '../model/errors.js'
import {hidePassword, hidePasswords} from '../model/hidden-password.js'
import {splitReference, type Reference} from '../model/reference.js'
import {appx} from './appx/appx.js'
import {containerd} from './containerd/containerd.js'
import {dockerArchive} from './docker-archive/docker-archive.js'
import {docker} from './docker/docker.js'
import {dockerDaemon} from './docker-daemon/docker-daemon.js'
import {inbox} from './inbox/inbox.js'
import {layout} from './layout/layout.js'
import {oci} from './oci/oci.js'
import {ociArchive} from './oci-archive/oci-archive.js'
import {runtime} from './runtime/runtime.js'
import {grammars, missing, unknownTransport} from './unknown-reference.js'
import {wim} from './wim/wim.js'
import type {Transport} from '../model/transport.js'

/** Every way to name and reach images. A new transport is one folder and one line here. */
export const TRANSPORTS: readonly Transport[] = [
  dockerArchive,
  oci,
  ociArchive,
  docker,
  dockerDaemon,
  containerd,
  inbox,
  appx,
  layout,
  runtime,
  wim,
]

/** Transports whose locations are names of images, in which no path can be. */
const OF_IMAGES: ReadonlySet<string> = new Set(['docker', 'docker-daemon', 'containerd'])

/** The transport a reference belongs to. */
export function transportOf(reference: Reference, transports = TRANSPORTS): Transport {
  const transport = transports.find((candidate) => candidate.name === reference.transport)
  if (transport === undefined) throw unknownTransport(reference.transport, transports)
  return transport
}

/** Parses `TRANSPORT:LOCATION`; undefined when the text does not start with the name of a transport. */
export function findReference(text: string, transports = TRANSPORTS): Reference | undefined {
  const split = splitReference(text)
  const transport = transports.find((candidate) => candidate.name === split?.transport)
  return split === undefined ? undefined : transport?.parse(split.location)
}

/** Parses `TRANSPORT:LOCATION`. Throws `BAD_REFERENCE`, also for a bare path, which only `resolveReference` recognises. */
export function parseReference(text: string): Reference {
  const reference = findReference(text)
  if (reference === undefined) throw unknownTransport(text, TRANSPORTS)
  return reference
}

/** The inverse of parsing: `parseReference(formatReference(r))` equals `r`. */
export function formatReference(reference: Reference, transports = TRANSPORTS): string {
  return transportOf(reference, transports).format(reference)
}

/** A text that was given as a reference, to be shown: without the password that it may have, and must not. */
export function shownReference(text: string, transports = TRANSPORTS): string {
  const split = splitReference(text)
  const isFile = transports.some(({name}) => name === split?.transport && !OF_IMAGES.has(name))
  return isFile ? hidePasswords(text) : hidePassword(text)
}

export interface ResolvedReference {
  readonly reference: Reference
  /** True when the transport was not given but recognised by content: then the choice is worth telling. */
  readonly recognised: boolean
}

/**
 * Parses a reference, or recognises a bare path by its content. Throws `BAD_REFERENCE` listing the transports, `NOT_FOUND` for a path that is missing, or
 * `AMBIGUOUS_SELECTION` when several recognise the path.
 */
export async function resolveReference(text: string, transports = TRANSPORTS): Promise<ResolvedReference> {
  const reference = findReference(text, transports)
  if (reference !== undefined) {
    trace('decision', () => `${shownReference(text, transports)}: transport ${reference.transport}, as written`)
    return {reference, recognised: false}
  }
  const exists = await lstat(text).then(
    () => true,
    () => false,
  )
  if (!exists) throw await missing(text, transports)
  const fitting: Transport[] = []
  for (const transport of transports) if (await transport.recognises(text)) fitting.push(transport)
  const [first, second] = fitting
  trace('decision', () => `${text}: content fits ${fitting.map(({name}) => name).join(', ') || 'no transport'}`)
  if (first === undefined) {
    throw new UsageError('BAD_REFERENCE', {
      what: `'${text}' exists, but its format is unknown.`,
      suggestions: grammars(transports),
    })
  }
  if (second !== undefined) {
    throw new UsageError('AMBIGUOUS_SELECTION', {
      what: `'${text}' matches several transports.`,
      why: `It could be any of: ${fitting.map((transport) => transport.name).join(', ')}.`,
      suggestions: fitting.map((transport) => `${transport.name}:${text}`),
    })
  }
  return {reference: first.parse(text), recognised: true}
}
