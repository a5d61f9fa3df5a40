import type {HttpAnswer} from './http.js'
import {header} from './http.js'
import type {Registry} from './registry.js'

/** A registry may give fewer entries a page than it is asked for, down to one. */
const MAX_PAGES = 10_000

export interface PagedList {
  /** Of the first page, from the registry's root. */
  readonly url: string
  readonly read: (url: string) => Promise<{readonly answer: HttpAnswer; readonly bytes: Uint8Array}>
  readonly parse: (bytes: Uint8Array) => readonly string[]
  readonly maxEntries: number
  /** What is thrown rather than give fewer entries than there are. */
  readonly tooMany: (why: string) => Error
}

/** A list that comes in pages, sorted, each entry once. */
export async function readPages(registry: Registry, list: PagedList): Promise<readonly string[]> {
  const entries = new Set<string>()
  let url: string | undefined = list.url
  for (let pages = 0; url !== undefined; pages++) {
    if (pages >= MAX_PAGES) throw list.tooMany(`Its list has more than ${MAX_PAGES} pages.`)
    const {answer, bytes} = await list.read(url)
    const before = entries.size
    for (const entry of list.parse(bytes)) entries.add(entry)
    if (entries.size > list.maxEntries) throw list.tooMany(`It has more than ${list.maxEntries}.`)
    // A page that brings nothing new is the last one, wherever it leads: else a list could go round for ever.
    url = entries.size === before ? undefined : nextPage(header(answer, 'link'), new URL(url, registry.origin))
  }
  return [...entries].sort()
}

/** Followed on this registry only, whatever host it names. Source: distribution spec, listing tags; RFC 8288. */
export function nextPage(link: string | undefined, from: URL): string | undefined {
  const target = /<([^<>]*)>\s*;\s*rel="?next"?/i.exec(link ?? '')?.[1]
  const next = target === undefined ? null : URL.parse(target, from.href)
  return next === null || next.search === '' ? undefined : `${next.pathname}${next.search}`
}
