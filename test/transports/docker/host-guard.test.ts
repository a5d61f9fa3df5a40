import assert from 'node:assert/strict'
import {HostGuard, zoneOf} from '../../../src/transports/docker/host-guard.js'
import {programFolders} from '../../../src/transports/docker/find-program.js'

const ZONES: readonly (readonly [zone: string | undefined, ...addresses: string[]])[] = [
  [
    'host',
    '127.0.0.1',
    '127.255.0.9',
    '0.0.0.0',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ],
  [
    'link',
    '169.254.169.254',
    '::ffff:169.254.169.254',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    '224.0.0.1',
    '255.255.255.255',
  ],
  [
    'private',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
  ],
  [undefined, '8.8.8.8', '172.32.0.1', '192.167.1.1', '100.128.0.1', '2606:4700::1', '::ffff:8.8.8.8'],
]

/** Spellings of addresses that a URL takes. */
const REFUSED = [
  'http://127.0.0.1/',
  'http://127.1/',
  'http://0x7f.0.0.1/',
  'http://2130706433/',
  'http://017700000001/',
  'https://[::1]/',
  'https://[::ffff:7f00:1]/',
  'https://localhost/',
  'https://LOCALHOST./',
  'https://me.localhost/',
  'http://169.254.169.254/latest/meta-data',
  'https://10.0.0.1/',
  'https://192.168.0.1:8443/',
  'https://[fe80::1]/',
  'https://[fd12::1]/',
  'https://0.0.0.0/',
]

describe('addresses that come from an image or a registry', () => {
  for (const [zone, ...addresses] of ZONES)
    for (const address of addresses)
      it(`${address} is ${zone ?? 'in the open network'}`, () => {
        assert.equal(zoneOf(address), zone)
      })

  for (const url of REFUSED)
    it(`do not lead from a registry elsewhere to ${url}, unless that is allowed`, async () => {
      assert.equal(await new HostGuard('203.0.113.9', false).allows(new URL(url)), false)
      assert.equal(await new HostGuard('203.0.113.9', true).allows(new URL(url)), true)
    })

  it('lead where the registry itself is, and no further', async () => {
    const local = new HostGuard('127.0.0.1', false)
    assert.equal(await local.allows(new URL('http://localhost:5000/')), true)
    assert.equal(await local.allows(new URL('http://[::1]:5000/')), true)
    assert.equal(await local.allows(new URL('http://169.254.169.254/')), false)
    const inside = new HostGuard('10.0.0.5', false)
    assert.equal(await inside.allows(new URL('https://192.168.7.7/')), true)
    assert.equal(await inside.allows(new URL('https://127.0.0.1/')), false)
  })

  it('are looked at by what a name leads to, when it is connected to', async () => {
    const look = (host: string, guard: HostGuard) =>
      new Promise((resolve) => {
        guard.lookup(host, {all: true}, (error, found) => {
          resolve(error === null ? found : Reflect.get(error, 'code'))
        })
      })
    assert.equal(await look('localhost', new HostGuard('203.0.113.9', false)), 'NETWORK_FAILED')
    assert.ok(Array.isArray(await look('localhost', new HostGuard('localhost', false))))
  })
})

describe('programs', () => {
  it('are never looked for in the current folder', () => {
    assert.deepEqual(programFolders('.:/usr/bin::bin:./x:/bin:', 'linux'), ['/usr/bin', '/bin'])
    assert.deepEqual(programFolders('.;C:\\Windows;;bin;\\x;C:y;"D:\\a b";\\\\server\\share', 'win32'), [
      'C:\\Windows',
      'D:\\a b',
      '\\\\server\\share',
    ])
    assert.deepEqual(programFolders(undefined, 'win32'), [])
  })
})
