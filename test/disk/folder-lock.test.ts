import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {mock} from 'node:test'
import {convert} from '../../src/convert/convert.js'
import {verify} from '../../src/convert/verify.js'
import type {TransshipError} from '../../src/model/errors.js'
import {FolderLock} from '../../src/disk/folder-lock.js'
import {pathAside} from '../../src/disk/left-locks.js'
import {livenessOf, thisProcess} from '../../src/disk/process-identity.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {skipLoudly} from '../helpers/tools.js'

const isLinux = process.platform === 'linux'
/** What another machine's process writes into its lock. */
const ELSEWHERE = {pid: 7, host: 'elsewhere', space: 'boot pid:[1]', started: '4711'}

describe('the lock of a folder', () => {
  const folder = temporaryFolder()
  let roots = 0
  const made: FolderLock[] = []

  afterEach(() => {
    for (const lock of made.splice(0)) lock.release()
  })

  const lockedBy = (holder: object | string): string => {
    const root = path.join(folder.path, String(roots++))
    mkdirSync(root)
    writeFileSync(path.join(root, '.lock'), typeof holder === 'string' ? holder : JSON.stringify(holder))
    return root
  }
  const take = async (root: string, options: Partial<Parameters<typeof FolderLock.take>[1]> = {}) => {
    const lock = await FolderLock.take(root, {reference: `inbox:${root}`, ...options})
    made.push(lock)
    return lock
  }
  const startOf = (pid: number) =>
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19] ?? ''

  for (const {title, holder, note} of [
    {
      title: 'our own process id, by a process that started at another time',
      holder: () => ({...thisProcess(), started: '1', renewedEveryMs: 10_000}),
      note: 'a container that is restarted gets the same name and the same number',
    },
    {
      title: 'the id of a process that runs and started at another time',
      holder: () => ({...thisProcess(), pid: process.ppid, started: '1', renewedEveryMs: 10_000}),
      note: 'numbers are given again',
    },
    {
      title: 'a process that is gone',
      holder: () => ({...thisProcess(), pid: 999_999_999, renewedEveryMs: 10_000}),
      note: 'nothing is waited for',
    },
    {
      title: 'a container of the same name, and is not renewed',
      holder: () => ({...thisProcess(), space: 'boot pid:[1]', started: '1', renewedEveryMs: 10}),
      note: 'its process ids are not ours',
    },
    {
      title: 'another host, and is not renewed',
      holder: () => ({...ELSEWHERE, renewedEveryMs: 10}),
      note: 'after a while',
    },
    {
      title: 'nobody that can be named',
      holder: () => ({pid: -1, host: thisProcess().host}),
      note: 'no number of a process',
    },
  ])
    it(`is taken over that names ${title}: ${note}`, async function () {
      if (!isLinux) skipLoudly(this, 'this system does not tell when another process started')
      const root = lockedBy(holder())
      const lock = await take(root)
      lock.requireHeld()
      assert.deepEqual(readdirSync(root), ['.lock'])
      lock.release()
      assert.deepEqual(readdirSync(root), [])
    })

  for (const {title, holder, names, note} of [
    // Who the parent is may change before a test runs.
    {
      title: 'a process that runs',
      holder: () => ({...thisProcess(), pid: process.ppid, started: startOf(process.ppid), renewedEveryMs: 10_000}),
      names: () => [String(process.ppid), thisProcess().host],
      note: 'at once',
    },
    {
      title: 'a process of which an earlier version wrote the number only',
      holder: () => ({pid: process.ppid, host: thisProcess().host}),
      names: () => [String(process.ppid), 'delete'],
      note: 'it may be another by now, so it is told what to do',
    },
    {
      title: 'another host, by an earlier version',
      holder: () => ({pid: 7, host: 'elsewhere'}),
      names: () => ['process 7 on elsewhere', 'cannot tell whether', 'delete', '.lock'],
      note: 'it does not promise to renew it',
    },
    {
      title: 'another host that promises to renew it once in a century',
      holder: () => ({...ELSEWHERE, renewedEveryMs: 3e12}),
      names: () => ['cannot tell whether', 'delete'],
      note: 'nobody waits for that',
    },
  ])
    it(`is LOCKED that names ${title}: ${note}`, async function () {
      if (!isLinux) skipLoudly(this, 'this system does not tell when another process started')
      const root = lockedBy(holder())
      const before = readFileSync(path.join(root, '.lock'))
      await assert.rejects(take(root), (error: TransshipError) => {
        assert.deepEqual([error.code, error.exitCode], ['LOCKED', 4])
        const told = [error.what, error.why, ...error.suggestions].join(' ')
        for (const name of names()) assert.ok(told.includes(name), told)
        return true
      })
      assert.deepEqual(readFileSync(path.join(root, '.lock')), before)
      assert.deepEqual(readdirSync(root), ['.lock'])
    })

  it('is LOCKED for the process that holds it, as for any other', async () => {
    const root = lockedBy('')
    await take(root)
    await assert.rejects(take(root), {code: 'LOCKED'})
  })

  it('is not held by a process that has ended and that its parent has not asked for', async function () {
    if (!isLinux) skipLoudly(this, 'this system does not tell of such processes')
    const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], {stdio: ['ignore', 'pipe', 'ignore']})
    const [said] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(said.toString())
    const defunct = {...thisProcess(), pid, started: startOf(pid)}
    while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')) await new Promise(setImmediate)
    assert.equal(livenessOf(defunct), 'dead')
    parent.kill('SIGKILL')
    await once(parent, 'close')
  })

  it('of another host that is renewed is LOCKED as soon as that is seen, and the waiting is told', async () => {
    const holder = JSON.stringify({...ELSEWHERE, renewedEveryMs: 20})
    const root = lockedBy(holder)
    const steps: string[] = []
    await assert.rejects(
      take(root, {
        onEvent: (event) => {
          if (event.kind !== 'step') return
          steps.push(event.title)
          // A time of its own, however coarse those of the file system are.
          utimesSync(path.join(root, '.lock'), 1, 1)
        },
      }),
      (error: TransshipError) => {
        assert.equal(error.code, 'LOCKED')
        assert.match(error.why ?? '', /process 7 on elsewhere, which has just renewed/)
        return true
      },
    )
    assert.match(steps.join(), /Waiting .* process 7 on elsewhere/)
    assert.equal(readFileSync(path.join(root, '.lock'), 'utf8'), holder)
  })

  it('can be waited for no longer than one likes', async () => {
    const root = lockedBy({...ELSEWHERE, renewedEveryMs: 60_000})
    const abort = new AbortController()
    const reason = new Error('enough')
    const onEvent = () => {
      abort.abort(reason)
    }
    await assert.rejects(take(root, {signal: abort.signal, onEvent}), reason)
    assert.deepEqual(readdirSync(root), ['.lock'])
  })

  it('is taken over by one of several that wait for it', async () => {
    const root = lockedBy({...ELSEWHERE, renewedEveryMs: 10})
    const ends = await Promise.allSettled(Array.from({length: 8}, () => take(root)))
    const codes = ends.map((end) => (end.status === 'fulfilled' ? 'held' : (end.reason as TransshipError).code))
    assert.deepEqual(
      codes.filter((code) => code !== 'LOCKED'),
      ['held'],
    )
    made[0]?.requireHeld()
    assert.deepEqual(readdirSync(root), ['.lock'])
  })

  it('is renewed every ten seconds while it is held, and then no more', async () => {
    const root = lockedBy('')
    const file = path.join(root, '.lock')
    mock.timers.enable({apis: ['setInterval']})
    try {
      const lock = await take(root)
      const content = readFileSync(file)
      utimesSync(file, 1, 1)
      mock.timers.tick(9999)
      assert.equal(statSync(file).mtimeMs, 1000)
      mock.timers.tick(1)
      assert.notEqual(statSync(file).mtimeMs, 1000)
      assert.deepEqual(readFileSync(file), content)
      const others = JSON.stringify(ELSEWHERE)
      writeFileSync(file, others)
      utimesSync(file, 1, 1)
      mock.timers.tick(10_000)
      assert.equal(statSync(file).mtimeMs, 1000, "another's is left alone")
      assert.equal(readFileSync(file, 'utf8'), others)
      assert.throws(
        () => {
          lock.requireHeld()
        },
        {code: 'LOCKED', why: 'The lock now belongs to process 7 on elsewhere.'},
      )
      lock.release()
      assert.equal(readFileSync(file, 'utf8'), others)
      rmSync(file)
      assert.throws(
        () => {
          lock.requireHeld()
        },
        {code: 'LOCKED'},
      )
    } finally {
      mock.timers.reset()
    }
  })

  it('that cannot be read is not taken over', async () => {
    const root = path.join(folder.path, String(roots++))
    mkdirSync(path.join(root, '.lock'), {recursive: true})
    await assert.rejects(take(root), {code: 'UNRECOGNISED_FORMAT'})
    assert.deepEqual(readdirSync(root), ['.lock'])
  })

  it('is cleaned of what was left while one was made or taken away', async () => {
    const root = lockedBy('')
    const left = (name: string, holder: object, hours: number) => {
      const file = path.join(root, name)
      writeFileSync(file, JSON.stringify(holder))
      const time = Date.now() / 1000 - hours * 3600
      utimesSync(file, time, time)
    }
    left('.lock-dddddddddddd', {...thisProcess(), pid: 999_999_999}, 0)
    left('.lock-0f0f0f0f0f0f', ELSEWHERE, 2)
    left('.lock-fefefefefefe', ELSEWHERE, 0)
    left('.lock-eeeeeeeeeeee', {}, 2)
    // Killed before anything was written: the name tells the process.
    const own = path.basename(pathAside(path.join(root, '.lock')))
    const dead = own.replace(`-${process.pid}-`, '-999999999-')
    for (const name of [own, dead]) writeFileSync(path.join(root, name), '')
    await take(root)
    assert.deepEqual(readdirSync(root).sort(), ['.lock', own, '.lock-fefefefefefe'].sort())
  })

  for (const {title, to, left} of [
    {title: 'a repository of packages', to: 'inbox', left: ['.lock', 'marker']},
    {title: 'an OCI layout', to: 'oci', left: ['.lock', 'blobs', 'index.json', 'marker', 'oci-layout']},
  ] as const)
    it(`that was taken over from a paused process ends its work with LOCKED: ${title}`, async () => {
      const root = path.join(folder.path, String(roots++))
      if (to === 'oci') await convert('docker-archive:samples/shop.tar', `oci:${root}:first`)
      else mkdirSync(root)
      const index = path.join(root, 'index.json')
      const before = to === 'oci' ? readFileSync(index) : undefined
      const marker = path.join(root, 'marker')
      const onEvent = () => {
        if (existsSync(marker) || !existsSync(path.join(root, '.lock'))) return
        writeFileSync(marker, '')
        rmSync(path.join(root, '.lock'))
        writeFileSync(path.join(root, '.lock'), JSON.stringify(ELSEWHERE))
      }
      await assert.rejects(
        convert('docker-archive:samples/shop.tar', `${to}:${root}`, {onEvent, layers: 'chain', tags: ['other:2']}),
        {code: 'LOCKED', exitCode: 4},
      )
      assert.ok(existsSync(marker), 'it was taken over while it was held')
      assert.deepEqual(readdirSync(root).sort(), left)
      if (before !== undefined) assert.deepEqual(readFileSync(index), before)
    })

  it('of another that still writes does not hinder who finds all there already', async () => {
    const root = path.join(folder.path, String(roots++))
    await convert('docker-archive:samples/shop.tar', `inbox:${root}`, {layers: 'chain'})
    const lock = await take(root)
    const {artifacts} = await convert('docker-archive:samples/shop.tar', `inbox:${root}`, {layers: 'chain'})
    assert.ok(artifacts.every(({unchanged}) => unchanged === true))
    lock.requireHeld()
    assert.ok((await verify(`inbox:${root}`)).ok)
  })
})
