import assert from 'node:assert/strict'
import {cpSync, mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gzipSync} from 'node:zlib'
import {parsePlan} from '../../src/batch/parse-plan.js'
import {placeKey} from '../../src/batch/place.js'
import {expandPlan} from '../../src/batch/expand.js'
import {prepareMigration} from '../../src/batch/migrate/prepare-migration.js'
import {runMigration} from '../../src/batch/migrate/run-migration.js'
import {planFromSource} from '../../src/batch/plan-from-source.js'
import {runBatch} from '../../src/batch/run-batch.js'
import {sharedUnit} from '../../src/batch/queue/unit-job.js'
import {unitOpening} from '../../src/batch/unit-options.js'
import {networkFlags} from '../../src/terminal/network-flags.js'
import {convertFlags} from '../../src/terminal/convert-flags.js'
import {classicMembers, partsOf, tarOf} from '../helpers/archives.js'
import {startServer} from '../helpers/distribution.js'
import {startMemoryRegistry} from '../helpers/memory-registry.js'
import {readSchemas} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

describe('the options of an item', () => {
  const folder = temporaryFolder()

  it('are the flags of convert, all of them', async () => {
    const schema = (await readSchemas()).find(({name}) => name === 'batch-plan')?.schema as {
      $defs: {options: {properties: object}}
    }
    const flags = [...new Set([...Object.keys(convertFlags), ...Object.keys(networkFlags)])]
    assert.deepEqual(Object.keys(schema.$defs.options.properties).sort(), flags.sort())
  })

  const machine = {tlsVerify: false, authFile: '/own/auth.json', engine: {host: 'tcp://own:1', certificates: '/own'}}
  for (const {options, expected, note} of [
    {options: {}, expected: machine, note: 'what a plan does not say is as on this machine'},
    {
      options: {authfile: 'auth.json', 'certs-dir': 'certs', 'docker-config': '/docker', 'tls-verify': true},
      expected: {
        ...machine,
        tlsVerify: true,
        authFile: path.join('plans', 'auth.json'),
        certsFolder: path.join('plans', 'certs'),
        dockerConfig: '/docker',
      },
      note: 'paths are relative to the plan',
    },
    {
      options: {engine: 'tcp://engine:2376', 'engine-certs': 'certs'},
      expected: {...machine, engine: {host: 'tcp://engine:2376', certificates: path.join('plans', 'certs')}},
      note: 'an engine with its certificates',
    },
    {
      options: {engine: 'unix:///run/engine.sock'},
      expected: {...machine, engine: {host: 'unix:///run/engine.sock'}},
      note: 'the certificates of one engine are not for another',
    },
    {options: {'engine-context': 'far'}, expected: {...machine, engine: {context: 'far'}}, note: 'a context of Docker'},
    {
      options: {'engine-certs': 'certs'},
      expected: {...machine, engine: {host: 'tcp://own:1', certificates: path.join('plans', 'certs')}},
      note: 'certificates for the engine of this machine',
    },
  ])
    it(`say how a network is reached: ${note}`, () => {
      assert.deepEqual(unitOpening(options, {folder: 'plans', network: machine}), expected)
    })

  it('bound what is unpacked in all that a plan does, and a plan made of a source keeps the bounds', async () => {
    const layer = await tarOf([
      ['Files/', ''],
      ['Files/zeros', Buffer.alloc(70 * 2 ** 20)],
    ])
    const archive = path.join(folder.path, 'zeros.tar.gz')
    writeFileSync(archive, gzipSync(await tarOf(classicMembers(partsOf([layer]))), {level: 9}))
    const source = `docker-archive:${archive}`
    const migration = {folder: folder.path, journal: path.join(folder.path, 'm.journal'), environment: {}}
    const batch = (name: string, item: object, maxRatio: number) => {
      const plan = path.join(folder.path, `${name}-${maxRatio}.json`)
      writeFileSync(plan, JSON.stringify({version: 1, items: [{source, ...item, options: {'max-ratio': maxRatio}}]}))
      return plan
    }
    for (const [name, item] of [
      ['one', {destination: 'oci:one:x'}],
      ['listed', {include: ['*'], destination: 'oci:listed:{tag}'}],
    ] as const) {
      const tight = batch(name, item, 100)
      await assert.rejects(runBatch(tight, {environment: {}}), /more than 100 times/)
      for (let run = 0; run < 2; run++) {
        const {totals} = await runBatch(batch(name, item, 5000), {environment: {}, verify: true})
        assert.equal(totals.failed, 0)
      }
    }
    await assert.rejects(prepareMigration(source, 'oci:migrated', {...migration, maxRatio: 100}), /more than 100 times/)
    const prepared = await prepareMigration(source, 'oci:migrated', {...migration, maxRatio: 5000})
    assert.deepEqual(prepared.report.items.map(({failure}) => failure), [undefined]) // prettier-ignore
    const {totals} = await runMigration(prepared, {environment: {}, journal: migration.journal})
    assert.equal(totals.converted, 1)
    const {plan} = await planFromSource(source, 'oci:planned', {folder: folder.path, maxRatio: 5000, maxEntries: 9})
    assert.deepEqual(plan.defaults?.options, {'max-ratio': 5000, 'max-entries': 9})
  })

  it('name one engine: that of an item stands in for that of the defaults', () => {
    const text = JSON.stringify({
      defaults: {options: {engine: 'tcp://a:1', 'engine-certs': 'certs', strict: true}, destination: 'inbox:x'},
      items: [
        {source: 'docker-daemon:a', options: {'engine-context': 'b'}},
        {source: 'docker-daemon:a', options: {engine: 'tcp://c:1'}},
        {source: 'docker-daemon:a', options: {strict: false}},
      ],
    })
    assert.deepEqual(
      parsePlan(text, {name: 'plan.json', environment: {}}).items.map(({options}) => options),
      [
        {strict: true, 'engine-context': 'b'},
        {strict: true, engine: 'tcp://c:1'},
        {engine: 'tcp://a:1', 'engine-certs': 'certs', strict: false},
      ],
    )
  })

  for (const {options, what} of [
    {options: {engine: 'tcp://a:1', 'engine-context': 'b'}, what: /engine and engine-context cannot be used together/},
    {options: {engine: 'nowhere'}, what: /'nowhere' is not a valid engine address/},
  ])
    it(`refuses ${JSON.stringify(options)}, with the line`, async () => {
      const items = [{source: 'docker-daemon:a', destination: 'inbox:x', options}]
      const plan = parsePlan(JSON.stringify({items}, null, 1), {name: 'plan.json', environment: {}})
      await assert.rejects(expandPlan(plan, {folder: '.'}), (error: {code: string; what: string; at: object}) => {
        assert.equal(error.code, 'PLAN_INVALID')
        assert.match(error.what, what)
        assert.deepEqual(error.at, {path: 'plan.json:6:4'})
        return true
      })
    })

  it('tell the images of one name on two engines apart', async () => {
    const [one, other] = await Promise.all(
      [1, 2].map(() =>
        startServer(({url = ''}, response) => {
          if (url.endsWith('/version')) response.end(JSON.stringify({ApiVersion: '1.43', Os: 'linux'}))
          else response.writeHead(404).end('{}')
        }),
      ),
    )
    assert.ok(one !== undefined && other !== undefined)
    try {
      const items = [one, other].map(({host}) => ({
        source: 'docker-daemon:app:1',
        destination: 'inbox:x',
        options: {engine: `tcp://${host}`},
      }))
      const plan = parsePlan(JSON.stringify({items}), {name: 'plan.json', environment: {}})
      await assert.rejects(expandPlan(plan, {folder: '.'}))
      for (const {seen} of [one, other]) assert.ok(seen.length > 0, 'each engine was asked')
    } finally {
      await Promise.all([one.stop(), other.stop()])
    }
    const image = {transport: 'docker-daemon', path: 'app', selector: '1'}
    assert.notEqual(placeKey('.', image, {engine: 'tcp://a:1'}), placeKey('.', image, {engine: 'tcp://b:1'}))
  })

  it('reach a registry by the logins beside the plan, for listing, converting and looking whether it is there', async () => {
    const registry = await startMemoryRegistry((request, response) => {
      if (request.headers.authorization === `Basic ${Buffer.from('me:s3cret').toString('base64')}`) return false
      response.writeHead(401, {'www-authenticate': 'Basic realm="test"'}).end()
      return true
    })
    try {
      const own = path.join(folder.path, 'estate')
      mkdirSync(own)
      cpSync('samples/shop.tar', path.join(own, 'shop.tar'))
      const auth = Buffer.from('me:s3cret').toString('base64')
      writeFileSync(path.join(own, 'auth.json'), JSON.stringify({auths: {[registry.host]: {auth}}}))
      const plan = path.join(own, 'plan.json')
      const push = {source: 'docker-archive:shop.tar', destination: `docker://${registry.host}/shop:1`}
      writeFileSync(plan, JSON.stringify({defaults: {options: {authfile: 'auth.json'}}, items: [push]}))
      assert.equal((await runBatch(plan, {environment: {}})).totals.converted, 1)
      assert.equal((await runBatch(plan, {environment: {}})).totals.alreadyDone, 1)
      const pull = {source: `docker://${registry.host}/shop:1`, destination: 'oci:out'}
      writeFileSync(plan, JSON.stringify({defaults: {options: {authfile: 'auth.json'}}, items: [pull]}))
      assert.equal((await runBatch(plan, {environment: {}})).totals.converted, 1)
    } finally {
      await registry.stop()
    }
  })

  it('name files that workers find below another root', () => {
    const options = {authfile: '/data/auth.json', 'certs-dir': '/data/plans/certs', 'engine-certs': '/etc/certs'}
    const unit = {id: 'u', key: 'k', source: 'oci:a', destination: 'oci:b', options, after: []}
    assert.deepEqual(sharedUnit(unit, '/data/plans', '/data').options, {
      authfile: '../auth.json',
      'certs-dir': 'certs',
      'engine-certs': '/etc/certs',
    })
  })
})
