import assert from 'node:assert/strict'
import {readdirSync} from 'node:fs'
import {mkdir, writeFile} from 'node:fs/promises'
import type {IncomingMessage, ServerResponse} from 'node:http'
import path from 'node:path'
import {mock} from 'node:test'
import {convert, inspect, list} from '../../../src/index.js'
import {classicMembers, partsOf, tarOf, type Parts} from '../../helpers/archives.js'
import {collect} from '../../helpers/bytes.js'
import {startServer, type TestServer} from '../../helpers/distribution.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

/*
 * What a sound engine on Linux never answers: there is none of another operating system, age or mood in the tests with
 * real engines (test/interop/engines.test.ts).
 */

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

const LINUX = {Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12', Os: 'linux', Arch: 'amd64'}

function json(body: unknown, status = 200): Answer {
  return (_, response) => {
    response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(body))
  }
}

/** Reads what is sent to its end, then answers. */
function afterReading(answer: Answer): Answer {
  return async (request, response) => {
    await collect(request as AsyncIterable<Uint8Array>)
    await answer(request, response)
  }
}

describe('docker-daemon: with an engine that', () => {
  const folder = temporaryFolder()
  const at = (name: string) => path.join(folder.path, name)
  const {TMPDIR: usual} = process.env
  let server: TestServer | undefined
  let linux: Parts
  let windows: Parts

  before(async () => {
    await mkdir(at('temporary'))
    process.env['TMPDIR'] = at('temporary')
    linux = partsOf([await tarOf([['etc/os-release', 'ID=none']])], {os: 'linux', 'os.version': undefined})
    windows = partsOf([await tarOf([['Files/a.txt', 'a']])])
    await writeFile(at('linux.tar'), await tarOf(classicMembers(linux, ['contoso/linux:1'])))
    await writeFile(at('windows.tar'), await tarOf(classicMembers(windows, ['contoso/windows:1'])))
  })

  after(() => {
    if (usual === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = usual
  })

  afterEach(async () => {
    await server?.stop()
    server = undefined
    assert.deepEqual(readdirSync(at('temporary')), [])
  })

  /** The first route that the method and path match answers; anything else is not found. */
  async function engine(version: object, routes: readonly (readonly [RegExp, Answer])[] = []) {
    const all: typeof routes = [[/^GET \/version$/, json(version)], [/^GET \/v[\d.]+\/info$/, json({})], ...routes]
    server = await startServer((request, response) => {
      const asked = `${request.method ?? ''} ${request.url ?? ''}`
      const answer = all.find(([pattern]) => pattern.test(asked))?.[1] ?? json({message: 'no such image'}, 404)
      void answer(request, response)
    })
    return {engine: {host: `tcp://${server.host}`}}
  }

  for (const [title, answer] of [
    ['finds nothing', json({message: 'page not found'}, 404)],
    ['answers with a page', (_, response) => void response.writeHead(200).end('<html>')],
    ['answers with something else', json([1, 2])],
  ] as const satisfies readonly (readonly [string, Answer])[])
    it(`is none, and ${title}: that is the environment’s fault`, async () => {
      server = await startServer((request, response) => void answer(request, response))
      const options = {engine: {host: `tcp://${server.host}`}}
      for (const work of [list('docker-daemon:', options), inspect('docker-daemon:a:1', options)])
        await assert.rejects(work, {code: 'ENGINE_UNAVAILABLE', exitCode: 4, message: /not a container engine/})
    })

  const asked = () => server?.seen.map(({method, url}) => `${method} ${url}`) ?? []

  for (const [note, answer, code, pattern] of [
    [
      'tells of an error inside a success',
      '{"status":"Loading layer"}\r\n{"errorDetail":{"message":"archive/tar: invalid tar header"},"error":"archive/tar: invalid tar header"}\r\n',
      'ENGINE_REFUSED',
      /invalid tar header/,
    ],
    ['tells of it in the old way', '{"error":"unexpected end"}', 'ENGINE_REFUSED', /unexpected end/],
    [
      'is out of space',
      '{"errorDetail":{"message":"write /var/lib/docker/x: no space left on device"}}',
      'NO_SPACE',
      /no space left/,
    ],
  ] as const)
    it(note, async () => {
      const options = await engine(LINUX, [
        [/^POST \/v1\.41\/images\/load/, afterReading((_, response) => void response.writeHead(200).end(answer))],
      ])
      await assert.rejects(convert(`docker-archive:${at('linux.tar')}`, 'docker-daemon:', options), (error) => {
        assert.ok(error instanceof Error && 'code' in error && 'exitCode' in error)
        assert.deepEqual([error.code, error.exitCode], [code, 4])
        assert.match(error.message, pattern)
        return true
      })
    })

  it('answers with a failure while it is still sent to', async () => {
    const many = partsOf([await tarOf([['big', Buffer.alloc(24 * 2 ** 20, 'x')]])], {
      os: 'linux',
      'os.version': undefined,
    })
    await writeFile(at('big.tar'), await tarOf(classicMembers(many, ['contoso/big:1'])))
    const options = await engine(LINUX, [[/\/images\/load/, json({message: 'the disk is on fire'}, 500)]])
    await assert.rejects(convert(`docker-archive:${at('big.tar')}`, 'docker-daemon:', options), (error) => {
      assert.ok(error instanceof Error && 'code' in error)
      // Whether its words or the broken connection arrives first is the machine's choice.
      assert.ok(error.code === 'ENGINE_REFUSED' || error.code === 'ENGINE_UNAVAILABLE', error.message)
      return true
    })
  })

  for (const hanging of [/^POST .*\/tag\?/, /^GET .*contoso\/linux:1\/json$/])
    it(`does not answer any more, to ${String(hanging)}: it is not waited for for ever, nor when cleaning up`, async () => {
      const clock = mock.timers
      const options = await engine(LINUX, [
        [
          hanging,
          () => {
            setImmediate(() => {
              clock.tick(120_000)
            })
          },
        ],
        [/^GET .*\/images\/sha256:[0-9a-f]+\/json$/, json({Id: linux.imageId, RepoTags: []})],
      ])
      clock.enable({apis: ['setTimeout']})
      try {
        await assert.rejects(convert(`docker-archive:${at('linux.tar')}`, 'docker-daemon:', options), {
          code: 'TIMED_OUT',
          exitCode: 4,
        })
      } finally {
        clock.reset()
      }
      assert.ok(asked().some((each) => hanging.test(each)))
    })

  it('makes another image of what it was sent: what came is taken away again', async () => {
    let isLoaded = false
    const other = `sha256:${'1'.repeat(64)}`
    const options = await engine(LINUX, [
      [
        /\/images\/load/,
        afterReading((request, response) => {
          isLoaded = true
          return json({stream: 'Loaded image: contoso/linux:1\n'})(request, response)
        }),
      ],
      [
        /GET .*\/images\/docker.io\/contoso\/linux:1\/json$/,
        (request, response) => (isLoaded ? json({Id: other}) : json({}, 404))(request, response),
      ],
      [/^DELETE /, json([])],
    ])
    await assert.rejects(convert(`docker-archive:${at('linux.tar')}`, 'docker-daemon:', options), {
      code: 'DIGEST_MISMATCH',
    })
    assert.equal(asked().at(-1), 'DELETE /v1.41/images/docker.io/contoso/linux:1')
  })

  it('gives a name back to the image that had it, when a load fails in the end', async () => {
    let isLoaded = false
    const [before, after_] = [`sha256:${'2'.repeat(64)}`, `sha256:${'3'.repeat(64)}`]
    const options = await engine(LINUX, [
      [
        /\/images\/load/,
        afterReading((request, response) => {
          isLoaded = true
          return json({stream: 'Loaded image: contoso/linux:1\n'})(request, response)
        }),
      ],
      [
        /GET .*\/images\/docker.io\/contoso\/linux:1\/json$/,
        (request, response) => json({Id: isLoaded ? after_ : before})(request, response),
      ],
      [/^POST .*\/tag/, json({}, 201)],
    ])
    await assert.rejects(convert(`docker-archive:${at('linux.tar')}`, 'docker-daemon:', {...options, replace: true}), {
      code: 'DIGEST_MISMATCH',
    })
    assert.equal(asked().at(-1), `POST /v1.41/images/${before}/tag?repo=contoso%2Flinux&tag=1`)
  })

  it('runs Windows containers: a Linux image is refused before anything is sent', async () => {
    const options = await engine({...LINUX, Os: 'windows'})
    await assert.rejects(convert(`docker-archive:${at('linux.tar')}`, 'docker-daemon:', options), {
      code: 'WRONG_ENGINE_OS',
      exitCode: 4,
    })
    assert.deepEqual(asked(), ['GET /version'])
  })

  it('runs Linux containers: a Windows image is refused before anything is sent', async () => {
    const options = await engine(LINUX)
    await assert.rejects(convert(`docker-archive:${at('windows.tar')}`, 'docker-daemon:', options), {
      code: 'WRONG_ENGINE_OS',
    })
    assert.deepEqual(asked(), ['GET /version'])
  })

  it('runs Windows containers: a Windows image is sent, in its own version of the API', async () => {
    let sent: Buffer | undefined
    const options = await engine({...LINUX, Os: 'windows', ApiVersion: '1.30'}, [
      [
        /\/images\/load/,
        async (request, response) => {
          sent = await collect(request as AsyncIterable<Uint8Array>)
          await json({stream: 'Loaded'})(request, response)
        },
      ],
      [
        /GET .*\/images\/docker.io\/contoso\/windows:1\/json$/,
        (request, response) => (sent === undefined ? json({}, 404) : json({Id: windows.imageId}))(request, response),
      ],
    ])
    await convert(`docker-archive:${at('windows.tar')}`, 'docker-daemon:', options)
    assert.ok(asked().includes('POST /v1.30/images/load?quiet=1'))
    await writeFile(at('sent.tar'), sent ?? '')
    assert.equal((await inspect(`docker-archive:${at('sent.tar')}`)).imageId, windows.imageId)
  })

  it('is too old, or too new', async () => {
    for (const range of [
      {ApiVersion: '1.20', MinAPIVersion: '1.12'},
      {ApiVersion: '1.99', MinAPIVersion: '1.90'},
    ]) {
      const options = await engine({...LINUX, ...range})
      await assert.rejects(list('docker-daemon:', options), {code: 'ENGINE_UNSUPPORTED', exitCode: 4})
      await server?.stop()
    }
    server = undefined
  })

  it('breaks off while it saves an image', async () => {
    const details = json({Id: linux.imageId, RepoTags: ['contoso/linux:1'], Os: 'linux', Architecture: 'amd64'})
    const options = await engine(LINUX, [
      [/\/images\/contoso\/linux:1\/json$/, details],
      [
        /\/get$/,
        (_, response) => {
          response.writeHead(200)
          response.write(Buffer.alloc(1024))
          setTimeout(() => response.destroy(), 50)
        },
      ],
    ])
    await assert.rejects(inspect('docker-daemon:contoso/linux:1', options), {code: 'NETWORK_FAILED', exitCode: 4})
  })

  it('saves another image than it says', async () => {
    const details = json({Id: `sha256:${'4'.repeat(64)}`, RepoTags: ['contoso/linux:1']})
    const archive = await tarOf(classicMembers(linux, ['contoso/linux:1']))
    const options = await engine(LINUX, [
      [/\/images\/contoso\/linux:1\/json$/, details],
      [/\/get$/, (_, response) => void response.writeHead(200).end(archive)],
    ])
    await assert.rejects(inspect('docker-daemon:contoso/linux:1', options), {code: 'DIGEST_MISMATCH', exitCode: 3})
  })

  it('answers with a page of a proxy, or with JSON of another kind', async () => {
    const page: Answer = (_, response) => void response.writeHead(502).end('<html>')
    const options = await engine(LINUX, [[/\/images\/json$/, page]])
    await assert.rejects(list('docker-daemon:', options), {code: 'ENGINE_UNAVAILABLE'})
    await server?.stop()
    const other = await engine(LINUX, [[/\/images\/json$/, json({images: []})]])
    await assert.rejects(list('docker-daemon:', other), {code: 'MANIFEST_INVALID'})
  })

  it('is not there', async () => {
    await assert.rejects(list('docker-daemon:', {engine: {host: `unix://${at('nobody.sock')}`}}), {
      code: 'ENGINE_UNAVAILABLE',
      exitCode: 4,
    })
  })

  it('does not read what it is sent: an interrupt ends the wait at once, and there is nothing to undo', async () => {
    const interrupt = new AbortController()
    const options = await engine(LINUX, [
      [
        /\/images\/load/,
        () =>
          void setTimeout(() => {
            interrupt.abort(new Error('enough'))
          }, 100),
      ],
    ])
    const image = {os: 'linux', 'os.version': undefined}
    const big = partsOf([await tarOf([['big', Buffer.alloc(24 * 2 ** 20, 'y')]])], image)
    await writeFile(at('slow.tar'), await tarOf(classicMembers(big, ['contoso/slow:1'])))
    const work = convert(`docker-archive:${at('slow.tar')}`, 'docker-daemon:', {...options, signal: interrupt.signal})
    await assert.rejects(work)
    assert.ok(!asked().some((line) => line.startsWith('DELETE')))
  })
})
