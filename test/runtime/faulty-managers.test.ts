import assert from 'node:assert/strict'
import {once} from 'node:events'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {
  createServer as createHttpServer,
  type RequestListener,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http'
import {createServer, type Server} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {ContainerdManager} from '../../src/runtime/containerd/containerd-manager.js'
import {parseEngineEndpoint} from '../../src/engine-api/endpoint.js'
import {EngineManager} from '../../src/runtime/engine/engine-manager.js'
import {openManagers} from '../../src/runtime/open-managers.js'
import {listContainers} from '../../src/runtime/list-containers.js'
import {testsAtOnce} from '../helpers/tests-at-once.js'
import {killContainers, stopContainers} from '../../src/runtime/stop-containers.js'

/** What listens on a socket instead of a manager; undefined: a plain file, which nobody can connect to. */
const FAULTS: readonly {title: string; serve: () => Server; code: string}[] = [
  {title: 'one that never answers', serve: () => createServer(() => undefined), code: 'TIMED_OUT'},
  {title: 'one that hangs up', serve: () => createServer((socket) => socket.destroy()), code: 'ENGINE_UNAVAILABLE'},
  {
    title: 'one that speaks another language',
    serve: () => createServer((socket) => socket.end('220 smtp ready\r\n')),
    code: 'ENGINE_UNAVAILABLE',
  },
  {
    title: 'one that denies',
    serve: http((_, answer) => answer.writeHead(403).end('{"message":"no"}')),
    code: 'NO_ACCESS',
  },
  {
    title: 'one that fails with a page',
    serve: http((_, answer) => answer.writeHead(502).end('<html>')),
    code: 'ENGINE_UNAVAILABLE',
  },
  {title: 'one that answers a page', serve: http((_, answer) => answer.end('<html>')), code: 'MANIFEST_INVALID'},
  {title: 'one that answers other JSON', serve: http((_, answer) => answer.end('{"Id":1}')), code: 'MANIFEST_INVALID'},
  {
    title: 'one that stops in the middle',
    serve: http((_, answer) => {
      answer.writeHead(200, {'Content-Length': 100}).write('[')
      setTimeout(() => answer.destroy(), 20)
    }),
    code: 'ENGINE_UNAVAILABLE',
  },
  {title: 'one that trickles', serve: http((_, answer) => answer.writeHead(200).write('[')), code: 'TIMED_OUT'},
]

/** What the engine says of the second of three containers. */
const ODD: readonly {
  readonly title: string
  readonly details?: (answer: ServerResponse) => void
  readonly summary?: object
}[] = [
  {title: 'has the state null', details: (answer) => answer.end('{"Id":"b","State":null}')},
  {title: 'is answered with 500', details: (answer) => answer.writeHead(500).end('{"message":"no such layer"}')},
  {title: 'is answered with 409', details: (answer) => answer.writeHead(409).end('{"message":"removal in progress"}')},
  {title: 'is answered with 403', details: (answer) => answer.writeHead(403).end('{"message":"no"}')},
  {title: 'is answered with a page', details: (answer) => answer.end('<html>')},
  {title: 'is answered with a list', details: (answer) => answer.end('[]')},
  {title: 'is answered with nothing', details: (answer) => answer.destroy()},
  {title: 'hangs', details: () => undefined},
  {title: 'is listed with a number for its state', summary: {State: 7}},
  {title: 'is listed with names that are none', summary: {Names: 'b'}},
]

/** Two of the faults last as long; whoever answers has time for it on a busy machine too. */
const LIMIT_MS = 5000

function http(listener: RequestListener): () => HttpServer {
  return () => createHttpServer(listener)
}

describe('managers that misbehave', function () {
  if (process.platform === 'win32') return
  const test = testsAtOnce(FAULTS.length)
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'transship-faults-'))
  })
  after(async () => {
    await rm(folder, {recursive: true})
  })

  const empty = http((request, answer) => answer.end(request.url === '/version' ? '{"Os":"linux"}' : '[]'))

  for (const [index, {title, serve, code}] of FAULTS.entries())
    test(`reports ${title} as ${code}, beside the others' answers`, async () => {
      const paths = {faulty: join(folder, `${index}.sock`), good: join(folder, `${index}-good.sock`)}
      const servers = [serve().listen(paths.faulty), empty().listen(paths.good)]
      const sockets = new Set<{destroy(): void}>()
      for (const server of servers) server.on('connection', (socket) => sockets.add(socket))
      for (const server of servers) if (!server.listening) await once(server, 'listening')
      const managers = openManagers({
        platform: 'linux',
        onlyGiven: true,
        dockerHost: `unix://${paths.faulty}`,
        podmanHost: `unix://${paths.good}`,
        // Nobody speaks HTTP/2 there either.
        containerdAddress: paths.faulty,
      })
      try {
        const {managers: reports} = await listContainers(managers, {timeoutMs: LIMIT_MS})
        assert.deepEqual(
          reports.slice(0, 2).map(({state, error}) => [state, error?.code]),
          [
            ['failed', code],
            ['answered', undefined],
          ],
        )
        assert.equal(reports[2]?.state, 'failed')
      } finally {
        for (const manager of managers) manager.close()
        for (const socket of sockets) socket.destroy()
        for (const server of servers) server.close()
      }
    })

  it('tells a place where nobody listens from a failure only when it was a guess', async () => {
    const plain = join(folder, 'plain')
    await writeFile(plain, '')
    const reports = async (dockerHost: string, isGuess: boolean) => {
      const managers = [
        new EngineManager('docker', parseEngineEndpoint(dockerHost), {isGuess}),
        new ContainerdManager(plain, {isGuess}),
      ]
      const {managers: got} = await listContainers(managers)
      for (const manager of managers) manager.close()
      return got.map(({state, error}) => [state, error?.code])
    }
    const unavailable = (state: string) => [
      [state, 'ENGINE_UNAVAILABLE'],
      [state, 'ENGINE_UNAVAILABLE'],
    ]
    assert.deepEqual(await reports(`unix://${plain}-not`, false), unavailable('failed'))
    assert.deepEqual(await reports(`unix://${plain}-not`, true), unavailable('absent'))
    assert.deepEqual(await reports('tcp://127.0.0.1:1', true), unavailable('absent'))
  })

  for (const [index, {title, details, summary = {}}] of ODD.entries())
    it(`lists every container although one ${title}, and says so`, async () => {
      const path = join(folder, `odd-${index}.sock`)
      const listed = ['a', 'b', 'c'].map((id) => ({Id: id, Names: [`/${id}`], Image: 'web:1', State: 'running'}))
      Object.assign(listed[1]!, summary)
      const acted: string[] = []
      const server = http((request, answer) => {
        const {url = '', method} = request
        const id = /containers\/([abc])\//.exec(url)?.[1]
        if (url === '/version') answer.end('{"Os":"linux"}')
        else if (url.startsWith('/containers/json')) answer.end(JSON.stringify(listed))
        else if (method === 'POST') {
          acted.push(`${id ?? ''} ${url}`)
          answer.writeHead(204).end()
        } else if (url.includes('/stats')) answer.writeHead(500).end()
        else if (id === 'b' && details !== undefined) details(answer)
        else answer.end(JSON.stringify({Id: id, State: {Running: true, Pid: 7}, HostConfig: {}}))
      })().listen(path)
      await once(server, 'listening')
      const managers = [new EngineManager('docker', parseEngineEndpoint(`unix://${path}`), {isGuess: false})]
      try {
        const {containers, notes, managers: reports} = await listContainers(managers)
        assert.deepEqual(containers.map(({id}) => id).sort(), ['a', 'b', 'c'])
        assert.deepEqual(
          notes.map(({code, subject}) => [code, subject]),
          [['container-unreadable', 'b']],
        )
        assert.deepEqual(
          reports.map(({state}) => state),
          ['answered'],
        )
        const sound = containers.find(({id}) => id === 'a')
        assert.deepEqual([sound?.pid, sound?.isolation], [7, 'process'])
        const ended = await killContainers(managers, ['a', 'c'])
        assert.deepEqual(
          ended.containers.map(({outcome}) => outcome),
          ['killed', 'killed'],
        )
        const stopped = await stopContainers(managers, ['a'], {kill: true})
        assert.deepEqual(
          stopped.containers.map(({outcome}) => outcome),
          ['stopped'],
        )
        assert.equal(acted.length, 3)
        // The list tells enough of a running one to end it, too.
        assert.equal((await killContainers(managers, ['b'])).exitCode, 0)
      } finally {
        server.close()
        server.closeAllConnections()
      }
    })

  it('is interrupted at once', async () => {
    const path = join(folder, 'interrupted.sock')
    const sockets = new Set<{destroy(): void}>()
    const server = createServer((socket) => sockets.add(socket)).listen(path)
    await once(server, 'listening')
    const abort = new AbortController()
    const managers = openManagers({
      platform: 'linux',
      onlyGiven: true,
      dockerHost: `unix://${path}`,
      containerdAddress: path,
    })
    const listed = listContainers(managers, {signal: abort.signal})
    abort.abort()
    await assert.rejects(listed, {code: 'INTERRUPTED'})
    for (const manager of managers) manager.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
})
