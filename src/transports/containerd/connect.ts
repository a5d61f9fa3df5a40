import {containerdPath, containerdSockets} from '../../engine-api/containerd/addresses.js'
import {ContainerdClient} from '../../engine-api/containerd/containerd-client.js'
import {isAbsent, withTimeLimit} from '../../engine-api/connection-error.js'
import {EnvironmentError, TransshipError, UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {NetworkOptions} from '../../model/transport.js'
import {isNamespace} from './reference.js'

/** A containerd that does not even list its namespaces in this time hangs. */
const FIRST_ANSWER_MS = 30_000

/** A containerd that has answered. */
export interface Containerd {
  readonly client: ContainerdClient
  readonly namespaces: readonly string[]
  /** The namespace of references that name none. */
  readonly usual: string
}

/**
 * Connects to the containerd that is given, or to the first one that listens. Throws `ENGINE_UNAVAILABLE`, `NO_ACCESS`,
 * `TIMED_OUT`, `BAD_OPTION`.
 */
export async function connect({containerd = {}, signal}: WorkOptions & NetworkOptions): Promise<Containerd> {
  const {address, namespace: usual = 'default'} = containerd
  if (!isNamespace(usual)) {
    throw new UsageError('BAD_OPTION', {
      what: `'${usual.slice(0, 100)}' is not a namespace of containerd.`,
      why: 'CONTAINERD_NAMESPACE takes letters and digits, with single dots, dashes and underscores between them.',
    })
  }
  const paths = address === undefined ? containerdSockets(process.platform) : [containerdPath(address)]
  for (const path of paths) {
    const client = new ContainerdClient(path)
    try {
      const {namespaces} = await withTimeLimit(FIRST_ANSWER_MS, signal, (limited) =>
        client.call('containerd.services.namespaces.v1.Namespaces/List', {}, {signal: limited}),
      )
      return {client, namespaces: namespaces.map(({name}) => name), usual}
    } catch (error) {
      client.close()
      if (!isAbsent(error)) throw explained(error, path)
    }
  }
  throw new EnvironmentError('ENGINE_UNAVAILABLE', {
    what: 'containerd cannot be reached.',
    why: `Nobody listens at ${paths.join(' or ')}.`,
    suggestions: [
      address === undefined
        ? 'Set CONTAINERD_ADDRESS to the socket of containerd, if it listens elsewhere.'
        : 'Check CONTAINERD_ADDRESS, or unset it to try the usual places.',
      'Start containerd.',
    ],
    at: {reference: paths[0] ?? ''},
  })
}

/** The socket is the permission: who may open it may do everything. */
function explained(error: unknown, path: string): unknown {
  if (!(error instanceof TransshipError) || error.code !== 'NO_ACCESS') return error
  return new EnvironmentError('NO_ACCESS', {
    what: `You may not open the socket of containerd, ${path}.`,
    why: error.why ?? 'The operating system refused it.',
    suggestions: [
      process.platform === 'win32'
        ? 'Run transship as an administrator.'
        : 'Run transship as root, or as the user or group that containerd gives its socket to.',
    ],
    at: {reference: path},
    cause: error,
  })
}
