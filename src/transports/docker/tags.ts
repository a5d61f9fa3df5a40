import {compileSchema} from '../../codecs/json/validator.js'
import {InputError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {parseDocument} from '../../codecs/json/json-document.js'
import {readPages} from './pages.js'
import type {Registry} from './registry.js'

/** Far more than any repository is listed with: each tag costs at least two requests. */
const MAX_TAGS = 100_000

const TITLE = 'the list of tags'

const validateTags = compileSchema<{readonly tags?: readonly string[] | null}>({
  type: 'object',
  properties: {tags: {type: 'array', nullable: true, items: {type: 'string'}}},
})

/** All tags of a repository, sorted. Throws `LIMIT_EXCEEDED` rather than give fewer; `MANIFEST_INVALID`. */
export function readTags(registry: Registry, {signal}: WorkOptions): Promise<readonly string[]> {
  const {host, repository} = registry.place
  return readPages(registry, {
    url: registry.path('tags/list?n=100'),
    read: (url) => registry.read({method: 'GET', url, what: TITLE, scopes: [registry.pullScope], takes: [200], signal}),
    parse: (bytes) => parseDocument(bytes, {title: TITLE, validate: validateTags, code: 'MANIFEST_INVALID'}).tags ?? [],
    maxEntries: MAX_TAGS,
    tooMany: (why) =>
      new InputError('LIMIT_EXCEEDED', {
        what: `${host}/${repository} has too many tags to list.`,
        why,
        suggestions: ['Name a tag: docker://HOST/NAME:TAG'],
      }),
  })
}
