import {compileSchema} from '../../codecs/json/validator.js'
import {EnvironmentError, InputError, TransshipError} from '../../model/errors.js'
import type {WorkOptions} from '../../model/events.js'
import {findTaggedName} from '../../formats/image-documents/image-name.js'
import {parseDocument} from '../../codecs/json/json-document.js'
import type {ListItem} from '../../model/transport.js'
import {readPages} from './pages.js'
import {formatLocation, NAME, type RepositoryPlace} from './reference.js'
import {Registry, type RegistryOptions} from './registry.js'

/*
 * The repositories of an image registry. Source: distribution docs/content/spec/api.md, "Listing Repositories"; not in
 * the OCI distribution spec, so many have no such list.
 */

const MAX_REPOSITORIES = 100_000
const TITLE = 'the list of repositories'
/** What the token for the list is asked for with. Source: distribution docs/content/spec/auth/scope.md. */
const SCOPE = 'registry:catalog:*'
/** Answers of registries that have no such list. */
const WITHOUT = [400, 404, 405, 410, 501]

const validateCatalogue = compileSchema<{readonly repositories?: readonly string[] | null}>({
  type: 'object',
  properties: {repositories: {type: 'array', nullable: true, items: {type: 'string'}}},
})

/** A row for each repository. Throws `NOT_FOUND` where the registry does not list them, `UNAUTHORIZED`, `LIMIT_EXCEEDED`. */
export async function listRepositories(place: RepositoryPlace, options: RegistryOptions): Promise<readonly ListItem[]> {
  const {host} = place
  // It has none, and need not be asked.
  if (host === 'docker.io') throw withoutList(host, 'Docker Hub does not list its repositories.')
  const registry = await Registry.connect(place, options)
  try {
    const names = await readNames(registry, options)
    const rows: ListItem[] = []
    for (const name of names) {
      const full = `${host}/${name}`
      if (findTaggedName(`${full}:latest`) === undefined) tellLeftOut(name, host, options)
      else
        rows.push({
          kind: 'repository',
          reference: formatLocation({transport: NAME, path: `//${full}`}),
          names: [full],
        })
    }
    return rows
  } finally {
    await registry.close()
  }
}

async function readNames(registry: Registry, {signal}: WorkOptions): Promise<readonly string[]> {
  const {host} = registry.place
  try {
    return await readPages(registry, {
      url: '/v2/_catalog?n=1000',
      read: async (url) => {
        const exchange = {method: 'GET', url, what: TITLE, scopes: [SCOPE], takes: [200, ...WITHOUT], signal} as const
        const read = await registry.read(exchange)
        const status = read.answer.statusCode
        if (status !== 200) throw withoutList(host, `It answered ${status}: it does not list its repositories.`)
        return read
      },
      parse: (bytes) =>
        parseDocument(bytes, {title: TITLE, validate: validateCatalogue, code: 'MANIFEST_INVALID'}).repositories ?? [],
      maxEntries: MAX_REPOSITORIES,
      tooMany: (why) => new InputError('LIMIT_EXCEEDED', {what: `${host} has too many repositories to list.`, why}),
    })
  } catch (error) {
    if (!(error instanceof TransshipError) || error.code !== 'UNAUTHORIZED') throw error
    throw new EnvironmentError('UNAUTHORIZED', {
      what: `${host} denied access to ${TITLE}.`,
      ...(error.why === undefined ? {} : {why: error.why}),
      suggestions: [`Log in first: docker login ${host}`, nameOne(host)],
      cause: error,
    })
  }
}

function nameOne(host: string): string {
  return `Or name a repository: transship list docker://${host}/NAME`
}

function withoutList(host: string, why: string): InputError {
  return new InputError('NOT_FOUND', {
    what: `transship cannot list the repositories of ${host}.`,
    why,
    suggestions: [nameOne(host).replace('Or name', 'Name')],
    at: {reference: `${NAME}://${host}/`},
  })
}

function tellLeftOut(name: string, host: string, {onEvent}: WorkOptions): void {
  const shown = name.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
  onEvent?.({
    kind: 'note',
    code: 'repository-left-out',
    message: `Left out: '${shown}' is not a valid repository name.`,
    subject: `${NAME}://${host}/`,
  })
}
