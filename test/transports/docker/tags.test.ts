import assert from 'node:assert/strict'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, list} from '../../../src/index.js'
import {classicMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {startMemoryRegistry, type Meddle, type MemoryRegistry} from '../../helpers/memory-registry.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

type Page = {readonly tags: readonly string[] | null; readonly next?: string}

/** The tags as pages, each found by the last tag of the one before. */
function paged(tags: readonly string[], size: number): (last: string | null) => Page {
  return (last) => {
    const from = last === null ? 0 : tags.indexOf(last) + 1
    const page = tags.slice(from, from + size)
    const end = page.at(-1)
    return {tags: page, ...(from + size < tags.length && end !== undefined ? {next: `?last=${end}&n=${size}`} : {})}
  }
}

describe('the tags of a repository', () => {
  const folder = temporaryFolder()
  let source = ''
  let registry: MemoryRegistry | undefined

  before(async () => {
    const parts = partsOf([await tarOf([['etc/os', 'x'.repeat(500)]])], {os: 'linux'})
    source = `docker-archive:${path.join(folder.path, 'image.tar')}`
    writeFileSync(source.slice(15), await tarOf(classicMembers(parts)))
  })

  afterEach(async () => {
    await registry?.stop()
  })

  /** A registry with the image under `app:1`, which all tags that are listed lead to unless `meddle` answers. */
  async function serving(pageAfter: (last: string | null) => Page, meddle: Meddle = () => false): Promise<string> {
    registry = await startMemoryRegistry(async (request, response) => {
      if (await meddle(request, response)) return true
      const {pathname, searchParams} = new URL(request.url ?? '', 'http://x')
      if (pathname.endsWith('/tags/list')) {
        const {tags, next} = pageAfter(searchParams.get('last'))
        const link = next === undefined ? {} : {link: `<${pathname}${next}>; rel="next"`}
        response.writeHead(200, link).end(JSON.stringify({name: 'app', tags}))
        return true
      }
      const held = registry?.manifests.get('app:1')
      if (request.method !== 'GET' || !/\/manifests\/t\d+$/.test(pathname) || held === undefined) return false
      response.writeHead(200, {'content-type': held.type}).end(held.bytes)
      return true
    })
    const repository = `docker://${registry.host}/app`
    await convert(source, `${repository}:1`)
    return repository
  }

  it('are all listed, however many there are', async () => {
    const tags = Array.from({length: 1234}, (_, index) => `t${String(index).padStart(4, '0')}`)
    const {items} = await list(await serving(paged(tags, 100)))
    assert.deepEqual(
      items.map(({reference}) => reference.slice(reference.lastIndexOf(':') + 1)),
      tags,
    )
  }).timeout(120_000)

  for (const [title, page, tags] of [
    ['no tags', () => ({tags: null, next: '?last=x'}), []],
    ['the same tags', () => ({tags: ['t1'], next: '?last=t1'}), ['t1']],
    ['empty pages', (last) => ({tags: last === null ? ['t1', 't2'] : [], next: '?last=t2'}), ['t1', 't2']],
  ] as const satisfies readonly (readonly [string, (last: string | null) => Page, readonly string[]])[])
    it(`end where a registry goes on for ever with ${title}`, async () => {
      const {items} = await list(await serving(page))
      assert.deepEqual(
        items.map(({reference}) => reference.slice(reference.lastIndexOf(':') + 1)),
        tags,
      )
    }).timeout(20_000)

  for (const [title, size] of [
    ['tags', 50_001],
    ['pages', 1],
  ] as const)
    it(`are refused, and not cut off, when there are too many ${title}`, async () => {
      let count = 0
      const more = () => ({tags: Array.from({length: size}, () => `t${count++}`), next: `?last=t${count}`})
      await assert.rejects(list(await serving(more)), {code: 'LIMIT_EXCEEDED', exitCode: 3})
    }).timeout(120_000)
})
