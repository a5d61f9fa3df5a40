import {compileSchema} from '../../codecs/json/validator.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {parseDocument} from '../shared/json-document.js'
import {header} from './http.js'
import type {Registry} from './registry.js'

/** Far more than any repository is listed with: each tag costs at least two requests. */
const MAX_TAGS = 100_000
/** A registry may give fewer tags a page than it is asked for, down to one. */
const MAX_PAGES = 10_000

const TITLE = 'the list of tags'

const validateTags = compileSchema<{readonly tags?: readonly string[] | null}>({
  type: 'object',
  properties: {tags: {type: 'array', nullable: true, items: {type: 'string'}}},
})

/** All tags of a repository, sorted. Throws `LIMIT_EXCEEDED` rather than give fewer; `MANIFEST_INVALID`. */
export async function readTags(registry: Registry, {signal}: WorkOptions): Promise<readonly string[]> {
  const tags = new Set<string>()
  let url: string | undefined = registry.path('tags/list?n=100')
  for (let pages = 0; url !== undefined; pages++) {
    if (pages >= MAX_PAGES) throw tooMany(registry, `Its list has more than ${MAX_PAGES} pages.`)
    const scopes = [registry.pullScope]
    const {answer, bytes} = await registry.read({method: 'GET', url, what: TITLE, scopes, takes: [200], signal})
    const page = parseDocument(bytes, {title: TITLE, validate: validateTags, code: 'MANIFEST_INVALID'})
    const before = tags.size
    for (const tag of page.tags ?? []) tags.add(tag)
    if (tags.size > MAX_TAGS) throw tooMany(registry, `It has more than ${MAX_TAGS} tags.`)
    // A page that brings nothing new is the last one, wherever it leads: else a list could go round for ever.
    url = tags.size === before ? undefined : nextPage(header(answer, 'link'), new URL(url, registry.origin))
  }
  return [...tags].sort()
}

/** Followed on this registry only, whatever host it names. Source: distribution spec, listing tags; RFC 8288. */
function nextPage(link: string | undefined, from: URL): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(link ?? '')?.[1]
  const next = target === undefined ? null : URL.parse(target, from.href)
  return next === null || next.search === '' ? undefined : `${next.pathname}${next.search}`
}

function tooMany({place}: Registry, why: string): InputError {
  return new InputError('LIMIT_EXCEEDED', {
    what: `${place.host}/${place.repository} has too many tags to be listed.`,
    why,
    suggestions: ['Name the tag: docker://HOST/NAME:TAG.'],
  })
}
