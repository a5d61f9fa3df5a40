import assert from 'node:assert/strict'
import {randomBytes} from 'node:crypto'
import {cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import type {BatchReport} from '../../src/batch/batch-report.js'
import {list} from '../../src/convert/list.js'
import {verify} from '../../src/convert/verify.js'
import {makeCertificate} from '../helpers/distribution.js'
import {startRedis, type RedisServer} from '../helpers/redis-server.js'
import {fileOf, saveImage} from '../helpers/layer-archives.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {startCli, type RunningCli} from '../helpers/start-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {testsAtOnce} from '../helpers/tests-at-once.js'
import {requireTool} from '../helpers/tools.js'

const LOST_AFTER = ['--lost-after', '2']

describe('a batch on the workers of a queue', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  let redis: RedisServer
  let plans = 0
  const running: RunningCli[] = []

  before(async function () {
    redis = await startRedis(this)
  })

  afterEach(async () => {
    for (const {child} of running) child.kill('SIGKILL')
    await Promise.all(running.map(({ended}) => ended))
    running.length = 0
  })

  after(async () => {
    await redis.close()
  })

  const start = (args: readonly string[]) => {
    const cli = startCli(args)
    running.push(cli)
    return cli
  }
  const startWorker = (queue: string, ...more: readonly string[]) =>
    start(['batch', 'worker', '--queue', queue, '--concurrency', '1', '--verbose', ...LOST_AFTER, ...more])
  const queueOf = (name: string) => `${redis.url}?name=${name}`

  /** A plan of items in a folder of its own. */
  const writePlan = (items: readonly object[]) => {
    const own = path.join(folder.path, `plan-${plans++}`)
    cpSync('samples/shop.tar', path.join(own, 'shop.tar'))
    const plan = path.join(own, 'plan.json')
    writeFileSync(plan, JSON.stringify({items}))
    return {own, plan}
  }
  const verifyAll = async (own: string, destinations: readonly string[]) => {
    for (const destination of destinations) {
      const {faults} = await verify(destination.replace(':', `:${own}/`))
      assert.deepEqual(faults, [], destination)
    }
  }

  it('brings 60 items to their end, each once, with one of three workers killed in the middle', async () => {
    const archives = Array.from({length: 55}, (_, index) => ({
      id: `archive-${index}`,
      source: 'docker-archive:large.tar',
      destination: `oci:out/${index}`,
      options: {compression: 'gzip:6'},
    }))
    const packages = [
      {id: 'packages', source: 'docker-archive:shop.tar', destination: 'inbox:made', options: {layers: 'chain'}},
      {id: 'again', source: 'inbox:made:CN=contoso_shop_1.2.0.0', destination: 'docker-archive:out/again.tar'},
      // Three packages, each after those it depends on, into one repository.
      {id: 'copies', source: 'inbox:repository', destination: 'inbox:copies'},
    ]
    const {own, plan} = writePlan([...packages, ...archives])
    cpSync('samples/repository', path.join(own, 'repository'), {recursive: true})
    await saveImage(path.join(own, 'large.tar'), [[fileOf('Files/large.bin', randomBytes(6 * 2 ** 20))]])
    const queue = queueOf('killed')
    const [first, ...others] = [startWorker(queue), startWorker(queue), startWorker(queue)]
    const run = {isOver: false}
    let inHand: string | undefined
    const killing = (async () => {
      for (;;) {
        const lines = first.said().split('\n')
        const ended = lines.filter((line) => line.startsWith('[')).length
        inHand = /^(archive-\d+): begun$/.exec(lines.at(-2) ?? '')?.[1]
        if (ended >= 2 && inHand !== undefined) break
        if (run.isOver) throw new Error(`the worker was never seen at work: ${first.said()}`)
        await delay(2)
      }
      first.child.kill('SIGKILL')
    })()
    const {code, json, stderr} = await runJson(['batch', plan, '--queue', queue])
    run.isOver = true
    assert.ok(code === 0, stderr + JSON.stringify(json).slice(0, 2000))
    await killing
    assert.equal(await first.ended, 'SIGKILL')
    await assertSchema('batch', json)
    const {totals, items} = json as BatchReport
    assert.deepEqual([totals.items, totals.converted, totals.failed], [60, 60, 0])
    assert.ok(
      items.some(({attempts}) => attempts > 1),
      `the unit that the killed worker had in its hands was begun again: ${String(inHand)}`,
    )
    for (const worker of others) assert.ok(worker.said().includes('converted'), 'every worker had its share')

    assert.deepEqual(
      readdirSync(path.join(own, 'out')).sort(),
      [...archives.map((_, index) => String(index)), 'again.tar'].sort(),
      'nothing half-written is left',
    )
    const {items: rows} = await list(`inbox:${path.join(own, 'copies')}`)
    assert.equal(new Set(rows.map(({identity}) => identity)).size, 3)
    assert.equal(rows.length, 3)
    await verifyAll(own, [
      'inbox:made',
      'inbox:copies',
      'docker-archive:out/again.tar',
      ...archives.map((item) => item.destination),
    ])

    const again = await runJson(['batch', plan, '--queue', queue])
    const {totals: second} = again.json as BatchReport
    assert.deepEqual([again.code, second.alreadyDone, second.converted], [0, 60, 0])
  })

  it('attaches to what was put there before, whether by --detach or by a run that was killed', async () => {
    const items = ['a', 'b', 'c'].map((id) => ({id, source: 'docker-archive:shop.tar', destination: `oci:out/${id}`}))
    const last = {id: 'd', source: 'oci:out/c', destination: 'docker-archive:out/d.tar', after: ['a']}
    const {own, plan} = writePlan([...items, last])
    const queue = queueOf('attach')
    const detached = await runJson(['batch', plan, '--queue', queue, '--detach'])
    assert.equal(detached.code, 0, detached.stderr)
    await assertSchema('batch-enqueued', detached.json)
    const {added, attached} = detached.json as {added: number; attached: number}
    assert.deepEqual([added, attached], [4, 0])
    const twice = await runJson(['batch', plan, '--queue', queue, '--detach'])
    assert.deepEqual((twice.json as {added: number; attached: number}).added, 0)

    const killed = start(['batch', plan, '--queue', queue])
    while (!killed.said().includes('4 items')) await delay(20)
    await delay(200)
    killed.child.kill('SIGKILL')
    await killed.ended
    const worker = await runJson(['batch', 'worker', '--queue', queue, '--until-empty', ...LOST_AFTER])
    assert.equal(worker.code, 0, worker.stderr)
    await assertSchema('batch-worker', worker.json)
    assert.equal((worker.json as {converted: number}).converted, 4)
    const {code, json, stderr} = await runJson(['batch', plan, '--queue', queue])
    assert.equal(code, 0, stderr)
    assert.equal((json as BatchReport).totals.converted, 4, 'the results were kept for who asks later')
    await verifyAll(own, [...items.map(({destination}) => destination), 'docker-archive:out/d.tar'])

    rmSync(path.join(own, 'out', 'b'), {recursive: true})
    startWorker(queue)
    const repaired = await runJson(['batch', plan, '--queue', queue])
    const {totals} = repaired.json as BatchReport
    assert.deepEqual([repaired.code, totals.converted, totals.alreadyDone], [0, 1, 3])
  })

  it('leaves one correct result of a unit that is done twice', async () => {
    const {own, plan} = writePlan([
      {source: 'docker-archive:shop.tar', destination: 'oci:out/one'},
      {source: 'docker-archive:shop.tar', destination: 'inbox:repository', options: {layers: 'chain'}},
    ])
    // Two queues know nothing of each other, and neither of what the other did.
    for (const name of ['twice-1', 'twice-2']) {
      rmSync(`${plan}.journal`, {force: true})
      startWorker(queueOf(name))
      const {json} = await runJson(['batch', plan, '--queue', queueOf(name)])
      const [image, packages] = (json as BatchReport).items
      if (name === 'twice-1') assert.equal(image?.state, 'converted')
      // What is there and not known as its own is never written over.
      else assert.match(String(image?.failure?.code ?? image?.state), /DESTINATION_EXISTS|converted/)
      assert.equal(packages?.state, 'converted')
    }
    await verifyAll(own, ['oci:out/one', 'inbox:repository'])
  })

  it('tells failures, leaves out what needs them, and tries again the next time', async () => {
    const {own, plan} = writePlan([
      {id: 'bad', source: 'docker-archive:bad.tar', destination: 'oci:out/bad'},
      {id: 'next', source: 'docker-archive:shop.tar', destination: 'oci:out/next', after: 'bad'},
      {id: 'good', source: 'docker-archive:shop.tar', destination: 'oci:out/good'},
    ])
    const shop = path.join(own, 'shop.tar')
    writeFileSync(path.join(own, 'bad.tar'), readFileSync(shop).fill(0xaa, 20_000, 20_016))
    const queue = queueOf('failing')
    startWorker(queue)
    const {code, json} = await runJson(['batch', plan, '--queue', queue])
    await assertSchema('batch', json)
    assert.deepEqual(
      (json as BatchReport).items.map(({id, state}) => `${id} ${state}`),
      ['bad failed', 'next blocked', 'good converted'],
    )
    assert.equal(code, 1)
    assert.match((json as BatchReport).items[0]?.failure?.code ?? '', /_CORRUPT$|DIGEST_MISMATCH/)
    const again = (await runJson(['batch', plan, '--queue', queue])).json as BatchReport
    assert.deepEqual(
      again.items.map(({state}) => state),
      ['failed', 'blocked', 'already-done'],
    )
  })

  it('gives back what a worker that is stopped has in its hands, and takes back what waits on Ctrl-C', async () => {
    const {own, plan} = writePlan([
      {id: 'large', source: 'docker-archive:large.tar', destination: 'oci:out/large', options: {compression: 'gzip:9'}},
      {id: 'after', source: 'docker-archive:shop.tar', destination: 'oci:out/after', after: 'large'},
    ])
    await saveImage(path.join(own, 'large.tar'), [[fileOf('Files/large.bin', randomBytes(48 * 2 ** 20))]])
    const queue = queueOf('stopped')
    const batch = start(['batch', plan, '--queue', queue])
    const worker = startWorker(queue)
    while (!worker.said().includes('large: begun')) await delay(5)
    worker.child.kill('SIGTERM')
    assert.equal(await worker.ended, 0, worker.said())
    assert.match(worker.said(), /1 given back/)
    assert.ok(!existsSync(path.join(own, 'out', 'large', 'index.json')))
    batch.child.kill('SIGINT')
    assert.equal(await batch.ended, 130, batch.said())
    assert.match(batch.said(), /2 not started/)
    const empty = await runJson(['batch', 'worker', '--queue', queue, '--until-empty', ...LOST_AFTER])
    assert.equal((empty.json as {converted: number}).converted, 0)
    startWorker(queue)
    const {code, json} = await runJson(['batch', plan, '--queue', queue])
    assert.deepEqual([code, (json as BatchReport).totals.converted], [0, 2])
    await verifyAll(own, ['oci:out/large', 'oci:out/after'])
  })

  it('finds the files below another folder with --root, and refuses a machine that does not see them', async () => {
    const {own, plan} = writePlan([
      {id: 'relative', source: 'docker-archive:shop.tar', destination: 'oci:out/one'},
      {id: 'absolute', source: `docker-archive:${folder.path}/plan-${plans}/shop.tar`, destination: 'oci:out/two'},
    ])
    const queue = queueOf('rooted')
    const elsewhere = path.join(folder.path, 'elsewhere')
    symlinkSync(own, elsewhere)
    const unfit = startWorker(queue, '--root', '/nowhere')
    const detached = await runJson(['batch', plan, '--queue', queue, '--root', own, '--detach'])
    assert.equal(detached.code, 0, detached.stderr)
    assert.equal(await unfit.ended, 4)
    assert.match(unfit.said(), /cannot see the folder/)
    const {json} = await runJson(['batch', 'worker', '--queue', queue, '--root', elsewhere, '--until-empty'])
    assert.equal((json as {converted: number}).converted, 2)
    const {code, json: report, stdout} = await runJson(['batch', plan, '--queue', queue, '--root', own])
    assert.equal(code, 0)
    await verifyAll(own, ['oci:out/one', 'oci:out/two'])
    for (const told of [stdout.toString(), readFileSync(`${plan}.journal`, 'utf8')])
      assert.ok(!told.includes(elsewhere), told)
    const results = (report as BatchReport).items.flatMap(({result}) => result ?? [])
    assert.deepEqual(
      results.map(({source, destination, artifacts}) => [source, destination, artifacts[0]?.reference]),
      ['one', 'two'].map((name) => [
        `docker-archive:${own}/shop.tar`,
        `oci:${own}/out/${name}`,
        `oci:${own}/out/${name}:1.2.0`,
      ]),
    )
    const again = await runJson(['batch', plan, '--verify'])
    assert.equal((again.json as BatchReport).totals.alreadyDone, 2)
  })

  it('tells of what failed by the names of the plan, not those of the worker', async () => {
    const {own, plan} = writePlan([
      {id: 'bad', source: 'docker-archive:bad.tar', destination: 'oci:out/bad'},
      {id: 'taken', source: 'docker-archive:shop.tar', destination: 'docker-archive:taken.tar'},
    ])
    writeFileSync(path.join(own, 'taken.tar'), 'taken')
    const shop = readFileSync(path.join(own, 'shop.tar'))
    writeFileSync(path.join(own, 'bad.tar'), shop.fill(0xaa, 20_000, 20_016))
    const queue = queueOf('told')
    const elsewhere = path.join(folder.path, 'told-elsewhere')
    symlinkSync(own, elsewhere)
    startWorker(queue, '--root', elsewhere)
    const {code, json} = await runJson(['batch', 'plan.json', '--queue', queue, '--root', '.'], {cwd: own})
    assert.equal(code, 1)
    const told = (json as BatchReport).items.map(({failure}) => failure?.what ?? '')
    assert.match(told[0] ?? '', /docker-archive:bad\.tar/)
    assert.match(told[1] ?? '', /'taken\.tar/)
    assert.ok(!told.join().includes(elsewhere) && !readFileSync(`${plan}.journal`, 'utf8').includes(elsewhere))
  })

  it('ends with 4 at once without a server or with a wrong password, which it never shows', async function () {
    const {plan} = writePlan([{source: 'docker-archive:shop.tar', destination: 'oci:out/one'}])
    const locked = await startRedis(this, {password: 'c0rrect'})
    try {
      const wrong = `redis://:s3cret@127.0.0.1:${locked.port}`
      const queues = [
        ['redis://:s3cret@127.0.0.1:1', 'NETWORK_FAILED'],
        [wrong, 'UNAUTHORIZED'],
        [`redis://127.0.0.1:${locked.port}`, 'UNAUTHORIZED'],
      ] as const
      const checks = queues.map(async ([queue, code]) => {
        const check = async (args: readonly string[]) => {
          const result = await runCli(args)
          assert.equal(result.code, 4, result.stderr)
          assert.match(result.stderr, new RegExp(`Code: {2}${code}`))
          assert.ok(!result.stderr.includes('s3cret'), result.stderr)
          // As JSON the process ends by itself, not by oclif: nothing may fail behind.
          const {code: exit, json, stderr} = await runJson(args)
          assert.deepEqual([exit, (json as {error: {code: string}}).error.code, stderr], [4, code, ''])
        }
        await Promise.all([
          check(['batch', plan, '--queue', queue, '--verbose']),
          check(['batch', 'worker', '--queue', queue, '--verbose']),
        ])
      })
      await Promise.all(checks)
      const env = {TRANSSHIP_QUEUE_PASSWORD: 'c0rrect'}
      const args = ['batch', plan, '--queue', `redis://127.0.0.1:${locked.port}`, '--detach']
      const right = await runCli(args, {env})
      assert.equal(right.code, 0, right.stderr)
      assert.ok(!(right.stdout.toString() + right.stderr).includes('c0rrect'))
    } finally {
      await locked.close()
    }
  })

  for (const {more, note} of [
    {more: ['--until-empty'], note: 'as text'},
    {more: ['--json'], note: 'with --json, and nothing of it on stdout'},
  ])
    it(`tells ${note} that the server has gone away, and is ended by Ctrl-C all the same`, async function () {
      const server = await startRedis(this)
      try {
        const {own, plan} = writePlan([
          {id: 'large', source: 'docker-archive:large.tar', destination: 'oci:large', options: {compression: 'gzip:9'}},
          {id: 'after', source: 'docker-archive:shop.tar', destination: 'oci:after', after: 'large'},
        ])
        await saveImage(path.join(own, 'large.tar'), [[fileOf('Files/large.bin', randomBytes(160 * 2 ** 20))]])
        assert.equal((await runCli(['batch', plan, '--queue', server.url, '--detach'])).code, 0)
        const worker = startWorker(server.url, ...more)
        const batch = start(['batch', plan, '--queue', server.url, '--verbose'])
        while (!batch.said().includes('large: begun')) await delay(5)
        await server.close()
        const all = [batch, worker]
        while (!all.every(({said}) => said().includes(' does not answer. transship waits'))) await delay(20)
        for (const {child} of all) child.kill('SIGINT')
        const said = () => all.map((each) => each.said()).join('\n')
        assert.deepEqual(await Promise.all(all.map(({ended}) => ended)), [130, 0], said())
        for (const {said: own} of all) assert.equal(own().split(' does not answer. transship waits').length, 2, said())
        if (more.includes('--json')) assert.equal((JSON.parse(worker.out()) as {converted: number}).converted, 0)
        assert.deepEqual(readdirSync(own).sort(), ['large.tar', 'plan.json', 'plan.json.journal', 'shop.tar'])
      } finally {
        await server.close()
      }
    })

  it('goes on when the server is back', async function () {
    const server = await startRedis(this)
    const again: RedisServer[] = []
    try {
      const shop = {source: 'docker-archive:shop.tar', destination: 'oci:out/one'}
      const waiting = start(['batch', 'worker', '--queue', server.url, ...LOST_AFTER])
      const probe = start(['batch', writePlan([shop]).plan, '--queue', server.url])
      assert.equal(await probe.ended, 0, probe.said())
      await server.close()
      while (!waiting.said().includes(' does not answer. transship waits')) await delay(20)
      again.push(await startRedis(this, {port: server.port}))
      while (!waiting.said().includes(' is back.')) await delay(20)
      const other = start(['batch', writePlan([shop]).plan, '--queue', server.url])
      assert.equal(await other.ended, 0, other.said() + waiting.said())
    } finally {
      for (const each of [server, ...again]) await each.close()
    }
  })

  describe('over TLS', () => {
    // What a URL has to escape, and what has a meaning in one.
    const user = {name: 'us@er', password: 'p/:#@% c0rrect'}
    const login = `${encodeURIComponent(user.name)}:${encodeURIComponent(user.password)}`
    const atOnce = testsAtOnce(4)
    let server: RedisServer
    let cert = ''

    before(async function () {
      requireTool(this, 'openssl')
      const made = makeCertificate(folder.path)
      cert = made.cert
      server = await startRedis(this, {tls: made, user})
    })
    after(() => server.close())

    const urlOf = (more: {readonly login?: string; readonly host?: string; readonly name?: string} = {}) =>
      `rediss://${more.login ?? login}@${more.host ?? '127.0.0.1'}:${server.port}?name=${more.name ?? 'tls'}`

    it('converts with a private authority that NODE_EXTRA_CA_CERTS names, for a user with a password', async () => {
      const {own, plan} = writePlan([{source: 'docker-archive:shop.tar', destination: 'oci:out/one'}])
      const env = {NODE_EXTRA_CA_CERTS: cert}
      const batch = startCli(['batch', plan, '--queue', urlOf()], env)
      const worker = startCli(['batch', 'worker', '--queue', urlOf(), '--verbose'], env)
      running.push(batch, worker)
      assert.equal(await batch.ended, 0, batch.said() + worker.said())
      await verifyAll(own, ['oci:out/one'])
      for (const said of [worker.said(), batch.said()]) {
        assert.ok(!said.includes('Warning'), said)
        assert.ok(!said.includes('c0rrect'), said)
      }
    })

    it('takes the password of a user from the environment as it is', async () => {
      const queue = urlOf({login: encodeURIComponent(user.name)})
      const env = {NODE_EXTRA_CA_CERTS: cert, TRANSSHIP_QUEUE_PASSWORD: user.password}
      const {code, stderr} = await runCli(['batch', 'worker', '--queue', queue, '--until-empty'], {env})
      assert.equal(code, 0, stderr)
    })

    for (const {title, url, trusted, code, what, suggestion} of [
      {
        title: 'a certificate that nobody trusts',
        url: () => urlOf(),
        trusted: false,
        code: 'NETWORK_FAILED',
        what: /certificate .* is not trusted/,
        suggestion: /NODE_EXTRA_CA_CERTS/,
      },
      {
        title: 'a certificate for another name',
        url: () => urlOf({host: 'localhost'}),
        trusted: true,
        code: 'NETWORK_FAILED',
        what: /certificate .* is for another name/,
        suggestion: /from the certificate/,
      },
      {
        title: 'a wrong password',
        url: () => urlOf({login: `${encodeURIComponent(user.name)}:wr0ng`}),
        trusted: true,
        code: 'UNAUTHORIZED',
        what: /refused to let transship in/,
        suggestion: /%-escaped/,
      },
      {
        title: 'a URL without TLS',
        url: () => urlOf().replace('rediss:', 'redis:'),
        trusted: true,
        code: 'NETWORK_FAILED',
        what: /cannot use the queue server/,
        suggestion: /rediss:\/\/ for TLS/,
      },
    ])
      atOnce(`ends with 4 at once, and says why: ${title}`, async () => {
        const env = trusted ? {NODE_EXTRA_CA_CERTS: cert} : {}
        const result = await runJson(['batch', 'worker', '--queue', url()], {env})
        assert.equal(result.code, 4)
        await assertSchema('error', result.json)
        const {error} = result.json as {error: {code: string; what: string; suggestions: readonly string[]}}
        assert.equal(error.code, code)
        assert.match(error.what, what)
        assert.match(error.suggestions.join(' '), suggestion)
        assert.ok(!/c0rrect|wr0ng/.test(result.stdout.toString() + result.stderr))
      })
  })
})
