import {existsSync} from 'node:fs'
import {splitReference} from '../../model/reference.js'
import {behind, matching, type Candidate} from './candidate.js'
import {completePath} from './complete-path.js'

/** What follows the colon of each transport. `engine` transports are asked for what they hold; an image registry is not. */
const LOCATIONS = {
  'docker-archive': 'file',
  'oci-archive': 'file',
  oci: 'folder',
  docker: 'network',
  'docker-daemon': 'engine',
  containerd: 'engine',
  inbox: 'folder',
  appx: 'file',
  layout: 'folder',
  runtime: 'folder',
  wim: 'file',
} as const satisfies Readonly<Record<string, string>>

type Location = (typeof LOCATIONS)[keyof typeof LOCATIONS]

const ONLY_SOURCES: ReadonlySet<string> = new Set(['wim'])
/** Of one image or package by itself. */
const WITHOUT_SELECTOR: ReadonlySet<string> = new Set(['layout', 'runtime'])
/** A shell waits for it. */
const LIST_TIMEOUT_MS = 2000

/** References that begin as typed: transports and paths first, then files, then what lies in a file, folder or engine. */
export async function completeReference(
  typed: string,
  {isDestination = false}: {readonly isDestination?: boolean} = {},
): Promise<readonly Candidate[]> {
  const [, transport = '', location] = /^([a-z-]+):(.*)$/s.exec(typed) ?? []
  if (location === undefined || !isTransport(transport)) {
    const known = Object.keys(LOCATIONS).filter((name) => !isDestination || !ONLY_SOURCES.has(name))
    const transports = known.map((name) => (name === 'docker' ? 'docker://' : `${name}:`))
    const named = matching(transports, typed).map((candidate) => ({...candidate, isWhole: false}))
    // A single letter in front of a colon is a drive.
    return [...named, ...(splitReference(typed) === undefined ? await completePath(typed) : [])]
  }
  const kind: Location = LOCATIONS[transport]
  if (kind === 'network') return []
  if (kind === 'engine') return completeListed(`${transport}:`, typed)
  const place = isDestination || WITHOUT_SELECTOR.has(transport) ? undefined : findPlace(location)
  if (place !== undefined) return completeListed(`${transport}:${place}`, typed)
  return behind(`${transport}:`, await completePath(location, {isFolder: kind === 'folder'}))
}

function isTransport(name: string): name is keyof typeof LOCATIONS {
  return Object.hasOwn(LOCATIONS, name)
}

/** The path in front of a colon, if it exists: a selector follows. */
function findPlace(location: string): string | undefined {
  for (const {index} of location.matchAll(/:/g)) {
    const place = location.slice(0, index)
    const isDrive = index === 1 && /^[A-Za-z]$/.test(place)
    if (!isDrive && place !== '' && existsSync(place)) return place
  }
  return undefined
}

/** References of what a place holds, none where it cannot be read. What is listed by other words than were typed is put behind those. */
async function completeListed(place: string, typed: string): Promise<readonly Candidate[]> {
  // Loaded only here: most completions need no transport.
  const {list} = await import('../../convert/list.js')
  const found = await list(place, {signal: AbortSignal.timeout(LIST_TIMEOUT_MS)}).catch(() => undefined)
  if (found === undefined) return []
  const {reference, items} = found
  const front = place.endsWith(':') ? place : `${place}:`
  const own = reference.endsWith(':') ? reference : `${reference}:`
  const texts = items
    .map((item) => item.reference)
    .filter((text) => text.startsWith(own))
    .map((text) => front + text.slice(own.length))
  return matching([...new Set(texts)], typed)
}
