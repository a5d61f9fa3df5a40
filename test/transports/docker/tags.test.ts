import assert from 'node:assert/strict'
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {parse} from 'yaml'
import {convert, list} from '../../../src/index.js'
import {classicMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {startMemoryRegistry, type Meddle, type MemoryRegistry} from '../../helpers/memory-registry.js'
import {runCli, runJson} from '../../helpers/run-cli.js'
import {assertSchema} from '../../helpers/schemas.js'
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
    const {items, notes} = await list(await serving(paged(tags, 100)))
    assert.deepEqual(
      items.map(({reference}) => reference.slice(reference.lastIndexOf(':') + 1)),
      tags,
    )
    assert.deepEqual(notes, [])
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

  describe('of which some cannot be read', () => {
    const BAD: Readonly<Record<string, {readonly status: number; readonly type: string; readonly body: string}>> = {
      gone: {status: 404, type: 'application/json', body: '{"errors": []}'},
      schema1: {
        status: 200,
        type: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
        body: '{"schemaVersion": 1, "name": "app", "tag": "schema1"}',
      },
      torn: {status: 200, type: 'application/vnd.oci.image.manifest.v1+json', body: '{"schemaVersion": 2, "conf'},
    }
    const tags = ['1', ...Object.keys(BAD)]
    const bad: Meddle = (request, response) => {
      const answer = BAD[/\/manifests\/(\w+)$/.exec(request.url ?? '')?.[1] ?? '']
      if (answer === undefined) return false
      response.writeHead(answer.status, {'content-type': answer.type}).end(answer.body)
      return true
    }

    it('are listed without those, which are told with the reason', async () => {
      const repository = await serving(() => ({tags}), bad)
      const told: string[] = []
      const {items, notes} = await list(repository, {
        onEvent: (event) => {
          if (event.kind === 'note') told.push(event.subject)
        },
      })
      assert.deepEqual(
        items.map(({reference}) => reference),
        [`${repository}:1`],
      )
      assert.deepEqual(
        notes.map(({code, subject}) => [code, subject]),
        ['gone', 'schema1', 'torn'].map((tag) => ['tag-left-out', `${repository}:${tag}`]),
      )
      assert.deepEqual(
        told,
        notes.map(({subject}) => subject),
      )
      const reasons = [/does not have 'gone'/, /format of 2014/, /is not JSON/]
      for (const [index, reason] of reasons.entries()) assert.match(notes[index]?.message ?? '', reason)
    })

    it('are refused when they are asked for', async () => {
      const repository = await serving(() => ({tags}), bad)
      for (const [tag, code] of [
        ['gone', 'NOT_FOUND'],
        ['schema1', 'FORMAT_UNSUPPORTED'],
        ['torn', 'MANIFEST_INVALID'],
      ] as const)
        await assert.rejects(list(`${repository}:${tag}`), {code, exitCode: 3}, tag)
    })

    for (const [title, status, code] of [
      ['access', 403, 'UNAUTHORIZED'],
      ['the registry', 400, 'NETWORK_FAILED'],
    ] as const)
      it(`are not passed over when ${title} fails`, async () => {
        const repository = await serving(
          () => ({tags}),
          (request, response) => {
            if (!(request.url ?? '').endsWith('/manifests/torn')) return bad(request, response)
            response.writeHead(status).end('{}')
            return true
          },
        )
        await assert.rejects(list(repository), {code, exitCode: 4})
      })

    it('are seen by who asks on the command line, for JSON, for a plan, and runs one', async () => {
      const repository = await serving(() => ({tags}), bad)
      const listed = await runJson(['list', repository])
      assert.equal(listed.code, 0, listed.stderr)
      await assertSchema('list', listed.json)
      assert.equal((listed.json as {notes: unknown[]}).notes.length, 3)
      const shown = await runCli(['list', repository])
      for (const tag of ['gone', 'schema1', 'torn']) assert.ok(shown.stderr.includes(`${repository}:${tag}`), tag)
      const planned = await runCli(['batch', 'plan', repository, `oci:${folder.path}/out:{tag}`])
      assert.equal(planned.code, 0, planned.stderr)
      const yaml = planned.stdout.toString('utf8')
      assert.match(yaml, /^# docker:.*:torn: Left out\./m)
      assert.equal((parse(yaml) as {items: unknown[]}).items.length, 1)
      const plan = path.join(folder.path, 'plan.yaml')
      writeFileSync(plan, JSON.stringify({version: 1, items: [{source: repository, destination: 'oci:made:{tag}'}]}))
      for (const args of [['--dry-run'], []]) {
        const ran = await runCli(['batch', plan, ...args])
        assert.equal(ran.code, 0, ran.stderr)
        for (const tag of ['gone', 'schema1', 'torn']) assert.ok(ran.stderr.includes(`${repository}:${tag}`), tag)
      }
      assert.match(readFileSync(path.join(folder.path, 'made', 'index.json'), 'utf8'), /manifests/)
    }).timeout(60_000)
  })
})
