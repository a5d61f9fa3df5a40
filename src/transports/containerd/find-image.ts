import {findDockerName, fullNameOf} from '../../formats/image-documents/image-name.js'
import {findNearest} from '../../model/did-you-mean.js'
import {InputError, UsageError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import type {Reference} from '../../model/reference.js'
import type {ImageMessage} from '../../engine-api/containerd/store-services.js'
import type {Containerd} from './connect.js'
import {formatLocation, NAME, readingsOf, referenceTo, type Reading} from './reference.js'
import {isReferrerRecord} from './referrers.js'
import {NamespaceStore} from './store.js'

/** Image records that a reference leads to. */
export interface Found {
  readonly store: NamespaceStore
  readonly records: readonly ImageMessage[]
  /** Of what they lead to, the manifest or index of this digest alone. */
  readonly digest?: string
}

/**
 * The records of the one thing that is meant: those of one target, or all of a name where a digest decides between them.
 * Throws `NOT_FOUND`, `AMBIGUOUS_SELECTION`.
 */
export async function requireOne(containerd: Containerd, reference: Reference, options: WorkOptions): Promise<Found> {
  const found = await requireRecords(containerd, reference, options)
  const offered = found.map((each) => ({...each, records: withoutReferrers(each.records)}))
  const [first, second] = offered.filter(({records}) => records.length > 0)
  if (first !== undefined && second === undefined) {
    const {records, digest} = first
    if (digest !== undefined || new Set(records.map(({target}) => target?.digest)).size === 1) return first
    const latest = reference.path.endsWith('/')
      ? undefined
      : records.find(({name}) => findDockerName(name)?.tag === 'latest')
    if (latest !== undefined) return {...first, records: [latest]}
  }
  const fitting = offered.flatMap(({store, records}) => records.map(({name}) => referenceTo(store.namespace, name)))
  const given = formatLocation(reference)
  if (fitting.length === 0) {
    throw new InputError('NOT_FOUND', {what: `There is no image in '${given}'.`, at: {reference: given}})
  }
  throw new UsageError('AMBIGUOUS_SELECTION', {
    what: `${fitting.length} images fit '${given}'.`,
    suggestions: fitting.slice(0, 20).map((other) => formatLocation(other)),
    at: {reference: given},
  })
}

/** What is named by the digest of something else is a signature of that, unless it alone was asked for. */
function withoutReferrers(records: readonly ImageMessage[]): readonly ImageMessage[] {
  return records.length === 1 ? records : records.filter((record) => !isReferrerRecord(record))
}

/** All records that a reference leads to, namespace by namespace. Throws `NOT_FOUND`, `AMBIGUOUS_SELECTION`. */
export async function requireRecords(
  containerd: Containerd,
  reference: Reference,
  options: WorkOptions,
): Promise<readonly Found[]> {
  const {client, namespaces} = containerd
  const readings = readingsOf(reference, containerd)
  if (readings.length === 0) {
    const stores = [...namespaces].sort().map((namespace) => new NamespaceStore(client, namespace))
    return Promise.all(stores.map(async (store) => ({store, records: await store.images(options)})))
  }
  const found: Found[] = []
  for (const reading of readings) {
    const store = new NamespaceStore(client, reading.namespace)
    const records = await recordsOf(store, reading, options)
    const {digest} = reading
    if (records.length > 0) found.push({store, records, ...(digest === undefined ? {} : {digest})})
  }
  const [first, second] = found
  if (second !== undefined && first !== undefined) throw readTwice(reference, [first, second])
  if (first !== undefined) return [first]
  const [whole] = readings
  // An empty namespace is empty, and one that nobody has used as well.
  if (whole?.name === undefined && namespaces.includes(whole?.namespace ?? '')) return []
  throw await notFound(containerd, reference, readings, options)
}

async function recordsOf(store: NamespaceStore, {name, digest}: Reading, options: WorkOptions) {
  if (name === undefined) return store.images(options)
  for (const text of spellings(name, digest)) {
    const record = await store.findImage(text, options)
    if (record !== undefined) return [record]
  }
  const docker = findDockerName(name)
  if (docker === undefined || docker.tag !== undefined) return []
  const ofName = (await store.images(options)).filter(
    (record) => findDockerName(record.name)?.fullRepository === docker.fullRepository,
  )
  if (digest === undefined) return ofName
  const exact = ofName.filter(({target}) => target?.digest === digest)
  return exact.length > 0 ? exact : ofName
}

/** As it was typed, which is how the store may keep it; then as Docker and containerd's own tools spell it. */
function spellings(name: string, digest: string | undefined): readonly string[] {
  const docker = findDockerName(name)
  const pinned = digest === undefined ? [] : [`${name}@${digest}`]
  if (docker === undefined) return [...pinned, name]
  if (digest === undefined) return docker.tag === undefined ? [name] : [name, fullNameOf(docker)]
  const full = [`${docker.fullRepository}@${digest}`]
  return docker.tag === undefined ? [...pinned, ...full] : [...pinned, name, fullNameOf(docker), ...full]
}

function readTwice(reference: Reference, found: readonly [Found, Found]): UsageError {
  return new UsageError('AMBIGUOUS_SELECTION', {
    what: `'${formatLocation(reference)}' can be read in two ways.`,
    why: `Both namespaces have such an image: ${found.map(({store}) => store.namespace).join(' and ')}.`,
    suggestions: found.flatMap(({store, records: [record]}) =>
      record === undefined ? [] : [formatLocation(referenceTo(store.namespace, record.name))],
    ),
    at: {reference: formatLocation(reference)},
  })
}

/** Names shown of those that are there. */
const MAX_SHOWN = 5

async function notFound(
  {client, namespaces}: Containerd,
  reference: Reference,
  readings: readonly Reading[],
  options: WorkOptions,
): Promise<InputError> {
  const [reading] = readings
  const sought = reading?.namespace ?? ''
  const isMissing = !namespaces.includes(sought)
  const elsewhere: string[] = []
  const near: string[] = []
  for (const namespace of namespaces) {
    const store = new NamespaceStore(client, namespace)
    const names = (await store.images(options)).map(({name}) => name)
    for (const {name, digest} of readings) {
      if (name === undefined) continue
      const exact = (await recordsOf(store, {namespace, name, ...(digest === undefined ? {} : {digest})}, options))[0]
      if (exact !== undefined) elsewhere.push(formatLocation(referenceTo(namespace, exact.name)))
      const docker = findDockerName(name)
      const nearest = findNearest(docker === undefined ? name : fullNameOf(docker), names)
      const sameRepository = names.filter(
        (other) => docker !== undefined && findDockerName(other)?.fullRepository === docker.fullRepository,
      )
      for (const other of [...sameRepository, ...(nearest === undefined ? [] : [nearest])])
        near.push(formatLocation(referenceTo(namespace, other)))
    }
  }
  const suggestions = [...new Set([...elsewhere, ...near])].slice(0, MAX_SHOWN)
  return new InputError('NOT_FOUND', {
    what:
      reading?.name === undefined
        ? `containerd has no namespace '${sought}'.`
        : `There is no image '${reading.name}' in the namespace ${sought} of containerd.`,
    why: isMissing
      ? `The namespaces are: ${namespaces.length === 0 ? 'none' : [...namespaces].sort().join(', ')}.`
      : elsewhere.length > 0
        ? 'Another namespace has it.'
        : 'No other namespace has it either.',
    suggestions: [
      ...suggestions.map((text) => `Did you mean ${text}?`),
      `List what is there: transship list ${NAME}:${isMissing ? '' : `${sought}/`}`,
    ],
    at: {reference: formatLocation(reference)},
  })
}
