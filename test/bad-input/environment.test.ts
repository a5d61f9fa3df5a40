import assert from 'node:assert/strict'
import {spawn, spawnSync} from 'node:child_process'
import {once} from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import {hostname} from 'node:os'
import path from 'node:path'
import {runBatch} from '../../src/batch/run-batch.js'
import {convert} from '../../src/convert/convert.js'
import {verify} from '../../src/convert/verify.js'
import {classicMembers, partsOf, tarOf} from '../helpers/archives.js'
import {ALL_TARGETS, assertRefusal, assertRefused, layerOf, lookAt, type Target} from '../helpers/refusals.js'
import {MAIN, runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {testsAtOnce} from '../helpers/tests-at-once.js'
import {skipLoudly} from '../helpers/tools.js'

const SHOP = 'docker-archive:samples/shop.tar'

interface ErrorJson {
  readonly error: {readonly code: string; readonly exitCode: number; readonly message: string}
}

/** An image that takes a moment to convert: many files, in one layer. */
async function writeLongImage(file: string): Promise<string> {
  const files = Array.from({length: 5000}, (_, index) => [`Files/f${index}.txt`, `file ${index}\n`] as const)
  const parts = partsOf([await layerOf([['Files/', ''], ...files])])
  writeFileSync(file, await tarOf(classicMembers(parts, ['long:1'])))
  return `docker-archive:${file}`
}

function copySamples(root: string): void {
  cpSync('samples/repository', root, {recursive: true, preserveTimestamps: true})
}

describe('bad input: the environment', () => {
  const folder = temporaryFolder()
  let count = 0
  const place = () => {
    const made = path.join(folder.path, String(count++))
    mkdirSync(made)
    return made
  }

  describe('a destination that exists', () => {
    for (const [title, make] of [
      ['an archive', (to: string) => (cpSync('samples/shop.tar', `${to}/x`), `docker-archive:${to}/x`)],
      ['a folder in the place of an archive', (to: string) => (mkdirSync(`${to}/x`), `docker-archive:${to}/x`)],
      ['a transport layout', (to: string) => (mkdirSync(`${to}/x/Files`, {recursive: true}), `layout:${to}/x`)],
    ] as const)
      it(`is refused with DESTINATION_EXISTS and stays: ${title}`, async () => {
        const target: Target = {title, prepare: make, options: {layers: 'squash', osLayers: 0}}
        await assertRefused(SHOP, target, place(), {code: 'DESTINATION_EXISTS', names: ['x']})
      })

    it('is refused with IDENTITY_CLASH and stays: another package of that identity', async () => {
      const target: Target = {
        title: '',
        prepare: (to) => (copySamples(`${to}/r`), `inbox:${to}/r`),
        options: {publisher: 'CN=Contoso', name: 'Shop', packageVersion: '1.2.0.0', layers: 'squash'},
      }
      await assertRefused(SHOP, target, place(), {code: 'IDENTITY_CLASH', names: ['CN=Contoso_Shop_1.2.0.0']})
    })
  })

  describe('a full disk', () => {
    let disk = ''
    before(function () {
      disk = place()
      if (process.platform !== 'linux' || process.getuid?.() !== 0) skipLoudly(this, 'only root can mount a small disk')
      const {status} = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', disk])
      if (status !== 0) skipLoudly(this, 'a small disk cannot be mounted here')
    })
    after(() => {
      if (disk !== '') spawnSync('umount', [disk])
    })

    for (const [title, make, options] of [
      ['a new repository', () => `inbox:${disk}/deep/r`, {layers: 'chain'}],
      ['a new layout', () => `layout:${disk}/deep/l`, {layers: 'squash', osLayers: 0}],
      ['a new archive', () => `docker-archive:${disk}/a.tar`, {}],
    ] as const)
      it(`ends with NO_SPACE, exit 4, and stays as it was: ${title}`, async () => {
        writeFileSync(path.join(disk, 'filler'), Buffer.alloc(310 * 1024))
        const before = lookAt(disk)
        await assert.rejects(convert(SHOP, make(), options), (error) => {
          assertRefusal(error, {code: 'NO_SPACE', exit: 4, names: []})
          return true
        })
        assert.deepEqual(lookAt(disk), before)
      })

    it('is told by the command as JSON', async () => {
      const {code, json} = await runJson(['convert', SHOP, `inbox:${disk}/deep/r`])
      assert.equal(code, 4)
      await assertSchema('error', json)
      assert.equal((json as ErrorJson).error.code, 'NO_SPACE')
    })
  })

  describe('a folder that may not be written', () => {
    let readOnly = ''
    let isMounted = false
    before(function () {
      readOnly = place()
      if (process.platform === 'win32') skipLoudly(this, 'Windows keeps permissions in another way')
      if (process.getuid?.() !== 0) chmodSync(readOnly, 0o555)
      else {
        isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=100k', 'tmpfs', readOnly]).status === 0
        if (!isMounted) skipLoudly(this, 'root may write everywhere, and nothing can be mounted read-only')
      }
    })
    after(() => {
      if (isMounted) spawnSync('umount', [readOnly])
      else if (existsSync(readOnly)) chmodSync(readOnly, 0o755)
    })
    for (const {title, to, options, below = '/x'} of [
      {title: 'a repository', to: 'inbox', options: {}},
      {title: 'a layout', to: 'layout', options: {layers: 'squash', osLayers: 0}},
      {title: 'an archive', to: 'docker-archive', options: {}},
      {title: 'an OCI layout', to: 'oci', options: {}},
      {title: 'an OCI layout, deep below', to: 'oci', options: {}, below: '/deep/x:1'},
      {title: 'an OCI layout in an empty folder', to: 'oci', options: {}, below: ':1'},
    ] as const)
      it(`ends with NO_ACCESS, exit 4: ${title}`, async () => {
        await assert.rejects(convert(SHOP, `${to}:${readOnly}${below}`, options), (error) => {
          assertRefusal(error, {code: 'NO_ACCESS', exit: 4, names: [readOnly]})
          return true
        })
        assert.deepEqual(lookAt(readOnly), {})
      })

    it('fails the items of a batch in the same way', async () => {
      const file = path.join(place(), 'plan.json')
      const source = `docker-archive:${path.resolve('samples/shop.tar')}`
      const places = [`oci:${readOnly}/x:1`, `oci:${readOnly}/deep/x:1`, `docker-archive:${readOnly}/deep/x.tar`]
      const items = places.map((destination) => ({source, destination}))
      writeFileSync(file, JSON.stringify({items}))
      const {items: reports} = await runBatch(file, {environment: {}, checkSpace: false})
      for (const {failure, destination} of reports) {
        assert.deepEqual([failure?.code, failure?.exitCode], ['NO_ACCESS', 4], destination)
        assert.ok(failure?.what.includes(readOnly), failure?.what)
      }
    })
  })

  describe('the lock of a repository', () => {
    it('that a living process holds ends with LOCKED, exit 4, and changes nothing', async () => {
      const target: Target = {
        title: '',
        prepare: (to) => {
          copySamples(`${to}/r`)
          writeFileSync(`${to}/r/.lock`, JSON.stringify({pid: process.ppid, host: hostname()}))
          return `inbox:${to}/r`
        },
        options: {},
      }
      await assertRefused(SHOP, target, place(), {code: 'LOCKED', exit: 4, names: [String(process.ppid), hostname()]})
    })

    it('that another host holds counts, whatever its number', async () => {
      const target: Target = {
        title: '',
        prepare: (to) => {
          copySamples(`${to}/r`)
          writeFileSync(`${to}/r/.lock`, JSON.stringify({pid: 999_999_999, host: 'elsewhere'}))
          return `inbox:${to}/r`
        },
        options: {},
      }
      await assertRefused(SHOP, target, place(), {code: 'LOCKED', exit: 4, names: ['elsewhere']})
    })

    for (const [title, bytes] of [
      ['a dead process', JSON.stringify({pid: 999_999_999, host: hostname()})],
      ['nobody that can be read', 'garbage'],
      ['nobody', ''],
    ] as const)
      it(`that ${title} holds is taken over, and what lies around goes`, async () => {
        const root = path.join(place(), 'r')
        copySamples(root)
        const name = 'CN=Contoso_Shop_1.2.0.0'
        writeFileSync(path.join(root, '.lock'), bytes)
        mkdirSync(path.join(root, '.tmp-0123456789ab', 'replaced'), {recursive: true})
        cpSync(path.join(root, name), path.join(root, '.tmp-0123456789ab', 'replaced', name), {recursive: true})
        rmSync(path.join(root, name), {recursive: true})
        await convert(SHOP, `inbox:${root}`, {layers: 'chain', publisher: 'CN=Other', name: 'Other'})
        assert.deepEqual(
          readdirSync(root).filter((each) => each.startsWith('.')),
          [],
        )
        assert.ok(existsSync(path.join(root, name, 'metadata.json')), 'the package that was moved away is back')
        assert.ok((await verify(`inbox:${root}`)).ok)
      })
  })

  describe('an end in the middle', function () {
    this.timeout(180_000)
    const atOnce = testsAtOnce()
    let image = ''
    let ready = ''
    before(async () => {
      const made = place()
      image = await writeLongImage(path.join(made, 'long.tar'))
      ready = path.join(made, 'repository')
      copySamples(ready)
    })

    function fresh(): string {
      const root = path.join(place(), 'r')
      cpSync(ready, root, {recursive: true, preserveTimestamps: true})
      return root
    }

    const begun = (root: string) =>
      existsSync(root) &&
      readdirSync(root).some((name) => name.startsWith('.tmp-') && readdirSync(path.join(root, name)).length > 0)

    /** Sends a signal as soon as the work folder holds something, or after a while; the exit code, null when killed. */
    async function interrupt(root: string, signal: NodeJS.Signals, delayMs: number): Promise<number | null> {
      const child = spawn(process.execPath, [MAIN, 'convert', image, `inbox:${root}`, '--json'], {stdio: 'ignore'})
      const closed = once(child, 'close')
      while (child.exitCode === null && !begun(root)) await new Promise((resolve) => setTimeout(resolve, 5))
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      child.kill(signal)
      await closed
      return child.exitCode
    }

    it('by SIGINT exits with 130 and leaves a repository as it was', async function () {
      if (process.platform === 'win32') skipLoudly(this, 'Windows ends a process without asking it')
      const root = fresh()
      const before = lookAt(root)
      assert.equal(await interrupt(root, 'SIGINT', 20), 130)
      assert.deepEqual(lookAt(root), before)
    })

    it('by SIGINT leaves no repository where there was none', async function () {
      if (process.platform === 'win32') skipLoudly(this, 'Windows ends a process without asking it')
      const made = place()
      assert.equal(await interrupt(path.join(made, 'deep', 'r'), 'SIGINT', 20), 130)
      assert.deepEqual(lookAt(made), {})
    })

    it('by an aborted signal rejects and leaves a repository as it was', async () => {
      const root = fresh()
      const before = lookAt(root)
      const abort = new AbortController()
      const onEvent = () => {
        if (begun(root)) abort.abort()
      }
      const running = convert(image, `inbox:${root}`, {signal: abort.signal, onEvent})
      const timer = setInterval(onEvent, 1)
      await assert.rejects(running).finally(() => {
        clearInterval(timer)
      })
      assert.deepEqual(lookAt(root), before)
    })

    for (const delayMs of [0, 40, 160, 400])
      atOnce(
        `by kill -9 after ${delayMs} ms leaves a valid repository, and the next run completes and cleans up`,
        async () => {
          const root = fresh()
          const before = lookAt(root)
          const exit = await interrupt(root, 'SIGKILL', delayMs)
          if (delayMs === 0) assert.equal(exit, null, 'it was killed before it was done')
          const {code, stdout, stderr} = await runCli(['verify', `inbox:${root}`])
          assert.equal(code, 0, stdout.toString() + stderr)
          const after = lookAt(root)
          for (const [name, look] of Object.entries(before)) assert.equal(after[name], look, name)
          const again = await runJson(['convert', image, `inbox:${root}`])
          assert.equal(again.code, 0, again.stdout.toString())
          assert.deepEqual(
            readdirSync(root).filter((name) => name.startsWith('.')),
            [],
          )
          assert.ok((await verify(`inbox:${root}`)).ok)
        },
      )

    it('of a run that had placed everything is cleaned up by a run that finds nothing to do', async () => {
      const root = path.join(place(), 'r')
      await convert(SHOP, `inbox:${root}`, {layers: 'chain'})
      const before = lookAt(root)
      mkdirSync(path.join(root, '.tmp-0123456789ab', 'replaced'), {recursive: true})
      writeFileSync(path.join(root, '.lock'), JSON.stringify({pid: 999_999_999, host: hostname()}))
      await convert(SHOP, `inbox:${root}`, {layers: 'chain'})
      assert.deepEqual(lookAt(root), before)
    })
  })

  describe('the command', () => {
    for (const {title, prepare, code, exit} of [
      {
        title: 'an archive that is cut',
        prepare: (made: string) => {
          writeFileSync(`${made}/a.tar`, readFileSync('samples/shop.tar').subarray(0, 60_000))
          return `docker-archive:${made}/a.tar`
        },
        code: 'ARCHIVE_TRUNCATED',
        exit: 3,
      },
      {
        title: 'a repository whose dependency is missing',
        prepare: (made: string) => {
          copySamples(`${made}/s`)
          rmSync(`${made}/s/CN=Contoso_WebServer_1.0.0.0`, {recursive: true})
          return `inbox:${made}/s`
        },
        code: 'DEPENDENCY_MISSING',
        exit: 3,
      },
      {
        title: 'a carrier that is cut',
        prepare: (made: string) => {
          copySamples(`${made}/s`)
          truncateSync(`${made}/s/CN=Contoso_Shop_1.2.0.0/Files/Shop/settings.json`, 30)
          return `inbox:${made}/s`
        },
        code: 'CARRIER_CORRUPT',
        exit: 3,
      },
      {title: 'a source that is not there', prepare: (made: string) => `inbox:${made}/no`, code: 'NOT_FOUND', exit: 3},
    ])
      it(`tells of ${title} in one JSON document, exit ${exit}, and leaves all as it was`, async () => {
        const made = place()
        const source = prepare(made)
        for (const target of [ALL_TARGETS[0]!, ALL_TARGETS[1]!, ALL_TARGETS.at(-2)!]) {
          const to = place()
          const destination = target.prepare(to)
          const before = lookAt(to)
          const flags = [...(target.options.layers === undefined ? [] : ['--layers', 'chain']), '--replace', '--json']
          const result = await runCli(['convert', source, destination, ...flags])
          const json = JSON.parse(result.stdout.toString()) as ErrorJson
          assert.deepEqual([result.code, json.error.exitCode, json.error.code], [exit, exit, code], json.error.message)
          assert.equal(result.stderr, '')
          assert.ok(json.error.message.includes(made), json.error.message)
          await assertSchema('error', json)
          assert.deepEqual(lookAt(to), before)
        }
      })
  })
})
