import assert from 'node:assert/strict'
import {execFileSync} from 'node:child_process'
import {mkdtempSync} from 'node:fs'
import {mkdir, readFile, stat, writeFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import path from 'node:path'
import {debugFileOf} from '../../src/terminal/debug-log.js'
import {shownAddress} from '../../src/model/trace.js'
import {runCli} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const SHOP = path.resolve('samples/shop.tar')

describe('--debug', () => {
  const root = temporaryFolder()
  const withTemporaryFolder = (work: (folder: string) => Promise<void>) =>
    work(mkdtempSync(path.join(root.path, 'log-')))

  it('logs versions, host, command line, decisions, locks, replacing and the end, and nothing on stdout', async () => {
    await withTemporaryFolder(async (folder) => {
      const log = path.join(folder, 'support.log')
      const convert = ['convert', SHOP, `oci:${folder}/out:shop`]
      const plain = await runCli([...convert, '--json'])
      assert.equal(plain.code, 0, plain.stderr)
      const logged = await runCli([...convert, '--json', '--debug', log])
      assert.equal(logged.code, 0, logged.stderr)
      assert.equal(logged.stderr, '')
      assert.doesNotThrow(() => JSON.parse(logged.stdout.toString()) as unknown)
      const text = await readFile(log, 'utf8')
      assert.match(text, /^# transship debug log\n/)
      for (const part of [
        /start +transship \d.*, node \d/,
        /host +.* processors/,
        /command +\["convert","/,
        /decision .*content fits docker-archive/,
        /lock +took .*\.lock\n/,
        /lock +released /,
        /step +\{"id":/,
        /end +exit 0, at most \d+ MiB/,
      ])
        assert.match(text, part)
      if (process.platform !== 'win32') assert.equal((await stat(log)).mode & 0o777, 0o600)

      const inspected = await runCli(['inspect', path.join(folder, 'missing.tar')], {env: {TRANSSHIP_DEBUG: log}})
      assert.equal(inspected.code, 3)
      const both = await readFile(log, 'utf8')
      assert.ok(both.startsWith(text), 'a second run is appended')
      assert.match(both.slice(text.length), /error +Error: [^]*Code: {2}NOT_FOUND\n +Trace: InputError/)
      assert.match(both, /end +exit 3/)
    })
  })

  it('logs requests with method, host, path, status and timing, and masks what was sent as proof', async () => {
    const password = 'sw0rdfish-secret'
    const proof = Buffer.from(`anna:${password}`).toString('base64')
    const server = createServer((request, response) => {
      const isKnown = request.headers.authorization === `Basic ${proof}`
      if (!isKnown) response.writeHead(401, {'www-authenticate': 'Basic realm="x"'}).end()
      else if (request.url === '/v2/') response.writeHead(200).end('{}')
      else
        response
          .writeHead(403, {'content-type': 'application/json'})
          .end(JSON.stringify({errors: [{code: 'DENIED', message: `nobody knows ${proof} ${password}`}]}))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`
    try {
      await withTemporaryFolder(async (folder) => {
        const log = path.join(folder, 'support.log')
        const config = path.join(folder, 'docker')
        await mkdir(config)
        await writeFile(path.join(config, 'config.json'), JSON.stringify({auths: {[host]: {auth: proof}}}))
        const {code} = await runCli(
          ['inspect', `docker://${host}/app:1`, '--tls-verify', 'false', '--docker-config', config, '--debug', log],
          {env: {HTTPS_PROXY: `http://u:${password}@proxy.example:1`, NO_PROXY: '127.0.0.1'}},
        )
        assert.equal(code, 4)
        const text = await readFile(log, 'utf8')
        assert.match(text, new RegExp(`request +GET http://${host}/v2/\\S*: 401 in \\d+ ms`))
        assert.match(text, new RegExp(`request +GET http://${host}/v2/app/manifests/1: 403 in \\d+ ms`))
        assert.ok(!text.includes(password) && !text.includes(proof), text)
        assert.match(text, /nobody knows \*\*\* \*\*\*/)
        assert.match(text, /HTTPS_PROXY=.*\*\*\*@proxy\.example/)
      })
    } finally {
      server.close()
    }
  })

  for (const {name, make, note} of [
    {name: 'data.tar', make: 'printf "archive of somebody"', note: 'data, which stays as it is'},
    {name: 'folder/none.log', note: 'a folder that does not exist'},
    {name: 'pipe', note: 'a pipe that nobody reads'},
    {name: '/dev/full', note: 'a device'},
    {name: '/dev/stdout', note: 'stdout'},
    {name: '.', note: 'a folder'},
  ] as {name: string; make?: string; note: string}[])
    it(`goes on without a log where the file is ${note}`, async function () {
      if (process.platform === 'win32') this.skip()
      await withTemporaryFolder(async (folder) => {
        const file = path.resolve(folder, name)
        if (make !== undefined) await writeFile(file, 'archive of somebody')
        if (name === 'pipe') execFileSync('mkfifo', [file])
        const plain = await runCli(['list', SHOP])
        const {code, stdout, stderr} = await runCli(['list', SHOP, '--debug', file])
        assert.equal(code, 0, stderr)
        assert.deepEqual(stdout, plain.stdout)
        assert.match(stderr, /^Warning: transship cannot write the debug log '.*', and continues without it\./)
        if (make !== undefined) assert.equal(await readFile(file, 'utf8'), 'archive of somebody')
      })
    })

  for (const {argv, fallback, file} of [
    {argv: ['a', '--debug', 'x'], fallback: 'y', file: 'x'},
    {argv: ['--debug=x', 'a'], fallback: undefined, file: 'x'},
    {argv: ['a', '--', '--debug', 'x'], fallback: 'y', file: 'y'},
    {argv: ['a'], fallback: '', file: undefined},
    {argv: ['--debug', 'x', '--debug', 'z'], fallback: undefined, file: 'z'},
  ])
    it(`takes ${String(file)} of ${argv.join(' ')}`, () => {
      assert.equal(debugFileOf(argv, fallback), file)
    })

  it('shows of an address only what asks for something', () => {
    assert.equal(
      shownAddress(
        new URL('https://anna:pw@blobs.example/a?digest=sha256:1&sig=abc&X-Amz-Signature=s&scope=repository:a:pull'),
      ),
      'https://blobs.example/a?digest=sha256:1&sig=***&X-Amz-Signature=***&scope=repository:a:pull',
    )
  })

  it('masks passwords of the command line, also where it cannot be parsed', async () => {
    await withTemporaryFolder(async (folder) => {
      const log = path.join(folder, 'support.log')
      await runCli(['batch', 'worker', '--queue', 'redis://me:hunter22@host:1/0', '--nosuch', '--debug', log])
      await runCli(['inspect', 'docker://anna:hunter22@host/app', '--debug', log], {
        env: {TRANSSHIP_QUEUE_PASSWORD: 'hunter22', http_proxy: 'me:hunter22@proxy.example:8080'},
      })
      const text = await readFile(log, 'utf8')
      assert.ok(!text.includes('hunter22'), text)
      assert.match(text, /BAD_OPTION/)
    })
  })
})
