import assert from 'node:assert/strict'
import path from 'node:path'
import {planFromSource} from '../../../src/batch/plan-from-source.js'
import {convert, inspect, list, verify} from '../../../src/index.js'
import {docker} from '../../../src/transports/docker/docker.js'
import {startMemoryRegistry, type Meddle, type MemoryRegistry} from '../../helpers/memory-registry.js'
import {runCli} from '../../helpers/run-cli.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

describe('references to a registry alone', () => {
  for (const [text, host] of [
    ['//localhost:5000', 'localhost:5000'],
    ['//localhost:5000/', 'localhost:5000'],
    ['//localhost', 'localhost'],
    ['//localhost/', 'localhost'],
    ['//registry:5000', 'registry:5000'],
    ['//registry:5000/', 'registry:5000'],
    ['//registry.example', 'registry.example'],
    ['//registry.example:443', 'registry.example:443'],
    ['//Registry.Example:5000', 'Registry.Example:5000'],
    ['//10.0.0.1', '10.0.0.1'],
    ['//10.0.0.1:5000/', '10.0.0.1:5000'],
    ['//[::1]', '[::1]'],
    ['//[2001:db8::1]:5000', '[2001:db8::1]:5000'],
    ['//docker.io', 'docker.io'],
    ['//index.docker.io/', 'index.docker.io'],
  ] as const)
    it(`docker:${text} is the registry ${host}, for whom a name is missing`, async () => {
      const reference = docker.parse(text)
      assert.deepEqual(reference, {transport: 'docker', path: `//${host}/`})
      assert.deepEqual(docker.parse(docker.format(reference).slice('docker:'.length)), reference)
      for (const work of [docker.open(reference, {}), docker.verify(reference, {}), docker.create(reference, {})])
        await assert.rejects(work, (error: Error & {code: string; suggestions: string[]}) => {
          assert.equal(error.code, 'BAD_REFERENCE')
          assert.ok(error.suggestions.includes(`docker://${host}/NAME:TAG`), error.suggestions.join('\n'))
          return true
        })
    })

  for (const [text, path_, selector] of [
    ['//app', '//app', undefined],
    ['//debian:12', '//debian', '12'],
    ['//app:1', '//app', '1'],
    ['//app:20240923', '//app', '20240923'],
    ['//app:ltsc2022', '//app', 'ltsc2022'],
    ['//my.app:1.0', '//my.app', '1.0'],
    ['//ubuntu-12.04-base', '//ubuntu-12.04-base', undefined],
    ['//docker.io/library/app:5000', '//docker.io/library/app', '5000'],
    ['//localhost/app', '//localhost/app', undefined],
  ] as const)
    it(`docker:${text} is an image still`, () => {
      const reference = docker.parse(text)
      assert.deepEqual([reference.path, reference.selector], [path_, selector])
    })

  for (const text of [
    '//localhost:0',
    '//localhost:99999/',
    '//app/',
    '//a b/',
    '//-x.y/',
    '//[::1',
    '//[1:2]/',
    '///',
  ])
    it(`docker:${text} is neither`, () => {
      assert.throws(() => docker.parse(text), {code: 'BAD_REFERENCE'})
    })
})

describe('the repositories of an image registry', () => {
  const folder = temporaryFolder()
  let registry: MemoryRegistry
  /** Answers in place of the list. */
  let meddle: Meddle = () => false
  let made = 0

  const NAMES = ['one/app', 'two', 'three/a__b']
  const fresh = () => path.join(folder.path, `made-${made++}`)

  before(async () => {
    registry = await startMemoryRegistry((request, response) => meddle(request, response))
    meddle = pages(2)
    for (const name of NAMES) await convert('docker-archive:samples/shop.tar', `docker://${registry.host}/${name}:1`)
  })

  after(() => registry.stop())

  /** So many names a page, however many are asked for; the next one by a relative or a whole link. */
  function pages(size: number, names: readonly string[] = NAMES): Meddle {
    return (request, response) => {
      const url = new URL(request.url ?? '', `http://${registry.host}`)
      if (url.pathname !== '/v2/_catalog') return false
      const last = url.searchParams.get('last')
      const from = last === null ? 0 : names.indexOf(last) + 1
      const page = names.slice(from, from + size)
      const next = `/v2/_catalog?n=${size}&last=${encodeURIComponent(page.at(-1) ?? '')}`
      const link = from === 0 ? next : `${url.origin}${next}`
      if (from + size < names.length) response.setHeader('link', `<${link}>; rel="next"`)
      response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({repositories: page}))
      return true
    }
  }

  for (const size of [1, 2, 3, 100])
    it(`are listed, ${size} a page`, async () => {
      meddle = pages(size)
      const {items, reference, notes} = await list(`docker://${registry.host}`)
      assert.equal(reference, `docker://${registry.host}/`)
      assert.deepEqual(notes, [])
      assert.deepEqual(
        items,
        [...NAMES].sort().map((name) => ({
          kind: 'repository',
          reference: `docker://${registry.host}/${name}`,
          names: [`${registry.host}/${name}`],
        })),
      )
    })

  it('lead to their images: --all and plans', async () => {
    meddle = pages(2)
    const destination = `oci:${fresh()}`
    await convert(`docker://${registry.host}`, destination, {all: true})
    const names = (await list(destination)).items.flatMap((item) => item.names).sort()
    assert.deepEqual(names, NAMES.map((name) => `${registry.host}/${name}:1`).sort())
    const {plan} = await planFromSource(`docker://${registry.host}`, 'oci:{repository}', {folder: folder.path})
    assert.deepEqual(
      plan.items.map(({source}) => source),
      [...NAMES].sort().map((name) => `docker://${registry.host}/${name}:1`),
    )
  })

  it('that have no tags or no name hide none of the others', async () => {
    meddle = pages(2, [...NAMES, 'gone/empty', 'Not a name', '../x'])
    const {items, notes} = await list(`docker://${registry.host}`)
    assert.equal(items.length, 4)
    assert.deepEqual(
      notes.map(({code}) => code),
      ['repository-left-out', 'repository-left-out'],
    )
    const told = await list(`docker://${registry.host}`, {images: true})
    assert.equal(told.items.length, 3)
    assert.equal(told.notes.filter(({subject}) => subject.endsWith('gone/empty')).length, 1)
  })

  it('that go round for ever end', async () => {
    meddle = (request, response) => {
      if (request.url?.startsWith('/v2/_catalog') !== true) return false
      response.setHeader('link', '</v2/_catalog?last=x>; rel="next"')
      response.writeHead(200, {'content-type': 'application/json'}).end('{"repositories":["one/app"]}')
      return true
    }
    assert.equal((await list(`docker://${registry.host}`)).items.length, 1)
  })

  it('are none where the list is null or empty', async () => {
    for (const body of ['{"repositories":null}', '{"repositories":[]}', '{}']) {
      meddle = (request, response) => {
        if (request.url?.startsWith('/v2/_catalog') !== true) return false
        response.writeHead(200, {'content-type': 'application/json'}).end(body)
        return true
      }
      assert.deepEqual((await list(`docker://${registry.host}`)).items, [])
    }
  })

  for (const [status, code, exit] of [
    [404, 'NOT_FOUND', 3],
    [405, 'NOT_FOUND', 3],
    [501, 'NOT_FOUND', 3],
    [401, 'UNAUTHORIZED', 4],
    [403, 'UNAUTHORIZED', 4],
  ] as const)
    it(`cannot be listed where the registry answers ${status}, and it is told what to name`, async () => {
      meddle = (request, response) => {
        if (request.url?.startsWith('/v2/_catalog') !== true) return false
        response.writeHead(status).end()
        return true
      }
      const {code: exited, stderr} = await runCli(['list', `docker://${registry.host}`])
      assert.equal(exited, exit, stderr)
      assert.match(stderr, new RegExp(`docker://${registry.host}/NAME[^]*${code}`))
    })

  it('of Docker Hub cannot be listed, and it is not asked', async () => {
    const proxies = {https: 'http://127.0.0.1:1', http: 'http://127.0.0.1:1'}
    for (const reference of ['docker://docker.io', 'docker://index.docker.io/'])
      await assert.rejects(list(reference, {proxies}), {code: 'NOT_FOUND'})
  })

  it('are no images', async () => {
    for (const work of [inspect(`docker://${registry.host}`), verify(`docker://${registry.host}`)])
      await assert.rejects(work, {code: 'BAD_REFERENCE'})
    const {code, stderr} = await runCli(['convert', 'docker-archive:samples/shop.tar', `docker://${registry.host}`])
    assert.equal(code, 2)
    assert.match(stderr, /name of the repository is missing/)
  })
})
