import assert from 'node:assert/strict'
import {cpSync, mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {parsePlan} from '../../src/batch/parse-plan.js'
import {placeKey} from '../../src/batch/place.js'
import {expandPlan} from '../../src/batch/expand.js'
import {runBatch} from '../../src/batch/run-batch.js'
import {sharedUnit} from '../../src/batch/queue/unit-job.js'
import {unitNetwork} from '../../src/batch/unit-options.js'
import {networkFlags} from '../../src/terminal/network-flags.js'
import {convertFlags} from '../../src/terminal/convert-flags.js'
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
      assert.deepEqual(unitNetwork(options, {folder: 'plans', network: machine}), expected)
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
